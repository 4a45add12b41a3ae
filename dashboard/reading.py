"""Cached reads of a run; shared by all readers, hence never changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import case_list
from shamsul_core.cases.case_list import case_table, count_explained, list_cases
from shamsul_core.classifier.leak import leak_in_words
from shamsul_core.cohort import summary as cohort_summary
from shamsul_core.cohort.truth_words import words_of_pathology
from shamsul_core.cohort.views import ids_of_view
from shamsul_core.figures.html.case_card import CARD_PX, case_card
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.illustrated_case import make_case
from shamsul_core.figures.scene.overlay import encode_scene, picture_of
from shamsul_core.files.storage import place
from shamsul_core.imaging import to_8_bits
from shamsul_core.localisation.baselines import LOCATION
from shamsul_core.messages import brief
from shamsul_core.run import Run, RunError
from shamsul_core.run.cohort import cohort_of
from shamsul_core.run.model import card_of_run
from shamsul_core.run.proof import ProofOfRun
from shamsul_core.statistics.human_benchmark import READERS, human_benchmark_scores
from shamsul_core.statistics.lesions import lesion_table
from shamsul_core.statistics.paper import why_not_comparable
from shamsul_core.statistics.prediction.assessment import assess
from shamsul_core.statistics.prediction.decisions import Thresholds, decision_thresholds
from shamsul_core.statistics.prediction.discrimination import observations_of, u_zeros
from shamsul_core.statistics.proof import (
    cascade_of,
    curves,
    densities,
    failing,
    means_by_setting,
    summarise_proof,
)
from shamsul_core.statistics.summary import in_slice, summarise
from shamsul_core.statistics.yardsticks import hold_against

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from pathlib import Path
    from typing import Any

    import pandas as pd

    from shamsul_core.cases.case_list import Criteria
    from shamsul_core.cases.selection import ChosenCase
    from shamsul_core.cohort import Cohort
    from shamsul_core.cohort.views import ViewFilter
    from shamsul_core.figures.scene.scene import Picture
    from shamsul_core.run.proof import SmallMaps
    from shamsul_core.statistics.prediction.assessment import Assessment
    from shamsul_core.statistics.prediction.decisions import ThresholdRule
    from shamsul_core.statistics.proof import MethodProof
    from shamsul_core.statistics.summary import Slice


_LONGEST_REASON = 300
"""Characters of a reason that a list of them shows."""

_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="look-ahead")
_ahead: Future[bytes] | None = None


def open_run(folder: str) -> Run:
    """Open a run; quick, and again on each page so that a run being written shows as it is."""
    return Run.open(place(folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def open_run_cohort(folder: str) -> Cohort:
    """Open the cohort that a run explains."""
    run = Run.open(place(folder))
    return cohort_of(run)


def tables(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the run's predictions and scores as they are on disk now; not to be changed."""
    return _tables(str(run.folder), _table_stamps(run))


def probabilities(run: Run, image_id: str) -> dict[str, float]:
    """Return what the model gives the observations in a radiograph, 0 to 1; empty where there is nothing."""
    predictions, _ = tables(run)
    row = predictions[predictions["image_id"] == image_id]
    return {} if row.empty else {name: float(row[name].iloc[0]) for name in observations_of(row)}


def thresholds(run: Run, rule: ThresholdRule) -> Thresholds:
    """Return from which probability on each observation counts as predicted, on every page the same."""
    return _thresholds(str(run.folder), rule, stamp(run.folder / "predictions.parquet"))


@dataclass(frozen=True, eq=False)
class Cases:
    """The radiographs of a run explained so far, of those that its cohort still holds.

    Parameters
    ----------
    key
        Changes with the ids; in a cache it stands for them, since Streamlit would look at tens of thousands one by one.
    image_ids
        In the table's order.
    table
        A row a radiograph and pathology, see `shamsul_core.cases.case_list`; not to be changed.
    """

    key: int
    image_ids: tuple[str, ...]
    table: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Listed:
    """The case list by the reader's criteria, in the reader's order; not to be changed.

    Parameters
    ----------
    table
        What `shamsul_core.cases.case_list.list_cases` returned.
    rows
        What the browser's list shows of it, see `dashboard.case_list`.
    explained
        How many of its radiographs are explained.
    """

    table: pd.DataFrame
    rows: list[case_list.ListRow]
    explained: int


