"""Loads what the other pages need while the reader looks at the first."""

from __future__ import annotations

import gc
from contextlib import suppress
from importlib import import_module
from threading import Timer
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import reading
from shamsul_core.cohort import CohortError
from shamsul_core.imaging.bounded import READER
from shamsul_core.run import RunError

if TYPE_CHECKING:
    from shamsul_core.run import Run

_MODULES = (
    *("plotly.graph_objects", "scipy.stats", "matplotlib.backends.backend_agg", "alembic.command"),
    *(
        "shamsul_core.figures.html.distributions",
        "shamsul_core.figures.print.cases",
        "shamsul_core.figures.html.summary",
        "shamsul_core.figures.print.assessment",
    ),
    *("shamsul_core.cases.selection", "dashboard.pictures", "dashboard.readers", "dashboard.review_form"),
)
_AFTER_S = 3.0
"""By then the first page is drawn, for which loading would otherwise take away the processor."""


@st.cache_resource(show_spinner=False)
def warm_up(_run: Run) -> None:
    """Begin loading, once for the server; of a run what every reader of it will look at."""
    timer = Timer(_AFTER_S, _load, [_run])
    timer.daemon = True
    timer.start()


def _load(run: Run) -> None:
    READER.warm()
    for name in _MODULES:
        import_module(name)
    with suppress(RunError, CohortError):  # the page that wants it says it
        reading.summary(run, "true positive", "all views")
    # What was loaded stays, and Python's collections need not go through it.
    gc.collect()
    gc.freeze()
