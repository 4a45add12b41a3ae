"""Cached reads of a run; shared by all readers, hence never changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import streamlit as st

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort import summary as cohort_summary
from shamsul_core.cohort.views import ids_of_view
from shamsul_core.figures.cases import CARD_PX, case_card, make_case
from shamsul_core.figures.comparison import comparison_scene
from shamsul_core.figures.overlay import encode_scene, picture_of
from shamsul_core.labels import OBSERVATIONS
from shamsul_core.metrics.assessment import assess
from shamsul_core.metrics.classification import u_zeros
from shamsul_core.metrics.lesions import lesion_table
from shamsul_core.metrics.readers import reader_scores
from shamsul_core.metrics.summary import in_slice, summarise
from shamsul_core.run import Run
from shamsul_core.storage import place
from shamsul_core.worklist import findings as make_findings

if TYPE_CHECKING:
    from collections.abc import Collection
    from concurrent.futures import Future
    from pathlib import Path

    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.cohort.views import ViewFilter
    from shamsul_core.figures.scene import Picture
    from shamsul_core.metrics.assessment import Assessment
    from shamsul_core.metrics.decisions import ThresholdRule
    from shamsul_core.metrics.summary import Slice
    from shamsul_core.selection import ChosenCase


_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="look-ahead")
_ahead: Future[bytes] | None = None


def open_run(folder: str) -> Run:
    """Open a run; quick, and again on each page so that a run being written shows as it is."""
    return Run.open(place(folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def open_run_cohort(folder: str) -> Cohort:
    """Open the cohort that a run explains."""
    run = Run.open(place(folder))
    return open_cohort(run.cohort_folder, split=run.manifest.cohort["split"])


def tables(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the run's predictions and scores as they are on disk now; not to be changed."""
    return _tables(str(run.folder), _table_stamps(run))


def probabilities(run: Run, image_id: str) -> dict[str, float]:
    """Return what the model gives the observations in a radiograph, 0 to 1; empty where there is nothing."""
    predictions, _ = tables(run)
    row = predictions[predictions["image_id"] == image_id]
    return {} if row.empty else {name: float(row[name].iloc[0]) for name in OBSERVATIONS if name in row}


def findings(run: Run, cohort: Cohort) -> pd.DataFrame:
    """Return the findings of the radiographs explained so far, see `shamsul_core.worklist`; not to be changed."""
    image_ids = tuple(one for one in run.explained_ids() if one in cohort.radiographs)
    return _findings(str(run.folder), image_ids, _table_stamps(run))


def scene(run: Run, image_id: str, pathology: str) -> bytes:
    """Return what the viewer shows of one radiograph and pathology, encoded."""
    stamps = (stamp(run.path_of(image_id)), *_table_stamps(run))
    return _scene(str(run.folder), image_id, pathology, stamps)


def summary(run: Run, which: Slice, view: ViewFilter) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of a slice and a view, and their summary."""
    return _summary(str(run.folder), which, view, stamp(run.folder / "scores.parquet"))


def lesions(run: Run) -> pd.DataFrame:
    """Return number, size and shape of what the experts marked, see `shamsul_core.metrics.lesions`."""
    return _lesions(str(run.folder), stamp(run.folder / "scores.parquet"))


def readers(run: Run) -> pd.DataFrame:
    """Return the scores of the cohort's second readers, see `shamsul_core.metrics.readers`; empty without them."""
    return _readers(str(run.folder), stamp(run.folder / "scores.parquet"))


def card(run: Run, chosen: ChosenCase, address: str) -> str:
    """Return a chosen case as a card that leads to an address."""
    stamps = (stamp(run.path_of(chosen.image_id)), stamp(run.folder / "scores.parquet"))
    return _card(str(run.folder), chosen, address, stamps)


def cohort_table(run: Run) -> pd.DataFrame:
    """Return the labels and facts of the cohort's radiographs."""
    return _cohort_table(str(run.folder))


def assessment(run: Run, rule: ThresholdRule, *, zeros: bool) -> Assessment:
    """Return how well the run's predictions agree with the labels; `zeros` takes indefinite ones as negative."""
    return _assessment(str(run.folder), rule, stamp(run.folder / "predictions.parquet"), zeros=zeros)


def decisions(run: Run, rule: ThresholdRule, image_id: str) -> dict[str, str]:
    """Return what is decided of each observation of a radiograph; see `shamsul_core.metrics.decisions.decide`."""
    table = assessment(run, rule, zeros=False).decisions
    here = table[table["image_id"] == image_id]
    return dict(zip(here["observation"], here["decision"], strict=True))