def cases_of(run: Run, rule: ThresholdRule) -> Cases:
    """Return what is explained so far."""
    explained = tuple(run.explained_ids())
    return _cases_of(str(run.folder), hash(explained), rule, _table_stamps(run), explained)


def listed(
    run: Run, cases: Cases, rule: ThresholdRule, criteria: Criteria, order: Mapping[str, Any]
) -> Listed:
    """Return the case list by these criteria in this order."""
    named = tuple(order.items())
    return _listed(str(run.folder), cases.key, rule, _table_stamps(run), criteria, named, cases)


def scene(run: Run, image_id: str, pathology: str, rule: ThresholdRule) -> bytes:
    """Return what the viewer shows of one radiograph and pathology, encoded."""
    stamps = (stamp(run.path_of(image_id)), *_table_stamps(run))
    return _scene(str(run.folder), image_id, pathology, rule, stamps)


def summary(run: Run, which: Slice, view: ViewFilter) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of a slice and a view, and their summary."""
    return _summary(str(run.folder), which, view, _table_stamps(run))


def yardsticks(run: Run, view: ViewFilter = "all views") -> pd.DataFrame:
    """Return what the scores of a view are held against; not to be changed."""
    return _yardsticks(str(run.folder), view, _table_stamps(run))


def location(run: Run, view: ViewFilter) -> pd.DataFrame:
    """Return the summary of a view's baseline *location*, one row a pathology; NaN where it was not measured."""
    return _location(str(run.folder), view, _table_stamps(run))


def held_against(run: Run, view: ViewFilter, pathologies: tuple[str, ...]) -> pd.DataFrame:
    """Return how methods and baselines fare on a view's pathologies, see `shamsul_core.statistics.yardsticks`."""
    return _held_against(str(run.folder), view, pathologies, _table_stamps(run))


def proof(run: Run) -> pd.DataFrame:
    """Return what the tests of the methods measured, no rows before there is any; not to be changed."""
    return _proof(str(run.folder), stamp(run.folder / "proof.parquet"))


def proof_summary(run: Run) -> list[MethodProof]:
    """Return what the tests say of each method, see `shamsul_core.statistics.proof.summarise_proof`."""
    return _proof_summary(str(run.folder), stamp(run.folder / "proof.parquet"))


def proof_curves(run: Run, test: str, figure: str, setting: str | None) -> pd.DataFrame:
    """Return mean curves, see `shamsul_core.statistics.proof.curves`."""
    return _proof_curves(str(run.folder), test, figure, setting, stamp(run.folder / "proof.parquet"))


def proof_settings(run: Run, test: str) -> pd.DataFrame:
    """Return the mean rank correlation under each of a test's settings, by method."""
    return _proof_settings(str(run.folder), test, stamp(run.folder / "proof.parquet"))


def proof_densities(run: Run) -> pd.DataFrame:
    """Return the densities on the findings with the falls of the logit, of the cases that the cohort still holds."""
    rows = densities(proof(run))
    return _rows_of(list(open_run_cohort(str(run.folder)).radiographs), rows)


def proof_cases(run: Run) -> list[str]:
    """Return the radiographs whose maps are kept as the layers are randomised."""
    return ProofOfRun(run).with_maps()


def proof_maps(run: Run, image_id: str) -> SmallMaps:
    """Return a radiograph's maps as the layers are randomised."""
    return ProofOfRun(run).maps(image_id)


def proof_pathologies(run: Run, image_id: str) -> list[str]:
    """Return the pathologies of which a radiograph's maps are kept, in the run's order; none where they cannot be read."""
    try:
        known = {pathology for _, _, pathology in proof_maps(run, image_id)}
    except RunError:
        return []
    return [name for name in run.manifest.pathologies if name in known]


def cascade_of_case(run: Run, image_id: str, pathology: str) -> dict[tuple[str, str], float]:
    """Return what a case's map keeps at each stage of the cascade, by method and stage."""
    return cascade_of(proof(run), image_id, pathology)


