"""The paper's Figure 3: each observation's AUROC and its number of positives, in rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.figures.print.drawing import NORMAL, SMALL, THEMES, new_figure
from shamsul_core.statistics.intervals import FEWEST

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.projections.polar import PolarAxes

    from shamsul_core.figures.print.drawing import Theme, ThemeName

_COUNTS = (0.26, 0.45)
"""Radii of the inner ring, of the numbers of positives."""

_SCORES = (0.5, 1.0)
"""Radii of the ring of AUROC, where it is 0 and where it is 1."""

_MOST_IN_FIGURES = 18
"""Sectors with room for figures and an upright name; more have a turned name alone."""

_LONGEST_NAME, _TINY = 22, 5.2

_RINGS = (
    "Outer ring: AUROC, from 0 (inside) to 1 (rim). Dashed: 0.5, chance.",
    "Inner ring: positive radiographs.",
)
_INTERVALS = f"Lines: 95 % intervals, if each label has at least {FEWEST} patients."


def rings(by_observation: pd.DataFrame, theme: ThemeName) -> Figure:
    """Return the paper's Figure 3, from the outside: the name, the AUROC, the number of positives.

    AUROC is the length of a bar, with its figure and its interval; the paper's has the figure alone.

    Parameters
    ----------
    by_observation
        `Performance.by_observation`, of which each row is a sector, clockwise from the top.
    """
    colours = THEMES[theme]
    figure = new_figure(colours, 4.8, 4.7)
    is_crowded = len(by_observation) > _MOST_IN_FIGURES
    room = (0.24, 0.275, 0.52, 0.531) if is_crowded else (0.177, 0.178, 0.646, 0.6597)
    axes: PolarAxes = figure.add_axes(room, projection="polar")  # type: ignore[assignment]
    axes.set_theta_direction(-1)
    axes.set_theta_offset(np.pi / 2)
    axes.set_ylim(0, 1)
    axes.set_axis_off()
    width = 2 * np.pi / max(1, len(by_observation))
    for place, (name, row) in enumerate(by_observation.iterrows()):
        _bar(axes, colours, place * width, 0.94 * width, str(name), row, is_crowded=is_crowded)
        (_write_turned if is_crowded else _write)(axes, colours, place * width, str(name), row)
    circle = np.linspace(0, 2 * np.pi, 361)
    chance = np.full_like(circle, sum(_SCORES) / 2)
    axes.plot(circle, chance, color=colours.text, linewidth=0.7, linestyle=(0, (4, 3)), zorder=3)
    legend = "\n".join(
        [_RINGS[0].removeprefix("Outer ring: "), _INTERVALS] if is_crowded else [*_RINGS, _INTERVALS]
    )
    if not is_crowded:
        axes.text(0, 0, "positives", color=colours.text, fontsize=SMALL, ha="center", va="center")
    figure.text(0.5, 0.015, legend, color=colours.text, fontsize=SMALL, ha="center", va="bottom")
    return figure


def _bar(
    axes: PolarAxes, theme: Theme, angle: float, width: float, name: str, row: pd.Series, *, is_crowded: bool
) -> None:
    inner, outer = _SCORES
    for low, high in (_SCORES,) if is_crowded else (_COUNTS, _SCORES):
        axes.bar(angle, high - low, width, low, color=theme.faint, alpha=0.35, linewidth=0)
    if not np.isnan(row["auroc"]):
        radius = [inner + (outer - inner) * row[bound] for bound in ("auroc", "auroc_low", "auroc_high")]
        axes.bar(angle, radius[0] - inner, width, inner, color=theme.area, linewidth=0, label=name)
        aside = angle + 0.36 * width
        if not np.isnan(row["auroc_low"]):
            axes.plot([aside, aside], radius[1:], color=theme.second, linewidth=1.6, zorder=4)


def _write_turned(axes: PolarAxes, theme: Theme, angle: float, name: str, row: pd.Series) -> None:
    """Write the name along the sector, readable from below."""
    degrees = (90 - np.degrees(angle)) % 360
    is_left = 90 < degrees < 270
    words = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    axes.text(
        angle,
        1.04,
        words,
        color=theme.text,
        fontsize=_TINY,
        rotation=degrees - 180 if is_left else degrees,
        rotation_mode="anchor",
        ha="right" if is_left else "left",
        va="center",
    )


def _write(axes: PolarAxes, theme: Theme, angle: float, name: str, row: pd.Series) -> None:
    inner, is_known = _SCORES[0], not np.isnan(row["auroc"])
    words = f"{row['auroc']:.2f}" if is_known else "–"
    colour = theme.on_area if is_known and row["auroc"] > 0.35 else theme.text
    _words(axes, angle, inner + 0.11, words, colour, NORMAL, "bold")
    count = f"{row['positive']:.0f}"
    size = SMALL * min(1, 3 / len(count))  # five digits of a training set fit too
    _words(axes, angle, sum(_COUNTS) / 2, count, theme.text, size, "normal")
    side = np.sin(angle)
    alignment = "center" if abs(side) < 0.1 else "left" if side > 0 else "right"
    edge = "center" if abs(np.cos(angle)) < 0.85 else "bottom" if np.cos(angle) > 0 else "top"
    reason = "" if is_known else f"\n({row['reason']})"
    axes.text(
        angle,
        1.05,
        name.replace(" ", "\n") + reason,
        color=theme.text,
        fontsize=NORMAL,
        ha=alignment,
        va=edge,
    )


def _words(
    axes: PolarAxes, angle: float, radius: float, words: str, colour: str, size: float, weight: str
) -> None:
    axes.text(
        angle,
        radius,
        words,
        color=colour,
        fontsize=size,
        fontweight=weight,
        ha="center",
        va="center",
        zorder=5,
    )
