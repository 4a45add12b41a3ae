"""Scores of a run as box plots for print, like the paper's Figures 4, 9, 14 and 19; and lines of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.cohort.truth_words import MIXED, words_by_pathology, words_in
from shamsul_core.figures.print.drawing import NORMAL, SMALL, THEMES, new_figure, plain_axes
from shamsul_core.run.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "D", "^", "v", "P", "X")


def box_figure(scores: pd.DataFrame, summary: pd.DataFrame, method: str) -> Figure:
    """Return one method's IoU by pathology: a box, its median, the mean dashed and printed, each radiograph a point.

    Parameters
    ----------
    scores
        Of one slice.
    summary
        What `shamsul_core.statistics.summary.summarise` makes of them; the paper's means stand as stars.
    method
        Whose.
    """
    theme = THEMES["print"]
    rows = summary[summary["method"] == method].reset_index(drop=True)
    figure = new_figure(theme, 9.5, 3.8)
    axes = figure.add_axes((0.06, 0.25, 0.93, 0.68))
    plain_axes(axes, theme)
    rng = np.random.default_rng(0)
    for place, (_, row) in enumerate(rows.iterrows()):
        here = scores[(scores["method"] == method) & (scores["pathology"] == row["pathology"])][
            "iou"
        ].dropna()
        if here.empty:
            continue
        _box(axes, place, row)
        sideways = rng.uniform(-0.18, 0.18, len(here))
        axes.scatter(place + sideways, here.astype(float), s=7, color=theme.main, alpha=0.6, linewidths=0)
    top = 1.05 * max(0.1, float(np.nanmax([*rows["best"].astype(float), *rows["paper_mean"], 0])))
    for place, (_, row) in enumerate(rows.iterrows()):
        words = "–" if np.isnan(row["mean"]) else f"{row['mean']:.3f}"
        axes.text(place, top, words, ha="center", fontsize=SMALL, color=theme.text)
        if not np.isnan(row["paper_mean"]):
            axes.plot(place, row["paper_mean"], "*", color=theme.second, markersize=9, markerfacecolor="none")
    axes.set(xlim=(-0.6, len(rows) - 0.4), ylim=(-0.01, 1.08 * top), xticks=range(len(rows)))
    truths, is_mixed = words_by_pathology(rows), words_in(rows) is MIXED
    labels = [
        f"{name.replace(' ', chr(10))}\n{f'({truths[name].plural})' + chr(10) if is_mixed else ''}n = {n}"
        for name, n in zip(rows["pathology"], rows["n"], strict=True)
    ]
    axes.set_xticklabels(labels, fontsize=SMALL)
    axes.set_ylabel(sentence(words_in(rows).score), fontsize=NORMAL, color=theme.text)
    return figure


def rule_figure(ranked: pd.DataFrame, titles: Mapping[str, str], words: Mapping[str, str]) -> Figure:
    """Return each method's mean IoU under every threshold rule, a row a rule.

    Parameters
    ----------
    ranked
        From `shamsul_core.statistics.threshold_rules.rank_rules`.
    titles
        Of the methods.
    words
        For each row, by ``sign rule``.
    """
    theme = THEMES["print"]
    figure = new_figure(theme, 9.5, 0.9 + 0.27 * len(ranked))
    axes = figure.add_axes((0.28, 0.5 / figure.get_figheight(), 0.7, 1 - 0.85 / figure.get_figheight()))
    plain_axes(axes, theme)
    axes.grid(axis="y", color=theme.faint, linewidth=0.4)
    colours = (theme.main, theme.second, "#7a3b8f", "#1a7f4b", theme.text, theme.faint)
    for number, (method, title) in enumerate(titles.items()):
        axes.plot(
            ranked[method].to_numpy(float),
            np.arange(len(ranked)),
            _MARKERS[number % len(_MARKERS)],
            color=colours[number % len(colours)],
            markersize=6,
            label=title,
        )
    axes.set_yticks(range(len(ranked)))
    axes.set_yticklabels(
        [words[f"{sign} {rule}"] for sign, rule in zip(ranked["sign"], ranked["rule"], strict=True)],
        fontsize=SMALL,
    )
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("mean IoU over the pathologies", fontsize=NORMAL, color=theme.text)
    figure.legend(
        loc="upper right", ncols=len(titles), frameon=False, fontsize=NORMAL, bbox_to_anchor=(0.99, 1.0)
    )
    return figure


def _box(axes: Axes, place: float, row: pd.Series[float]) -> None:
    theme = THEMES["print"]
    names = {"med": "median", "q1": "q1", "q3": "q3", "whislo": "whisker_low", "whishi": "whisker_high"}
    axes.bxp(
        [{short: float(row[name]) for short, name in names.items()} | {"mean": float(row["mean"])}],
        positions=[place],
        widths=0.55,
        showfliers=False,
        showmeans=True,
        meanline=True,
        boxprops={"color": theme.text, "linewidth": 0.8},
        whiskerprops={"color": theme.text, "linewidth": 0.8},
        capprops={"color": theme.text, "linewidth": 0.8},
        medianprops={"color": theme.text, "linewidth": 1.4},
        meanprops={"color": theme.second, "linewidth": 1.2, "linestyle": "--"},
        manage_ticks=False,
    )
