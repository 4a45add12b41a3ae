"""How good each method is over a cohort: boxes of IoU, bars of hit rates."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from shamsul_core.cohort.truth_words import words_in
from shamsul_core.figures.colours import CHANGED, MUTED, TEXT, WHITE
from shamsul_core.figures.html.foreign import as_plotly
from shamsul_core.figures.html.points import (
    chart_layout,
    drawn_points,
    highest_iou,
    known_points,
    opacity_of,
    point_trace,
    style_of,
    tick_step,
)
from shamsul_core.localisation.baselines import LOCATION_ALONE
from shamsul_core.run.wording import sentence
from shamsul_core.statistics.human_benchmark import EACH_OTHER, is_between_readers
from shamsul_core.statistics.intervals import TOO_FEW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd


_GROUP = 0.84
"""Width of a pathology's boxes together; 1 would touch the next one's."""

_MOST_UPRIGHT = 16
"""Pathologies whose names stand upright beside each other; those of more are turned."""

_MOST_MEANS = 72
"""Boxes whose means stand above them in figures; those of more are in the table and on hover."""

_LINE, _LONGEST_LABEL = 14, 26
"""Characters of a line of a long name, and of a name that is turned."""

_SIDEWAYS = 0.6
"""How far points are strewn, of a box's share of the axis."""


def iou_boxes(
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    up_to: float = np.nan,
    seed: int = 0,
) -> go.Figure:
    """Return a box per pathology and method with its mean, its median and every radiograph.

    Parameters
    ----------
    scores
        image_id, pathology, method, iou.
    summary
        Of these scores, as `shamsul_core.statistics.summary.summarise` returns it; its order is the figure's.
    titles
        Of the methods to show, in this order.
    up_to
        A value that the axis reaches as well, such as the highest mean of the readers, NaN for none.
    seed
        Of the points' sideways scatter, which means nothing, and of which are drawn, where there are more than
        `MOST_POINTS`. Boxes and means count all.
    """
    truth = words_in(summary)
    pathologies = list(dict.fromkeys(summary["pathology"]))
    generator = np.random.default_rng(seed)
    figure = go.Figure(layout=chart_layout(f"{sentence(truth.score)} with the experts' {truth.plural}"))
    points = known_points(scores, "iou")
    top = highest_iou([points["iou"].max(), summary["paper_mean"].max(), up_to, 0.3])
    points = drawn_points(points[points["method"].isin(titles)], seed)
    opacity = opacity_of(len(points))
    is_crowded = len(titles) > 1 or len(pathologies) > _MOST_UPRIGHT
    is_told = len(pathologies) * len(titles) <= _MOST_MEANS
    for number, (method, title) in enumerate(titles.items()):
        boxes = summary[summary["method"] == method]
        at = _positions(boxes["pathology"], pathologies, number, len(titles))
        here = points[points["method"] == method]
        sideways = generator.random(len(here), np.float32) - np.float32(0.5)
        figure.add_traces(
            [
                point_trace(
                    _positions(here["pathology"], pathologies, number, len(titles))
                    + sideways * np.float32(_SIDEWAYS * _GROUP / len(titles)),
                    here,
                    style_of(number) | {"opacity": opacity},
                    name=as_plotly(title),
                    hover=f"{as_plotly(title)}: {truth.score} %{{y:.2f}}",
                ),
                _boxes(at, boxes, number, len(titles)),
            ]
        )
        if is_told:
            figure.add_trace(_means(at, boxes, top, is_crowded=is_crowded))
        _add_paper(figure, at, boxes, is_first=number == 0)
    if is_told:
        figure.add_annotation(
            text="Mean",
            x=-0.5,
            y=1.03 * top,
            xanchor="right",
            xshift=-6,
            showarrow=False,
            font={"color": TEXT},
        )
    figure.update_xaxes(**_pathology_axis(pathologies, summary))
    figure.update_yaxes(range=[-0.02, 1.07 * top], dtick=tick_step(top))
    return figure


