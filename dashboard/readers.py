"""Who is reading, and where what they think is stored."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import reading, sign_in
from shamsul_core.figures.comparison import comparison_scene
from shamsul_core.figures.overlay import encode_scene
from shamsul_core.reviews import Case, Reviews, ReviewsError, run_key
from shamsul_core.reviews.blinding import blinded
from shamsul_core.reviews.worklists import explained, present_or_predicted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from shamsul_core.figures.scene import Scene
    from shamsul_core.run import Run

_ADDRESS = "SHAMSUL_REVIEWS"


def address() -> str:
    """Return the database's address: of the secrets file, of the environment, else a file in the user's folder."""
    told = sign_in.settings().get("reviews", {}).get("address")
    folder = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "shamsul"
    return str(told or os.environ.get(_ADDRESS) or f"sqlite:///{folder / 'reviews.sqlite'}")


def open_reviews() -> Reviews:
    """Return the database, opened once for all readers; stop the page with a plain sentence where it is not there."""
    try:
        return _opened(address())
    except ReviewsError as error:
        st.error(str(error))
        st.button("Try again")
        st.stop()


@st.cache_resource(show_spinner=False)
def _opened(address: str) -> Reviews:
    return Reviews(address)


def reader_name() -> str | None:
    """Return who is reading: who signed in, else as they say themselves; ``None`` where they have not yet."""
    if sign_in.is_on():
        return sign_in.reader()
    name = st.sidebar.text_input(
        "Your name",
        key="reader",
        max_chars=60,
        placeholder="As your answers shall be stored",
        help="Answers are stored under this name. There is no password: whoever gives it is taken for you.",
    )
    return name.strip() or None


def cases_of(run: Run, reviews: Reviews, reader: str) -> tuple[list[Case], int]:
    """Return what a reader judges, and how many of it were assigned.

    These come first, then every other finding that is labelled or predicted and explained.
    """
    there, told = _cases(str(run.folder), reading.stamp(run.folder / "scores.parquet"))
    assigned = [case for case in reviews.assigned(run_key(run.manifest), reader) if case in there]
    return list(dict.fromkeys([*assigned, *told])), len(assigned)


@st.cache_resource(max_entries=4, show_spinner=False)
def _cases(folder: str, stamp: int) -> tuple[frozenset[Case], tuple[Case, ...]]:
    """Return what is explained, and what of it is labelled or predicted."""
    _, scores = reading.tables(reading.open_run(folder))
    return frozenset(explained(scores)), tuple(present_or_predicted(scores))


def judged(answers: pd.DataFrame, methods: Sequence[str]) -> set[Case]:
    """Return the cases of which every map was rated; `answers` are one reader's."""
    rated = (
        answers[answers["question"] == "significance"].groupby(["image_id", "pathology"])["method"].nunique()
    )
    return {Case(*case) for case in rated[rated >= len(methods)].index}


def scene(run: Run, case: Case, order: Sequence[str] | None) -> bytes:
    """Return what the viewer shows of a case; blinded, in this order of the methods, where one is given."""
    stamps = (reading.stamp(run.path_of(case.image_id)), reading.stamp(run.folder / "scores.parquet"))
    return _scene(str(run.folder), case, None if order is None else tuple(order), stamps)


@st.cache_resource(max_entries=32, show_spinner=False)
def _scene(folder: str, case: Case, order: tuple[str, ...] | None, stamps: tuple[int, ...]) -> bytes:
    shown = _comparison(folder, case, stamps)
    return encode_scene(shown if order is None else blinded(shown, order))


@st.cache_resource(max_entries=32, show_spinner=False)
def _comparison(folder: str, case: Case, stamps: tuple[int, ...]) -> Scene:
    """Return a case's scene, the same for all readers, each of whom has an order of their own."""
    run = reading.open_run(folder)
    _, scores = reading.tables(run)
    cohort = reading.open_run_cohort(folder)
    shown = comparison_scene(run, cohort, case.image_id, case.pathology, scores)
    return replace(shown.above_form(), pixels=shown.pixels[:0])
