"""Chosen cases as a figure like the paper's, as pages, as slides.

Matplotlib takes a third of a second to import: import this module only when a figure is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill, wrap
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from shamsul_core.figures.colours import BLACK, MUTED, TEXT, WHITE
from shamsul_core.figures.print.files import DOTS_PER_INCH
from shamsul_core.figures.print.panel import draw_colour_bar, draw_panel
from shamsul_core.figures.scene.illustrated_case import panel_caption
from shamsul_core.figures.scene.scene import EXPERT, hatching_in_words
from shamsul_core.run.wording import RESEARCH_ONLY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from shamsul_core.figures.scene.illustrated_case import IllustratedCase
    from shamsul_core.figures.scene.scene import Panel, Scene

_BLACK_PAGE = (BLACK, TEXT, MUTED)
_WHITE_PAGE = (WHITE, BLACK, "#444444")
_A4_IN = (8.27, 11.69)
_SLIDE_IN = (40 / 3, 7.5)
_FOOTER_IN, _TITLES_IN = 0.95, 0.35
_MARGIN = 0.03  # of a page's width


def case_figure(cases: Sequence[IllustratedCase], methods: Collection[str], footer: str) -> Figure:
    """Return a figure for print, a row for each case: the radiograph with its contour, then each method's heatmap and mask.

    As in the paper's Figures 5 to 8, 10 to 13, 15 to 18 and 20 to 23, with IoU and probability in the row's words.

    Parameters
    ----------
    methods
        Those to show.
    footer
        Where the cases come from.
    """
    columns = len(_shown(cases[0].scene, methods))
    tall = 2.0 * max(case.scene.pixels.shape[0] / case.scene.pixels.shape[1] for case in cases)
    rows = _Rows(width=1.6 + 2.1 * columns, text=1.6, row=tall + _TITLES_IN, top=0.0)
    return _draw_rows(cases, methods, footer, rows, height=_FOOTER_IN + rows.row * len(cases))


def count_pages(cases: int, methods: int) -> int:
    """Return on how many pages `case_pages` puts so many cases with so many methods each."""
    return -(-cases // (_ROWS_UPRIGHT if _is_upright(methods) else _ROWS_ACROSS))


def case_pages(
    cases: Sequence[IllustratedCase], methods: Collection[str], title: str, footer: str
) -> Iterator[Figure]:
    """Yield pages of A4 with rows as in `case_figure`: upright for few pictures a row, across for more.

    Parameters
    ----------
    methods, footer
        As in `case_figure`.
    title
        What the cases have in common, at the head of each page.
    """
    narrow, long = _A4_IN
    width, height = (narrow, long) if _is_upright(len(methods)) else (long, narrow)
    many = _ROWS_UPRIGHT if _is_upright(len(methods)) else _ROWS_ACROSS
    rows = _Rows(width=width, text=1.9, row=(height - 0.6 - _FOOTER_IN) / many, top=0.6)
    pages = count_pages(len(cases), len(methods))
    for page in range(pages):
        figure = _draw_rows(cases[page * many :][:many], methods, footer, rows, height=height)
        figure.text(_MARGIN, 1 - 0.4 / height, title, color=_WHITE_PAGE[1], fontsize=13, weight="bold")
        number = f"{page + 1} of {pages}"
        figure.text(1 - _MARGIN, 1 - 0.4 / height, number, color=_WHITE_PAGE[2], fontsize=8, ha="right")
        yield figure


def slide(case: IllustratedCase, footer: str) -> Figure:
    """Return a case as a slide, 16:9: the radiograph large, each method's picture beside it, few words."""
    paper, ink, faint = _BLACK_PAGE
    figure = Figure(figsize=_SLIDE_IN, dpi=DOTS_PER_INCH, facecolor=paper)
    figure.text(_MARGIN, 0.93, case.scene.pathology, color=ink, fontsize=28, va="center", weight="bold")
    figure.text(1 - _MARGIN, 0.93, case.scene.image_id, color=faint, fontsize=13, va="center", ha="right")
    words = f"{case.why}. {case.prediction}."
    figure.text(_MARGIN, 0.865, words, color=ink, fontsize=15, va="center")
    radiograph, *methods = case.scene.panels
    _draw(figure, (_MARGIN, 0.15, 0.39, 0.65), case, radiograph, ink, size_px=1100, font_size=15)
    rows = 2 if len(methods) > 2 else 1
    columns = -(-len(methods) // rows)
    for place, panel in enumerate(methods):
        row, column = divmod(place, columns)
        wide, high = 0.53 / columns, 0.7 / rows
        box = (0.445 + column * wide, 0.13 + (rows - 1 - row) * high, wide - 0.01, high - 0.055)
        _draw(figure, box, case, panel, ink, size_px=800, font_size=13)
    _write_footer(figure, _footnotes([case], case.scene.panels, footer), faint, font_size=9.5, ink=ink)
    return figure


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Where rows lie on a page, in inches: its width, the words' column, a row's height, the space above the first."""

    width: float
    text: float
    row: float
    top: float


_ROWS_ACROSS, _ROWS_UPRIGHT = 3, 4


def _is_upright(methods: int) -> bool:
    return methods <= 2


def _draw_rows(
    cases: Sequence[IllustratedCase], methods: Collection[str], footer: str, rows: _Rows, *, height: float
) -> Figure:
    paper, ink, faint = _WHITE_PAGE
    figure = Figure(figsize=(rows.width, height), dpi=DOTS_PER_INCH, facecolor=paper)
    panel_rows = [_shown(case.scene, methods) for case in cases]
    column = (rows.width - rows.text) / len(panel_rows[0])
    for number, (case, panels) in enumerate(zip(cases, panel_rows, strict=True)):
        bottom, tall = height - rows.top - rows.row * (number + 1), rows.row - _TITLES_IN
        _write_words(figure, case, rows, bottom + tall, ink)
        for place, panel in enumerate(panels):
            left = rows.text + column * place
            box = (left / rows.width, bottom / height, (column - 0.1) / rows.width, tall / height)
            _draw(figure, box, case, panel, ink, size_px=600, font_size=8)
    _write_footer(
        figure,
        _footnotes(cases, [panel for row in panel_rows for panel in row], footer),
        faint,
        font_size=7,
    )
    return figure


def _write_words(figure: Figure, case: IllustratedCase, rows: _Rows, top: float, colour: str) -> None:
    """Write what a row is of from this height down, in inches, its pathology in bold."""
    columns = int(14 * (rows.text - _MARGIN * rows.width))
    name = _wrapped(case.scene.pathology, columns - 2)
    image_id = case.scene.image_id.replace("_", "_ ")  # to break it there
    words = _wrapped("\n\n".join([case.why, case.prediction, image_id]), columns).replace("_ ", "_")
    for text, lines, weight in ((name, 0, "bold"), (words, 1.5 + name.count("\n"), "normal")):
        y = (top - lines * 8 * 1.35 / 72) / figure.get_size_inches()[1]
        figure.text(_MARGIN, y, text, color=colour, fontsize=8, va="top", weight=weight)


def _shown(scene: Scene, methods: Collection[str]) -> list[Panel]:
    return [panel for panel in scene.panels if panel.key == EXPERT or panel.key in methods]


def _draw(
    figure: Figure,
    box: tuple[float, float, float, float],
    case: IllustratedCase,
    panel: Panel,
    ink: str,
    *,
    size_px: int,
    font_size: float,
) -> None:
    """Draw a panel with its title above it, in bold where the case was chosen for its method."""
    axes = figure.add_axes(box)
    draw_panel(axes, case.scene, panel, longest_px=size_px)
    caption = panel_caption(case.scene, panel) if panel.message is None else panel.title
    weight = "bold" if panel.key in case.methods else "normal"
    axes.set_title(caption, color=ink, fontsize=font_size, pad=3, weight=weight)


def _write_footer(
    figure: Figure, lines: Iterable[str], colour: str, *, font_size: float, ink: str | None = None
) -> None:
    width, height = figure.get_size_inches()
    step = 1.5 * font_size / 72 / height
    fitting = int(0.75 * width * 72 / (0.56 * font_size))  # beside the colour bar
    for place, line in enumerate(reversed([part for words in lines for part in wrap(words, fitting)])):
        figure.text(_MARGIN, (0.5 + place) * step, line, color=colour, fontsize=font_size, va="bottom")
    bar = figure.add_axes((0.78, 0.35 / height, 0.17, 0.11 / height))
    draw_colour_bar(bar, ink or colour)


def _footnotes(cases: Sequence[IllustratedCase], panels: Iterable[Panel], footer: str) -> list[str]:
    """Return what must stand under every picture: what lines and hatching are, where from, and what holds of the run."""
    scene = cases[0].scene
    parts = ((scene.lines, hatching_in_words(panels)), (RESEARCH_ONLY, scene.banner))
    notes = [" ".join(filter(None, part)) for part in parts]
    return [notes[0], footer, notes[1]]


def _wrapped(words: str, width: int) -> str:
    return "\n".join(fill(line, width, break_long_words=False) for line in words.split("\n"))