def proof_if_readable(run: Run) -> list[MethodProof]:
    """Return the proof's summary for other pages, which are not withheld for it: *Proof* says what is wrong."""
    try:
        return proof_summary(run)
    except RunError:
        return []


def lesions(run: Run) -> pd.DataFrame:
    """Return number, size and shape of what the experts marked, see `shamsul_core.statistics.lesions`."""
    return _lesions(str(run.folder), stamp(run.folder / "scores.parquet"))


def human_benchmark(run: Run, view: ViewFilter) -> pd.DataFrame:
    """Return the summary of a view's readers, see `shamsul_core.statistics.human_benchmark`; NaN without several."""
    return _benchmark_summary(str(run.folder), view, stamp(run.folder / "scores.parquet"))


def card(run: Run, chosen: ChosenCase, address: str) -> str:
    """Return a chosen case as a card that leads to an address."""
    stamps = (stamp(run.path_of(chosen.image_id)), *_table_stamps(run))
    return _card(str(run.folder), chosen, address, stamps)


def cohort_table(run: Run) -> pd.DataFrame:
    """Return the labels and facts of the cohort's radiographs."""
    return _cohort_table(str(run.folder))


def cohort_problems(run: Run) -> list[str]:
    """Return what is wrong with the cohort's files and what they lack, of many that are alike three."""
    return _cohort_problems(str(run.folder))


def leak(run: Run) -> str | None:
    """Return in a sentence that the run's model was trained on its cohort; ``None`` where its card says nothing of it."""
    return _leak(str(run.folder))


def novelty(run: Run) -> pd.Series:
    """Return how new the cohort's radiographs are to the model, see `Run.novelty`; not to be changed."""
    return _novelty(str(run.folder), stamp(run.folder / "predictions.parquet"))


def assessment(run: Run, rule: ThresholdRule, *, zeros: bool) -> Assessment:
    """Return how well the run's predictions agree with the labels; `zeros` takes indefinite ones as negative."""
    return _assessment(str(run.folder), rule, stamp(run.folder / "predictions.parquet"), zeros=zeros)


def unread(run: Run, cases: Cases) -> list[str]:
    """Return a line for each radiograph of which there is no result, with the reason."""
    return _unread(str(run.folder), cases.key, stamp(run.folder / "failures.parquet"), cases)


def look_ahead(run: Run, image_id: str, pathology: str, rule: ThresholdRule) -> None:
    """Make the scene that the reader is likely to want next, in the background, unless one is being made already."""
    global _ahead  # one for all readers, so that it never takes more than one core
    if _ahead is None or _ahead.done():
        _ahead = _worker.submit(scene, run, image_id, pathology, rule)


def _table_stamps(run: Run) -> tuple[int, ...]:
    return tuple(
        stamp(run.folder / f"{name}.parquet") for name in ("predictions", "scores", "yardsticks", "proof")
    )


def _yardsticks_if_readable(run: Run) -> pd.DataFrame | None:
    """Return the yardsticks for a case, which is not withheld for them: *Distributions* says what is wrong."""
    try:
        return yardsticks(run)
    except RunError:
        return None


def stamp(path: Path) -> int:
    """Return a key that changes when the file does."""
    return path.stat().st_mtime_ns if path.exists() else 0


# `cache_resource` hands out the object itself, where `cache_data` would copy megabytes at each look. Its size is bounded
# by entries: at most 2 MB a scene and 1 MB a picture.


