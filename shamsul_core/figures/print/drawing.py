"""Static figures: their colours on screen and in print.

Figures are `matplotlib.figure.Figure` objects, drawn without pyplot, which keeps state for the whole process.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from math import ceil
from textwrap import fill
from typing import TYPE_CHECKING, Literal, TypeAlias

from matplotlib.figure import Figure

from shamsul_core.figures.colours import (
    ACCENT,
    ACCENT_INK,
    AREA,
    AREA_INK,
    BLACK,
    FAINT,
    FAINT_INK,
    INK,
    SECOND,
    SECOND_INK,
    TEXT,
    WHITE,
)
from shamsul_core.figures.print import settings as _settings  # noqa: F401 - makes matplotlib's

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

ThemeName: TypeAlias = Literal["screen", "print"]

SMALL, NORMAL = 8.0, 9.0
"""Sizes of text in points."""


@dataclass(frozen=True)
class Theme:
    """Colours as ``#rrggbb``; the two that carry meaning are told apart in all common colour blindness.

    Parameters
    ----------
    background, text, faint
        Of the page; of words; of grids, chance lines and what is merely there.
    main, second
        Of lines and what is measured (positive); of what stands out from it (uncertain, the threshold, intervals).
    area, on_area
        Of large areas, which must not dazzle in a dark room; of words on them.
    dots_per_inch
        Of the PNG file.
    """

    background: str
    text: str
    faint: str
    main: str
    second: str
    area: str
    on_area: str
    dots_per_inch: int


THEMES: dict[ThemeName, Theme] = {
    "screen": Theme(BLACK, TEXT, FAINT, ACCENT, SECOND, AREA, WHITE, 160),
    "print": Theme(WHITE, INK, FAINT_INK, ACCENT_INK, SECOND_INK, AREA_INK, BLACK, 300),
}
"""``screen`` matches .streamlit/config.toml, for a dark room; ``print`` is for paper."""


def new_figure(theme: Theme, width: float, height: float) -> Figure:
    """Return an empty figure; `width` and `height` in inches."""
    return Figure(figsize=(width, height), dpi=theme.dots_per_inch, facecolor=theme.background)


def plain_axes(axes: Axes, theme: Theme) -> None:
    """Draw axes thin, in the theme's colours, without what frames them above and on the right."""
    axes.set_facecolor(theme.background)
    axes.tick_params(colors=theme.text, labelsize=SMALL, length=2.5, width=0.6)
    for side, spine in axes.spines.items():
        spine.set(color=theme.faint, linewidth=0.6, visible=side in ("left", "bottom"))


def unit_panels(
    theme: Theme, names: Sequence[str], x_label: str, y_label: str, footer: str
) -> tuple[Figure, Iterator[tuple[str, Axes]]]:
    """Return a figure of square panels, five in a row, both axes from 0 to 1, and each name with its panel.

    `footer` stands below, for what has no panel.
    """
    columns = 5
    rows = max(1, ceil(len(names) / columns))
    lines = fill(footer, 145).split("\n")
    below = 0.55 + 0.15 * len(lines)
    height = 0.1 + below + 2.3 * rows
    figure = new_figure(theme, 10, height)
    grid = figure.subplots(rows, columns, squeeze=False)
    figure.subplots_adjust(
        left=0.06,
        right=0.985,
        bottom=below / height,
        top=1 - 0.4 / height,
        wspace=0.3,
        hspace=0.3,
    )
    figure.supxlabel(x_label, color=theme.text, fontsize=NORMAL, y=(below - 0.42) / height)
    figure.supylabel(y_label, color=theme.text, fontsize=NORMAL, x=0.003)
    figure.text(0.06, 0.05 / height, "\n".join(lines), color=theme.text, fontsize=SMALL, va="bottom")
    return figure, _panels(theme, names, list(grid.flat))


def _panels(theme: Theme, names: Sequence[str], grid: list[Axes]) -> Iterator[tuple[str, Axes]]:
    for name, axes in zip_longest(names, grid):
        if name is None:
            axes.set_axis_off()
            continue
        plain_axes(axes, theme)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.set(xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        axes.set_xticklabels(("0", "0.5", "1"))
        axes.set_yticklabels(("0", "0.5", "1"))
        yield name, axes


def titled(axes: Axes, theme: Theme, name: str, figures: str) -> None:
    """Write a panel's name in bold, and its figures under it."""
    axes.set_title(
        f"{name.replace('Enlarged', 'Enl.')}\n",
        loc="left",
        color=theme.text,
        fontsize=SMALL,
        fontweight="bold",
        pad=4,
    )
    axes.text(0, 1.04, figures, color=theme.text, fontsize=SMALL, transform=axes.transAxes)


def nothing_to_draw(theme: Theme, words: str) -> Figure:
    """Return a figure that says why there is nothing to see."""
    figure = new_figure(theme, 10, 0.8)
    figure.text(0.5, 0.5, words, ha="center", va="center", color=theme.text, fontsize=NORMAL)
    return figure
