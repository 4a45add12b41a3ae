"""ROC, precision-recall and reliability curves: one small panel an observation, rather than 14 lines in one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from shamsul_core.figures.print.drawing import THEMES, nothing_to_draw, titled, unit_panels
from shamsul_core.statistics.intervals import TOO_FEW

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shamsul_core.figures.print.drawing import Theme, ThemeName

_NOTHING = "No observation has both positive and negative radiographs, so there is no curve."


def roc_figure(
    points: pd.DataFrame, by_observation: pd.DataFrame, rates: pd.DataFrame, theme: ThemeName
) -> Figure:
    """Return the ROC curve of each observation with both labels, and where on it the threshold lies.

    Parameters
    ----------
    points
        From `shamsul_core.statistics.prediction.discrimination.curves`.
    by_observation
        `Performance.by_observation`.
    rates
        From `shamsul_core.statistics.prediction.decisions.decision_rates`, for the threshold.
    """
    colours = THEMES[theme]
    names = list(dict.fromkeys(points["observation"]))
    if not names:
        return nothing_to_draw(colours, _NOTHING)
    figure, panels = unit_panels(
        colours, names, "1 - specificity", "Sensitivity", _legend(by_observation, "chance")
    )
    scores, chosen = by_observation.to_dict("index"), rates.to_dict("index")
    for name, axes in panels:
        axes.plot([0, 1], [0, 1], color=colours.faint, linewidth=0.8, linestyle=(0, (4, 3)))
        here = points[points["observation"] == name]
        axes.plot(here["false_positive_rate"], here["true_positive_rate"], color=colours.main, linewidth=1.5)
        _threshold(axes, colours, 1 - chosen[name]["specificity"], chosen[name]["sensitivity"])
        titled(axes, colours, name, _with_interval("AUROC", scores[name], "auroc"))
    return figure


def precision_recall_figure(
    points: pd.DataFrame, by_observation: pd.DataFrame, rates: pd.DataFrame, theme: ThemeName
) -> Figure:
    """Return the precision-recall curve of each observation with both labels; chance is its prevalence.

    Parameters
    ----------
    points, by_observation, rates
        As in `roc_figure`.
    """
    colours = THEMES[theme]
    names = list(dict.fromkeys(points["observation"]))
    if not names:
        return nothing_to_draw(colours, _NOTHING)
    legend = _legend(by_observation, "prevalence, which is chance")
    figure, panels = unit_panels(colours, names, "Recall (sensitivity)", "Precision", legend)
    scores, chosen = by_observation.to_dict("index"), rates.to_dict("index")
    for name, axes in panels:
        row, rate = scores[name], chosen[name]
        axes.axhline(row["prevalence"], color=colours.faint, linewidth=0.8, linestyle=(0, (4, 3)))
        here = points[points["observation"] == name]
        # Between two thresholds the precision is the next one's, as average precision counts it
        axes.step(
            here["true_positive_rate"], here["precision"], color=colours.main, linewidth=1.5, where="pre"
        )
        if rate["TP"] + rate["FP"]:
            _threshold(axes, colours, rate["sensitivity"], rate["TP"] / (rate["TP"] + rate["FP"]))
        titled(axes, colours, name, _with_interval("AUPRC", row, "auprc"))
    return figure


def calibration_figure(bins: pd.DataFrame, scores: pd.DataFrame, theme: ThemeName) -> Figure:
    """Return the reliability curve of each observation: the larger a dot, the more radiographs in its bin.

    Parameters
    ----------
    bins
        From `shamsul_core.statistics.prediction.calibration.reliability`.
    scores
        From `shamsul_core.statistics.prediction.calibration.calibration_scores`.
    """
    colours = THEMES[theme]
    names = list(dict.fromkeys(bins["observation"]))
    if not names:
        return nothing_to_draw(colours, "No observation has labels, so calibration cannot be assessed.")
    legend = "Dashed: perfect calibration. Dots: ten bins, sized by number of radiographs. ECE: expected calibration error. Brier: mean squared error."
    figure, panels = unit_panels(colours, names, "Mean predicted probability", "Share of positives", legend)
    for name, axes in panels:
        axes.plot([0, 1], [0, 1], color=colours.faint, linewidth=0.8, linestyle=(0, (4, 3)))
        here = bins[bins["observation"] == name]
        x, y = here["mean_probability"], here["positive_share"]
        axes.plot(x, y, color=colours.main, linewidth=1)
        sizes = 4 + 90 * here["count"] / here["count"].sum()
        axes.scatter(x, y, s=sizes, color=colours.main, zorder=3, clip_on=False, linewidth=0)
        score = scores.loc[name]
        titled(
            axes,
            colours,
            name,
            f"Brier {score['brier']:.2f}, ECE {score['calibration_error']:.2f}",
        )
    return figure


def _threshold(axes: Axes, theme: Theme, x: float, y: float) -> None:
    axes.plot([x], [y], marker="o", markersize=5, color=theme.second, zorder=4, clip_on=False)


def _legend(by_observation: pd.DataFrame, dashed: str) -> str:
    dropped = by_observation["reason"].dropna()
    missing = ", ".join(f"{name} ({reason})" for name, reason in dropped.items())
    words = f"Dashed: {dashed}. Dot: the threshold. In parentheses: 95 % intervals."
    return f"{words} Without a curve: {missing}." if missing else words


def _with_interval(name: str, row: Mapping[Hashable, Any], column: str) -> str:
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    interval = TOO_FEW if math.isnan(low) else f"{low:.2f} to {high:.2f}"
    return f"{name} {row[column]:.2f} ({interval})"