@st.cache_resource(max_entries=4, show_spinner=False)
def _tables(folder: str, stamps: tuple[int, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    run = Run.open(place(folder))
    predictions, scores = run.predictions, run.scores
    # A table may name radiographs that have left the cohort since
    image_ids = list(open_run_cohort(folder).radiographs)
    return _rows_of(image_ids, predictions), _rows_of(image_ids, scores)


def _rows_of(image_ids: list[str], table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of these radiographs: the table itself where it has no others, since a large run's takes 250 MB."""
    is_of = table["image_id"].isin(image_ids)
    return table if is_of.all() else table[is_of]


@st.cache_resource(max_entries=8, show_spinner=False)
def _summary(
    folder: str, which: Slice, view: ViewFilter, stamps: tuple[int, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    run = Run.open(place(folder))
    _, scores = _tables(folder, stamps)
    scores = in_slice(_rows_of(list(ids_of_view(open_run_cohort(folder).radiographs, view)), scores), which)
    return scores, summarise(
        scores,
        run.manifest.pathologies,
        list(run.manifest.methods),
        is_paper_cohort=why_not_comparable(open_run_cohort(folder)) is None,
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def _yardsticks(folder: str, view: ViewFilter, stamps: tuple[int, ...]) -> pd.DataFrame:
    table = Run.open(place(folder)).yardsticks
    return _rows_of(list(ids_of_view(open_run_cohort(folder).radiographs, view)), table)


@st.cache_resource(max_entries=8, show_spinner=False)
def _location(folder: str, view: ViewFilter, stamps: tuple[int, ...]) -> pd.DataFrame:
    return summarise(
        _yardsticks(folder, view, stamps), Run.open(place(folder)).manifest.pathologies, [LOCATION]
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def _held_against(
    folder: str, view: ViewFilter, pathologies: tuple[str, ...], stamps: tuple[int, ...]
) -> pd.DataFrame:
    table = _yardsticks(folder, view, stamps)
    here = table[table["pathology"].isin(pathologies)]
    return hold_against(here, list(Run.open(place(folder)).manifest.methods))


@st.cache_resource(max_entries=4, show_spinner=False)
def _proof(folder: str, stamp: int) -> pd.DataFrame:
    return Run.open(place(folder)).proof


@st.cache_resource(max_entries=4, show_spinner="Summing up the proof")
def _proof_summary(folder: str, stamp: int) -> list[MethodProof]:
    return summarise_proof(_proof(folder, stamp), list(Run.open(place(folder)).manifest.methods))


@st.cache_resource(max_entries=32, show_spinner=False)
def _proof_curves(folder: str, test: str, figure: str, setting: str | None, stamp: int) -> pd.DataFrame:
    return curves(_proof(folder, stamp), test, figure, setting)


@st.cache_resource(max_entries=8, show_spinner=False)
def _proof_settings(folder: str, test: str, stamp: int) -> pd.DataFrame:
    return means_by_setting(_proof(folder, stamp), test)


@st.cache_resource(max_entries=4, show_spinner="Measuring the lesions")
def _lesions(folder: str, stamp: int) -> pd.DataFrame:
    run = Run.open(place(folder))
    return lesion_table(open_run_cohort(folder), run.explained_ids(), run.manifest.pathologies)


@st.cache_resource(max_entries=4, show_spinner=False)
def _human_benchmark(folder: str, stamp: int) -> pd.DataFrame:
    run = Run.open(place(folder))
    return human_benchmark_scores(open_run_cohort(folder), run.explained_ids(), run.manifest.pathologies)


@st.cache_resource(max_entries=8, show_spinner=False)
def _benchmark_summary(folder: str, view: ViewFilter, stamp: int) -> pd.DataFrame:
    readers = _human_benchmark(folder, stamp)
    readers = _rows_of(list(ids_of_view(open_run_cohort(folder).radiographs, view)), readers)
    whose = list(readers["method"].unique()) or [READERS]
    return summarise(readers, Run.open(place(folder)).manifest.pathologies, whose)


@st.cache_resource(max_entries=200, show_spinner=False)
def _card(folder: str, chosen: ChosenCase, address: str, stamps: tuple[int, ...]) -> str:
    run = Run.open(place(folder))
    _, scores = tables(run)
    case = make_case(
        run,
        open_run_cohort(folder),
        scores,
        chosen,
        longest_px=2 * CARD_PX,
        yardsticks=_yardsticks_if_readable(run),
    )
    return case_card(case, address)


@st.cache_resource(max_entries=4, show_spinner=False)
def _unread(folder: str, key: int, stamp: int, _cases: Cases) -> list[str]:
    failures = Run.open(place(folder)).failures
    without = failures[~failures["image_id"].isin(_cases.image_ids)].drop_duplicates("image_id")
    return [
        f"{image_id}: {error[:_LONGEST_REASON]}"
        for image_id, error in zip(without["image_id"], without["error"], strict=True)
    ]


@st.cache_resource(max_entries=8, show_spinner=False)
def _thresholds(folder: str, rule: ThresholdRule, stamp: int) -> Thresholds:
    if rule == "fixed":  # needs no labels, which a large cohort takes a while to read
        return Thresholds()
    return decision_thresholds(Run.open(place(folder)).predictions, _cohort_table(folder), rule)


@st.cache_resource(max_entries=8, show_spinner=False)
def _cases_of(
    folder: str, key: int, rule: ThresholdRule, stamps: tuple[int, ...], _explained: tuple[str, ...]
) -> Cases:
    run = Run.open(place(folder))
    radiographs = open_run_cohort(folder).radiographs
    image_ids = tuple(image_id for image_id in _explained if image_id in radiographs)
    tables = _tables(folder, stamps)
    table = case_table(
        image_ids, run.manifest.pathologies, radiographs, *tables, thresholds(run, rule), run.novelty
    )
    return Cases(key, image_ids, table)


@st.cache_resource(max_entries=16, show_spinner=False)
def _listed(
    folder: str,
    key: int,
    rule: ThresholdRule,
    stamps: tuple[int, ...],
    criteria: Criteria,
    order: tuple[tuple[str, Any], ...],
    _cases: Cases,
) -> Listed:
    manifest, cohort = Run.open(place(folder)).manifest, open_run_cohort(folder)
    chosen = list_cases(_cases.table, criteria, **dict(order))
    is_chosen = _cases.table["image_id"].isin(chosen["image_id"])
    explained, _ = count_explained(_cases.table[is_chosen], criteria.pathology)
    truths = {name: words_of_pathology(cohort, name) for name in manifest.pathologies}
    return Listed(chosen, case_list.rows_of(chosen, manifest.titles, truths), explained)


@st.cache_resource(max_entries=32, show_spinner=False)
def _picture(folder: str, image_id: str) -> Picture:
    return picture_of(to_8_bits(open_run_cohort(folder).radiographs[image_id].pixels()))


@st.cache_resource(max_entries=32, show_spinner=False)
def _scene(folder: str, image_id: str, pathology: str, rule: ThresholdRule, stamps: tuple[int, ...]) -> bytes:
    run = Run.open(place(folder))
    _, scores = _tables(folder, stamps[1:])
    picture, cohort = _picture(folder, image_id), open_run_cohort(folder)
    made = comparison_scene(
        run,
        cohort,
        image_id,
        pathology,
        scores,
        picture,
        thresholds=thresholds(run, rule),
        yardsticks=_yardsticks_if_readable(run),
        failed=failing(proof_if_readable(run)),
    )
    return encode_scene(made)


@st.cache_resource(max_entries=4, show_spinner=False)
def _cohort_table(folder: str) -> pd.DataFrame:
    return cohort_summary.cohort_table(open_run_cohort(folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def _cohort_problems(folder: str) -> list[str]:
    cohort = open_run_cohort(folder)
    return brief([*cohort.problems, *cohort.remarks])


@st.cache_resource(max_entries=16, show_spinner=False)
def _leak(folder: str) -> str | None:
    return leak_in_words(card_of_run(Run.open(place(folder))), open_run_cohort(folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def _novelty(folder: str, stamp: int) -> pd.Series:
    novelty = Run.open(place(folder)).novelty
    # A table may name radiographs that have left the cohort since
    return novelty[novelty.index.isin(list(open_run_cohort(folder).radiographs))]


@st.cache_resource(max_entries=16, show_spinner=False)
def _assessment(folder: str, rule: ThresholdRule, stamp: int, *, zeros: bool) -> Assessment:
    labels = _cohort_table(folder)
    # The thresholds are those of every page, where uncertain and blank labels count for nothing
    return assess(
        Run.open(place(folder)).predictions,
        u_zeros(labels) if zeros else labels,
        _thresholds(folder, rule, stamp),
    )
