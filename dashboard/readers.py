"""Who is reading, and where what they think is stored."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import reading, review, sign_in
from dashboard.address import stop
from dashboard.notes import show_error
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.overlay import encode_scene
from shamsul_core.reviews import Case, Reviews, ReviewsError, run_key
from shamsul_core.reviews.blinding import alone, blinded
from shamsul_core.reviews.worklists import explained, present_or_predicted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from shamsul_core.figures.scene.scene import Scene
    from shamsul_core.run import Run

_ADDRESS = "SHAMSUL_REVIEWS"
_NAME = "reader"
_LONGEST_NAME = 60


def address() -> str:
    """Return the database's address: of the secrets file, of the environment, else a file in the user's folder."""
    told = sign_in.settings().get("reviews", {}).get("address")
    folder = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "shamsul"
    return str(told or os.environ.get(_ADDRESS) or f"sqlite:///{folder / 'reviews.sqlite'}")


def open_reviews() -> Reviews:
    """Return the database, opened once for all readers; stop the page with a plain sentence where it is not there."""
    try:
        return opened_reviews()
    except ReviewsError as error:
        show_error(error)
        st.button("Try again")
        stop()


def opened_reviews() -> Reviews:
    """Return the database, opened once for all readers.

    Raises
    ------
    ReviewsError
        If it is not there.
    """
    return _opened(address())


@st.cache_resource(show_spinner=False)
def _opened(address: str) -> Reviews:
    return Reviews(address)


def reader_name() -> str | None:
    """Return who is reading: who signed in, else as they say themselves; ``None`` where they have not yet."""
    if sign_in.is_on():
        return sign_in.reader()
    st.session_state.setdefault(_NAME, review.name_in_browser()[:_LONGEST_NAME])
    name = st.sidebar.text_input(
        "Your name",
        key=_NAME,
        max_chars=_LONGEST_NAME,
        placeholder="Full name or initials",
        persist_state="session",
        help="Your answers are saved under this name, which this browser remembers for 90 days. There is no password, so "
        "on a shared computer check that it is yours.",
    ).strip()
    with st.sidebar:
        review.keep_name(name)
    return name or None


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


def radiograph_scene(run: Run, case: Case) -> bytes:
    """Return what the viewer shows of a case before its maps: nothing of them is in it."""
    return _radiograph_scene(str(run.folder), case, _stamps(run, case))


def scene(run: Run, case: Case, order: Sequence[str], *, is_blinded: bool) -> bytes:
    """Return what the viewer shows of a case with its maps; blinded, they stand in this order of the methods."""
    return _scene(str(run.folder), case, tuple(order) if is_blinded else None, _stamps(run, case))


def _stamps(run: Run, case: Case) -> tuple[int, ...]:
    return (reading.stamp(run.path_of(case.image_id)), reading.stamp(run.folder / "scores.parquet"))


@st.cache_resource(max_entries=32, show_spinner=False)
def _radiograph_scene(folder: str, case: Case, stamps: tuple[int, ...]) -> bytes:
    return encode_scene(alone(_comparison(folder, case, stamps)))


@st.cache_resource(max_entries=32, show_spinner=False)
def _scene(folder: str, case: Case, order: tuple[str, ...] | None, stamps: tuple[int, ...]) -> bytes:
    scene = _comparison(folder, case, stamps)
    return encode_scene(scene if order is None else blinded(scene, order))


@st.cache_resource(max_entries=32, show_spinner=False)
def _comparison(folder: str, case: Case, stamps: tuple[int, ...]) -> Scene:
    """Return a case's scene, the same for all readers, each of whom has an order of their own."""
    run = reading.open_run(folder)
    _, scores = reading.tables(run)
    cohort = reading.open_run_cohort(folder)
    scene = comparison_scene(run, cohort, case.image_id, case.pathology, scores)
    # the pathology is given, and what the readers say is not to follow the scores
    return replace(scene, grid=(), agreements=(), pixels=scene.pixels[:0])
