"""Cached reads of a run; shared by all readers, hence never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.comparison import comparison_scene
from shamsul_core.run import Run
from shamsul_core.storage import place

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.overlay import Scene


def open_run(folder: str) -> Run:
    """Open a run; quick, and again on each page so that a run being written shows as it is."""
    return Run.open(place(folder))


@st.cache_resource(max_entries=4, show_spinner=False)
def open_run_cohort(folder: str) -> Cohort:
    """Open the cohort that a run explains."""
    run = Run.open(place(folder))
    return open_cohort(run.cohort_folder, split=run.manifest.cohort["split"])


def tables(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the run's predictions and scores as they are on disk now."""
    stamps = tuple(_stamp(run.folder / f"{name}.parquet") for name in ("predictions", "scores"))
    return _tables(str(run.folder), stamps)


def scene(run: Run, image_id: str, pathology: str) -> Scene:
    """Return what the viewer shows of one radiograph and pathology."""
    stamps = (_stamp(run.path_of(image_id)), _stamp(run.folder / "scores.parquet"))
    return _scene(str(run.folder), image_id, pathology, stamps)


def _stamp(path: Path) -> int:
    """Return a key that changes when the file does."""
    return path.stat().st_mtime_ns if path.exists() else 0


@st.cache_data(max_entries=8, show_spinner=False)
def _tables(folder: str, stamps: tuple[int, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    run = Run.open(place(folder))
    return run.predictions, run.scores


@st.cache_resource(max_entries=64, show_spinner=False)
def _scene(folder: str, image_id: str, pathology: str, stamps: tuple[int, ...]) -> Scene:
    run = Run.open(place(folder))
    return comparison_scene(run, open_run_cohort(folder), image_id, pathology, run.scores)


def marked_pathologies(scores: pd.DataFrame, image_id: str) -> list[str]:
    """Return the pathologies that the experts marked on a radiograph."""
    marked = scores[(scores["image_id"] == image_id) & (scores["expert_area_px"] > 0)]
    return list(dict.fromkeys(marked["pathology"]))