def hit_bars(summary: pd.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """Return the share of radiographs whose map's maximum lies inside what the experts marked, with 95 % intervals."""
    pathologies = list(dict.fromkeys(summary["pathology"]))
    figure = go.Figure(layout=chart_layout("Hit rate"))
    for number, (method, title) in enumerate(titles.items()):
        bars = summary[summary["method"] == method]
        rate = bars["hit_rate"].to_numpy(np.float64)
        figure.add_bar(
            x=_positions(bars["pathology"], pathologies, number, len(titles)),
            y=rate,
            width=0.85 * _GROUP / len(titles),
            error_y={
                # A rate of 1 less its rounded end would be an error bar of less than nothing
                "array": np.maximum(bars["hit_high"].to_numpy(np.float64) - rate, 0),
                "arrayminus": np.maximum(rate - bars["hit_low"].to_numpy(np.float64), 0),
                "color": TEXT,
                "thickness": 1.5,
                "width": 3,
            },
            name=as_plotly(title),
            marker={"color": style_of(number)["color"], "opacity": 0.8},
            customdata=bars[["hit_n", "hit_low", "hit_high"]].to_numpy(np.float64).round(3),
            hovertemplate=(
                f"{as_plotly(title)}: %{{y:.2f}} of %{{customdata[0]}} radiographs, "
                "95 % interval %{customdata[1]:.2f} to %{customdata[2]:.2f}<extra></extra>"
            ),
        )
    figure.update_xaxes(**_pathology_axis(pathologies, summary, number="hit_n"))
    figure.update_yaxes(range=[0, 1.02])
    return figure


def add_human_benchmark(figure: go.Figure, readers: pd.DataFrame, summary: pd.DataFrame, column: str) -> None:
    """Add the readers' mean of each pathology as a line across it, where there is a human benchmark.

    Parameters
    ----------
    figure
        From `iou_boxes` or `hit_bars`, of the same summary.
    readers
        The summary of `shamsul_core.statistics.human_benchmark.human_benchmark_scores`.
    column
        ``"iou"`` or ``"hit"``.
    """
    name = sentence(EACH_OTHER) if is_between_readers(readers) else "Second readers"
    _add_means(figure, readers, summary, column, name, {"color": WHITE, "width": 2, "dash": "dot"})


def add_location(figure: go.Figure, location: pd.DataFrame, summary: pd.DataFrame, column: str) -> None:
    """Add what location alone gives on each pathology as a line across it, where it was measured.

    Parameters
    ----------
    figure, column
        As for `add_human_benchmark`.
    location
        The summary of the baseline *location*, as `shamsul_core.statistics.summary.summarise` returns it.
    """
    line = {"color": CHANGED, "width": 2, "dash": "dash"}
    _add_means(figure, location, summary, column, LOCATION_ALONE, line)


def _add_means(
    figure: go.Figure,
    others: pd.DataFrame,
    summary: pd.DataFrame,
    column: str,
    name: str,
    line: Mapping[str, object],
) -> None:
    """Add the means of another summary, one row a pathology, as lines across the pathologies of a figure's own."""
    pathologies = list(dict.fromkeys(summary["pathology"]))
    names = (
        ["mean", "mean_low", "mean_high", "n"]
        if column == "iou"
        else ["hit_rate", "hit_low", "hit_high", "hit_n"]
    )
    table = others.set_index("pathology")[names].reindex(pathologies)
    means, low, high, number = table.to_numpy(np.float64).T
    places = np.flatnonzero(np.isfinite(means))
    if not len(places):
        return
    score = "hit rate" if column == "hit" else words_in(summary).score
    ends = np.column_stack([places - _GROUP / 2, places + _GROUP / 2, np.full(len(places), np.nan)])
    figure.add_scatter(
        x=ends.ravel(),
        y=np.repeat(means[places], 3),
        mode="lines",
        line=line,
        name=name,
        customdata=np.repeat(number[places], 3),
        hovertext=np.repeat(_between(low[places], high[places]), 3),
        hovertemplate=(
            f"{name}: mean {score} %{{y:.2f}}, 95 % interval: %{{hovertext}}, %{{customdata}} radiographs<extra></extra>"
        ),
    )


def _positions(
    names: pd.Series[str], pathologies: Sequence[str], number: int, methods: int
) -> npt.NDArray[np.float32]:
    """Return where on the axis a method's boxes stand, pathologies at 0, 1, 2, ..."""
    place = {name: place for place, name in enumerate(pathologies)}
    centres = np.array([place[name] for name in names], np.float32)
    return np.asarray(centres + (number - (methods - 1) / 2) * _GROUP / methods, np.float32)


def _boxes(at: npt.NDArray[np.float32], boxes: pd.DataFrame, number: int, methods: int) -> go.Box:
    column = {name: boxes[name].to_numpy(np.float64) for name in ("q1", "median", "q3", "mean")}
    return go.Box(
        x=at,
        **column,
        lowerfence=boxes["whisker_low"].to_numpy(np.float64),
        upperfence=boxes["whisker_high"].to_numpy(np.float64),
        width=0.8 * _GROUP / methods,
        line={"color": TEXT, "width": 1.5},
        fillcolor="rgba(215, 220, 224, 0.10)",
        whiskerwidth=0.4,
        hoverinfo="skip",
        showlegend=False,
        name=f"box {number}",
    )


def _means(
    at: npt.NDArray[np.float32], boxes: pd.DataFrame, height: float, *, is_crowded: bool
) -> go.Scatter:
    """Return the means in figures above their boxes, with number and interval on hover; crowded ones without the 0."""
    mean = boxes["mean"].to_numpy(np.float64)
    figures = ["–" if np.isnan(value) else f"{value:.2f}" for value in mean]
    return go.Scatter(
        x=at,
        y=np.full(len(at), 1.03 * height),
        text=[number.removeprefix("0") for number in figures] if is_crowded else figures,
        customdata=boxes[["mean", "n"]].to_numpy(np.float64).round(3),
        hovertext=_between(boxes["mean_low"], boxes["mean_high"]),
        mode="text",
        textfont={"color": TEXT, "size": 11 if is_crowded else 13},
        hovertemplate=(
            "mean %{customdata[0]:.2f}, 95 % interval: %{hovertext}, %{customdata[1]} radiographs<extra></extra>"
        ),
        showlegend=False,
        name="mean",
    )


def _between(low: Iterable[float], high: Iterable[float]) -> list[str]:
    return [
        TOO_FEW if np.isnan(lower) else f"{lower:.2f} to {upper:.2f}"
        for lower, upper in zip(low, high, strict=True)
    ]


def _add_paper(
    figure: go.Figure, at: npt.NDArray[np.float32], boxes: pd.DataFrame, *, is_first: bool
) -> None:
    """Add the paper's means as hollow stars, where it gives them."""
    is_reported = boxes["paper_mean"].notna().to_numpy()
    if not is_reported.any():
        return
    figure.add_scatter(
        x=at[is_reported],
        y=boxes["paper_mean"].to_numpy(np.float64)[is_reported],
        mode="markers",
        marker={"symbol": "star-open", "size": 13, "color": WHITE, "line": {"width": 1.8}},
        name="Mean in the paper",
        legendgroup="paper",
        legendrank=2000,  # after the methods
        showlegend=is_first,
        hovertemplate="the paper's mean: %{y:.3f}<extra></extra>",
    )


def _pathology_axis(
    pathologies: Sequence[str], summary: pd.DataFrame, *, number: str = "n"
) -> dict[str, Any]:
    numbers = summary.groupby("pathology")[number].agg(["min", "max"]).reindex(list(pathologies))
    is_crowded = len(pathologies) > _MOST_UPRIGHT
    labels = [
        f"{_crowded_label(name) if is_crowded else _label(name)}"
        f"<span style='color:{MUTED}'>n = {_from_to(low, high)}</span>"
        for name, low, high in numbers.itertuples()
    ]
    return {
        "tickvals": list(range(len(pathologies))),
        "ticktext": labels,
        "range": [-0.5, len(pathologies) - 0.5],
        "showgrid": False,
        "zeroline": False,
        "tickangle": -90 if is_crowded else 0,
        "automargin": True,
        "tickfont": {"size": 12},
    }


def _label(name: str) -> str:
    """Return a name a word a line, of many words as few lines as fit."""
    lines = name.split() if name.count(" ") < 3 else wrap(name, _LINE)
    return "".join(f"{as_plotly(line)}<br>" for line in lines)


def _crowded_label(name: str) -> str:
    """Return a name on one line, cut where it is long."""
    return f"{as_plotly(name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + '…')}  "


def _from_to(low: float, high: float) -> str:
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"
