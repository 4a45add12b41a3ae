"""What must stand on every page that shows results."""

from __future__ import annotations

from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import address
from shamsul_core.cohort import CohortError
from shamsul_core.figures.colours import WARNING, WARNING_SURFACE
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.scene.notes import banner
from shamsul_core.run import RunError
from shamsul_core.run.novelty_words import (
    HOW_IT_IS_KNOWN,
    are_more_than_chance,
    novelties_in_words,
    novelty_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from shamsul_core.run.reader import RunReader

_STYLE = f"padding:0.15rem 0.625rem;font-size:0.875rem;color:{WARNING};border-left:3px solid {WARNING};background:{WARNING_SURFACE}"


def show_banner(run: RunReader) -> None:
    """Say what holds of everything shown: an untrained network, simulated radiographs."""
    text = banner(run)
    if text is not None:
        show_note(text)


def show_note(text: str) -> None:
    """Show a line that nobody may miss."""
    st.html(f'<div role="note" style="{_STYLE}">{escape(text)}</div>')


def show_novelty(novelty: float | None) -> None:
    """Say that a radiograph is unlike those that the model was trained on, where it is."""
    if (words := novelty_in_words(novelty)) is not None:
        st.warning(words, icon=":material/warning:")


def show_novelties(novelty: pd.Series) -> None:
    """Say how many radiographs are unlike those that the model was trained on, where that is known."""
    words = novelties_in_words(novelty)
    if words is None:
        return
    if are_more_than_chance(novelty):
        st.warning(words, icon=":material/warning:")
    else:
        st.caption(words, help=HOW_IT_IS_KNOWN)


def show_error(error: object) -> None:
    """Say what is wrong; the sentence may quote foreign text."""
    st.error(as_markdown(error))


@contextmanager
def stopping_plainly() -> Iterator[None]:
    """End the page with a plain sentence where the run or its cohort cannot be read."""
    try:
        yield
    except (CohortError, RunError) as error:
        show_error(error)
        address.stop()
