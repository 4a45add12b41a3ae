"""Files of chosen cases, drawn when a reader asks for them."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZipFile, ZipInfo

import streamlit as st

from shamsul_core.figures.print.cases import case_pages, count_pages, slide
from shamsul_core.figures.scene.illustrated_case import make_case
from shamsul_core.run.wording import file_name, origin_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.figure import Figure

    from shamsul_core.cases.selection import ChosenCase
    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.scene.illustrated_case import IllustratedCase
    from shamsul_core.run import Run

_ALL = "All shown"
_DRAWN_PX = 1200
"""Longer side of the radiographs in files."""
_SLIDE_DPI, _PAGE_DPI = 144, 200


@st.fragment
def offer_files(run: Run, cohort: Cohort, cases: Sequence[ChosenCase], criterion: str) -> None:
    """Let a reader download the cases, or one of them, as a figure or as slides.

    Parameters
    ----------
    criterion
        What they were chosen by, in a reader's words.
    """
    st.markdown("**Download**")
    by_name = {f"{case.pathology}, {case.reason}": [case] for case in cases}
    choice = st.selectbox("Cases", [_ALL, *by_name] if len(cases) > 1 else list(by_name))
    chosen = by_name.get(choice, list(cases))
    methods = list({case.method: None for case in chosen if case.method is not None} or run.manifest.methods)
    title = ", ".join([criterion, *_titles(run, chosen)])
    pages = count_pages(len(chosen), len(methods))
    st.caption(f"{_count(pages, 'page')} of A4, {_count(len(chosen), 'slide')} of 16:9")
    figures = partial(_figures, run, cohort, chosen, methods, title)
    slides = partial(_slides, run, cohort, chosen)
    for label, draw, what, count, dots_per_inch in (
        ("Figure (PNG)", figures, "figure", pages, _PAGE_DPI),
        ("Figure (PDF)", figures, "figure", None, _PAGE_DPI),
        ("Slides (PNG)", slides, "slide", len(chosen), _SLIDE_DPI),
        ("Slides (PDF)", slides, "slides", None, _SLIDE_DPI),
    ):
        name = partial(file_name, criterion, *_titles(run, chosen), _pathologies(chosen), what)
        pictures = None if count is None else "a PNG" if count == 1 else f"{count} PNGs in a ZIP"
        st.download_button(
            label,
            partial(_pdf, draw) if count is None else partial(_png, draw, count, name, dots_per_inch),
            file_name=name(kind="pdf" if count is None else "png" if count == 1 else "zip"),
            on_click="ignore",
            help=f"As {pictures or 'one PDF'}",
            icon=":material/download:",
            width="stretch",
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _titles(run: Run, chosen: Sequence[ChosenCase]) -> list[str]:
    """Return the titles of the methods that the cases were chosen for."""
    methods = dict.fromkeys(case.method for case in chosen if case.method is not None)
    return [str(run.manifest.methods[method]["title"]) for method in methods]


def _pathologies(chosen: Sequence[ChosenCase]) -> str:
    names = list(dict.fromkeys(case.pathology for case in chosen))
    return "-".join(names) if len(names) <= 2 else f"{len(names)} pathologies"


def _figures(
    run: Run, cohort: Cohort, chosen: Sequence[ChosenCase], methods: Sequence[str], title: str
) -> Iterator[Figure]:
    return case_pages(list(_made(run, cohort, chosen)), methods, title, origin_in_words(run.manifest))


def _slides(run: Run, cohort: Cohort, chosen: Sequence[ChosenCase]) -> Iterator[Figure]:
    return (slide(case, origin_in_words(run.manifest)) for case in _made(run, cohort, chosen))


def _made(run: Run, cohort: Cohort, chosen: Sequence[ChosenCase]) -> Iterator[IllustratedCase]:
    scores = run.scores
    return (make_case(run, cohort, scores, case, longest_px=_DRAWN_PX) for case in chosen)


def _pdf(draw: Callable[[], Iterator[Figure]]) -> bytes:
    from shamsul_core.figures.print.files import encode_pages

    return encode_pages(draw())


def _png(
    draw: Callable[[], Iterator[Figure]], count: int, name: Callable[..., str], dots_per_inch: int
) -> bytes:
    """Return the only picture, or several in a ZIP, the same bytes for the same pictures."""
    from shamsul_core.figures.print.files import encode_figure

    pictures = (encode_figure(figure, "png", dots_per_inch=dots_per_inch) for figure in draw())
    if count == 1:
        return next(pictures)
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for number, picture in enumerate(pictures, start=1):
            archive.writestr(ZipInfo(name(str(number), kind="png")), picture)
    return file.getvalue()
