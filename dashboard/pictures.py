"""Cached figures as PNG; apart from the other reads, because matplotlib takes a while to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import reading
from shamsul_core.cohort.summary import composition, label_counts
from shamsul_core.figures.print.assessment import ASSESSMENT_FIGURES
from shamsul_core.figures.print.cohort import composition_figure, label_figure
from shamsul_core.figures.print.files import encode_figure

if TYPE_CHECKING:
    from shamsul_core.figures.print.assessment import FigureName
    from shamsul_core.run import Run
    from shamsul_core.statistics.prediction.decisions import ThresholdRule


def assessment_picture(run: Run, name: FigureName, rule: ThresholdRule, *, zeros: bool) -> bytes:
    """Return one of the figures of `reading.assessment`."""
    stamp = reading.stamp(run.folder / "predictions.parquet")
    return _assessment_picture(str(run.folder), name, rule, stamp, zeros=zeros)


def label_picture(run: Run) -> bytes:
    """Return the paper's Table 1 of the run's cohort."""
    return _cohort_pictures(str(run.folder))[0]


def composition_picture(run: Run) -> bytes:
    """Return the views, sexes and ages of the run's cohort."""
    return _cohort_pictures(str(run.folder))[1]


@st.cache_data(max_entries=64, show_spinner=False)
def _assessment_picture(
    folder: str, name: FigureName, rule: ThresholdRule, stamp: int, *, zeros: bool
) -> bytes:
    assessment = reading.assessment(reading.open_run(folder), rule, zeros=zeros)
    return encode_figure(ASSESSMENT_FIGURES[name](assessment, "screen"), "png")


@st.cache_data(max_entries=4, show_spinner=False)
def _cohort_pictures(folder: str) -> tuple[bytes, bytes]:
    radiographs = reading.cohort_table(reading.open_run(folder))
    return (
        encode_figure(label_figure(label_counts(radiographs), "screen"), "png"),
        encode_figure(composition_figure(composition(radiographs), "screen"), "png"),
    )