def unread(run: Run, explained: Collection[str]) -> list[str]:
    """Return a line for each radiograph of which there is no result, with the reason."""
    folder = str(run.folder)
    failures = _failures(folder, stamp(run.folder / "failures.parquet"))
    without = failures[~failures["image_id"].isin(explained)].drop_duplicates("image_id")
    return [
        f"{image_id}: {error}" for image_id, error in zip(without["image_id"], without["error"], strict=True)
    ]


def look_ahead(run: Run, image_id: str, pathology: str) -> None:
    """Make the scene that the reader is likely to want next, in the background, unless one is being made already."""
    global _ahead  # one for all readers, so that it never takes more than one core
    if _ahead is None or _ahead.done():
        _ahead = _worker.submit(scene, run, image_id, pathology)


def _table_stamps(run: Run) -> tuple[int, ...]:
    return tuple(stamp(run.folder / f"{name}.parquet") for name in ("predictions", "scores"))


def stamp(path: Path) -> int:
    """Return a key that changes when the file does."""
    return path.stat().st_mtime_ns if path.exists() else 0


# `cache_resource` hands out the object itself, where `cache_data` would copy megabytes at each look. Its size is bounded
# by entries: at most 2 MB a scene and 1 MB a picture.


@st.cache_resource(max_entries=4, show_spinner=False)
def _tables(folder: str, stamps: tuple[int, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    run = Run.open(place(folder))
    return run.predictions, run.scores


@st.cache_resource(max_entries=16, show_spinner=False)
def _summary(folder: str, which: Slice, view: ViewFilter, stamp: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    run = Run.open(place(folder))
    scores = run.scores
    shown = scores["image_id"].isin(ids_of_view(open_run_cohort(folder).radiographs, view))
    scores = in_slice(scores[shown], which)
    return scores, summarise(scores, run.manifest.pathologies, list(run.manifest.methods))


@st.cache_resource(max_entries=4, show_spinner="Measuring the lesions")
def _lesions(folder: str, stamp: int) -> pd.DataFrame:
    run = Run.open(place(folder))
    return lesion_table(open_run_cohort(folder), run.explained_ids(), run.manifest.pathologies)


@st.cache_resource(max_entries=4, show_spinner=False)
def _readers(folder: str, stamp: int) -> pd.DataFrame:
    run = Run.open(place(folder))
    return reader_scores(open_run_cohort(folder), run.explained_ids(), run.manifest.pathologies)


@st.cache_resource(max_entries=200, show_spinner=False)
def _card(folder: str, chosen: ChosenCase, address: str, stamps: tuple[int, ...]) -> str:
    run = Run.open(place(folder))
    _, scores = tables(run)
    case = make_case(run, open_run_cohort(folder), scores, chosen, longest_px=2 * CARD_PX)
    return case_card(case, address)


@st.cache_resource(max_entries=4, show_spinner=False)
def _failures(folder: str, stamp: int) -> pd.DataFrame:
    return Run.open(place(folder)).failures


@st.cache_resource(max_entries=4, show_spinner=False)
def _findings(folder: str, image_ids: tuple[str, ...], stamps: tuple[int, ...]) -> pd.DataFrame:
    run = Run.open(place(folder))
    radiographs = open_run_cohort(folder).radiographs
    return make_findings(image_ids, run.manifest.pathologies, radiographs, *_tables(folder, stamps))


@st.cache_resource(max_entries=32, show_spinner=False)
def _picture(folder: str, image_id: str) -> Picture:
    return picture_of(open_run_cohort(folder).radiographs[image_id].pixels())


@st.cache_resource(max_entries=32, show_spinner=False)
def _scene(folder: str, image_id: str, pathology: str, stamps: tuple[int, ...]) -> bytes:
    run = Run.open(place(folder))
    _, scores = _tables(folder, stamps[1:])
    picture = _picture(folder, image_id)
    return encode_scene(comparison_scene(run, open_run_cohort(folder), image_id, pathology, scores, picture))


@st.cache_resource(max_entries=4, show_spinner=False)
def _cohort_table(folder: str) -> pd.DataFrame:
    return cohort_summary.cohort_table(open_run_cohort(folder))


@st.cache_resource(max_entries=16, show_spinner=False)
def _assessment(folder: str, rule: ThresholdRule, stamp: int, *, zeros: bool) -> Assessment:
    labels = _cohort_table(folder)
    return assess(Run.open(place(folder)).predictions, u_zeros(labels) if zeros else labels, rule)


def first_pathology(scores: pd.DataFrame, image_id: str) -> str | None:
    """Return the pathology to begin with: one that the experts marked, else the most probable one explained."""
    here = scores[scores["image_id"] == image_id]
    marked, explained = here[here["expert_area_px"] > 0], here[here["mask_area_px"].notna()]
    told = marked if len(marked) else explained.sort_values("probability", ascending=False, kind="stable")
    return None if told.empty else str(told["pathology"].iloc[0])
