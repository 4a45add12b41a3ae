"""What a cohort holds: its labels (the paper's Table 1), views, sexes and ages as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shamsul_core.figures.print.drawing import NORMAL, SMALL, THEMES, new_figure, plain_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shamsul_core.figures.print.drawing import ThemeName


def label_figure(counts: pd.DataFrame, theme: ThemeName) -> Figure:
    """Return the paper's Table 1 as stacked bars, with its numbers.

    Parameters
    ----------
    counts
        From `shamsul_core.cohort.summary.label_counts`.
    """
    colours = THEMES[theme]
    figure = new_figure(colours, 9.5, 4.4)
    axes = figure.add_axes((0.205, 0.1, 0.36, 0.79))
    plain_axes(axes, colours)
    looks: dict[str, dict[str, Any]] = {
        "positive": {"color": colours.main},
        "uncertain": {"color": colours.second, "hatch": "////", "edgecolor": colours.background},
        "negative": {"color": colours.faint},
        "blank": {"color": colours.background, "edgecolor": colours.faint},
    }
    places = np.arange(len(counts))
    left = np.zeros(len(counts))
    for column, (kind, look) in enumerate(looks.items()):
        shares = counts[f"{kind}_percent"].fillna(0).to_numpy()
        axes.barh(places, shares, left=left, height=0.72, label=kind, linewidth=0.5, **look)
        left += shares
        _numbers(axes, counts, kind, 1.02 + 0.3 * column, colours.text)
    axes.set(xlim=(0, 100), yticks=places)
    axes.set_yticklabels(list(counts.index), fontsize=NORMAL)
    axes.invert_yaxis()
    axes.set_xlabel("% of the radiographs", color=colours.text, fontsize=NORMAL)
    figure.legend(
        loc="upper left",
        bbox_to_anchor=(0.195, 1.01),
        ncols=4,
        frameon=False,
        fontsize=NORMAL,
        labelcolor=colours.text,
    )
    return figure


def _numbers(axes: Axes, counts: pd.DataFrame, kind: str, x: float, colour: str) -> None:
    right = x + 0.24
    axes.text(
        right, 1.0, kind, transform=axes.transAxes, color=colour, fontsize=SMALL, ha="right", va="bottom"
    )
    for place, (number, share) in enumerate(zip(counts[kind], counts[f"{kind}_percent"], strict=True)):
        words = f"{number:,} ({share:.0f} %)" if number else "–"
        axes.text(
            right,
            place,
            words,
            transform=axes.get_yaxis_transform(),
            color=colour,
            fontsize=SMALL,
            ha="right",
            va="center",
        )


def composition_figure(composition: Mapping[str, Mapping[str, int]], theme: ThemeName) -> Figure:
    """Return how many radiographs there are of each view, sex and band of age.

    Parameters
    ----------
    composition
        From `shamsul_core.cohort.summary.composition`.
    """
    colours = THEMES[theme]
    figure = new_figure(colours, 9.5, 2.4)
    panels = figure.subplots(1, len(composition))
    figure.subplots_adjust(left=0.1, right=0.97, bottom=0.06, top=0.88, wspace=0.6)
    for axes, (title, counts) in zip(np.atleast_1d(panels), composition.items(), strict=True):
        plain_axes(axes, colours)
        places = np.arange(len(counts))
        bars = axes.barh(places, list(counts.values()), height=0.7, color=colours.main)
        axes.bar_label(
            bars, [f"{count:,}" for count in counts.values()], padding=3, color=colours.text, fontsize=SMALL
        )
        axes.set_yticks(places, list(counts), fontsize=SMALL)
        axes.set_ylim(max(1, *map(len, composition.values())) - 0.5, -0.5)
        axes.set_xticks([])
        axes.margins(x=0.2)
        axes.spines["bottom"].set_visible(False)
        axes.spines["left"].set_visible(False)
        axes.tick_params(left=False)
        axes.set_title(title, loc="left", color=colours.text, fontsize=NORMAL, fontweight="bold")
    return figure
