"""When a step of a case is on this session's screen, for the time that reading takes; see `shamsul_core.reviews.times`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

if TYPE_CHECKING:
    from shamsul_core.reviews import Case, Reviews, Step

_SHOWING, _HIDDEN = "step on the screen", "page is hidden"


class _Shown(NamedTuple):
    run: str
    reader: str
    case: Case
    step: Step


def arrive() -> None:
    """Begin anew where the reader comes from another page: when they went there is not known."""
    st.session_state.pop(_SHOWING, None)
    st.session_state[_HIDDEN] = False


def open_step(reviews: Reviews, run: str, reader: str, case: Case, step: Step) -> None:
    """Note that a step is on the screen, unless it was before; what was there instead has been left."""
    step_shown = _Shown(run, reader, case, step)
    if st.session_state.get(_HIDDEN) or st.session_state.get(_SHOWING, (None,))[0] == step_shown:
        return
    close_step(reviews, "left")
    showing = uuid.uuid4().hex
    reviews.note(*step_shown, showing, "opened")
    st.session_state[_SHOWING] = (step_shown, showing)


def close_step(reviews: Reviews, event: str) -> None:
    """Note what ended the step on the screen, if there is one."""
    if _SHOWING in st.session_state:
        step_shown, showing = st.session_state.pop(_SHOWING)
        reviews.note(*step_shown, showing, event)


def change_sight(reviews: Reviews, *, is_hidden: bool) -> None:
    """Note that the browser no longer shows the page, or let the next run note that it does again."""
    st.session_state[_HIDDEN] = is_hidden
    if is_hidden:
        close_step(reviews, "hidden")


def is_due() -> bool:
    """Return whether the page is in sight again and no step is noted to be."""
    return not st.session_state.get(_HIDDEN) and _SHOWING not in st.session_state
