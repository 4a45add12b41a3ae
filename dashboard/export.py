"""Files of chosen cases to take along, drawn when a reader asks for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from shamsul_core.figures.cases import case_figure, make_case, slide
from shamsul_core.wording import origin_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.cases import Case
    from shamsul_core.figures.printed import FileKind
    from shamsul_core.run import Run
    from shamsul_core.selection import ChosenCase

_ALL = "All shown"
_DRAWN_PX = 1200
"""Longer side of the radiographs in files."""


@st.fragment
def offer_files(run: Run, cohort: Cohort, cases: Sequence[ChosenCase]) -> None:
    """Let a reader take the cases, or one of them, along as a figure or as slides."""
    st.markdown("**Take along**")
    one_by_one = {f"{one.pathology}, {one.reason}": [one] for one in cases}
    choice = st.selectbox("Cases", [_ALL, *one_by_one] if len(cases) > 1 else list(one_by_one))
    taken = one_by_one.get(choice, list(cases))
    subject = "-".join(dict.fromkeys(one.pathology for one in taken)).replace(" ", "_")
    for label, draw, name, is_slide in (
        ("Figure, PNG", partial(_figure, kind="png"), "figure.png", False),
        ("Figure, PDF", partial(_figure, kind="pdf"), "figure.pdf", False),
        ("Slides, PDF", _slides, "slides.pdf", False),
        ("Slide, PNG", _slide, "slide.png", True),
    ):
        st.download_button(
            label,
            partial(draw, run, cohort, taken),
            file_name=f"{subject}-{name}",
            on_click="ignore",
            disabled=is_slide and len(taken) > 1,
            help="Of one case: choose it above." if is_slide else None,
            icon=":material/download:",
            width="stretch",
        )


def _figure(run: Run, cohort: Cohort, taken: Sequence[ChosenCase], *, kind: FileKind) -> bytes:
    from shamsul_core.figures.printed import encode_figure

    methods = {one.method for one in taken if one.method is not None} or run.manifest.methods
    return encode_figure(
        case_figure(list(_made(run, cohort, taken)), methods, origin_in_words(run.manifest)), kind
    )


def _slides(run: Run, cohort: Cohort, taken: Sequence[ChosenCase]) -> bytes:
    from shamsul_core.figures.printed import encode_pages

    return encode_pages(slide(case, origin_in_words(run.manifest)) for case in _made(run, cohort, taken))


def _slide(run: Run, cohort: Cohort, taken: Sequence[ChosenCase]) -> bytes:
    from shamsul_core.figures.printed import encode_figure

    (case,) = _made(run, cohort, taken)
    return encode_figure(slide(case, origin_in_words(run.manifest)), "png", dots_per_inch=144)


def _made(run: Run, cohort: Cohort, taken: Sequence[ChosenCase]) -> Iterator[Case]:
    scores = run.scores
    return (make_case(run, cohort, scores, one, longest_px=_DRAWN_PX) for one in taken)
