"""Radiographs as points of a chart: which are drawn, how they look, and which case each opens.

A point's ``customdata`` is its row's place in the table that was drawn, which `case_of` turns into a radiograph and a
pathology again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from shamsul_core.figures.colours import BLACK, LINE, MUTED, SURFACE, TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd


_COLOURS = ("#56b4e9", "#e69f00", "#cc79a7", "#f0e442", "#b8bec4")
"""Okabe and Ito's, which colour-blind readers tell apart, in the order of the methods."""

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
_OPACITY = (0.85, 0.45)
"""Of a point where there are few, and of each of `MOST_POINTS`, so that a pile of them is brighter than one alone."""

_FEW = 150

MOST_POINTS = 2000
"""So many are drawn at most: a browser without a graphics card needs seconds for more, and no one tells them apart."""


def drawn_in_words(scores: pd.DataFrame, titles: Mapping[str, str], *columns: str) -> str:
    """Return how many of the points are drawn, nothing where all are; of these columns each point has a value."""
    count = int(scores.loc[scores["method"].isin(titles), list(columns)].notna().all(axis=1).sum())
    if count <= MOST_POINTS:
        return ""
    return f"{MOST_POINTS:,} of {count:,} points are shown, chosen at random; boxes, means and the table include all."


def case_of(scores: pd.DataFrame, place: int) -> tuple[str, str]:
    """Return the radiograph and the pathology of a point, by its ``customdata`` in a figure of these scores."""
    row = scores.iloc[place]
    return str(row["image_id"]), str(row["pathology"])


def known_points(scores: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return the rows that have these columns, with their place in the table."""
    return scores.assign(place=np.arange(len(scores), dtype=np.int32)).dropna(subset=list(columns))


def drawn_points(points: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return at most `MOST_POINTS`, drawn at random."""
    return (
        points if len(points) <= MOST_POINTS else points.sample(MOST_POINTS, random_state=seed).sort_index()
    )


def opacity_of(count: int) -> float:
    """Return the opacity of each of so many points, falling with their number."""
    most, least = _OPACITY
    share = np.clip((count - _FEW) / (MOST_POINTS - _FEW), 0, 1)
    return round(float(most - (most - least) * np.sqrt(share)), 2)


def style_of(number: int) -> dict[str, str]:
    """Return the colour and symbol of the method that is shown at this place, from 0 on; beyond the fifth the last."""
    place = min(number, len(_COLOURS) - 1)
    return {"color": _COLOURS[place], "symbol": _SYMBOLS[place]}


def point_trace(
    x: npt.NDArray[np.float32],
    here: pd.DataFrame,
    style: Mapping[str, Any],
    *,
    name: str,
    hover: str,
    text: Sequence[str] | None = None,
) -> go.Scatter:
    """Return radiographs as points, each of which opens its case.

    Parameters
    ----------
    x
        Where on the axis, one for each row.
    here
        ``iou`` and ``place``, as `known_points` returns them.
    style
        Of the marker, with its opacity.
    name, hover, text
        Of the method; what is said of a point; a word for each point.
    """
    unchanged = {"marker": {"opacity": style["opacity"]}}
    return go.Scatter(
        x=x,
        y=here["iou"].to_numpy(np.float32),
        customdata=here["place"].to_numpy(np.int32),
        mode="markers",
        name=name,
        marker={"size": 6, **style},
        selected=unchanged,
        unselected=unchanged,
        text=text,
        hovertemplate=f"{hover}<br>click to open<extra></extra>",
    )


def chart_layout(quantity: str) -> dict[str, Any]:
    """Return the layout of a chart for a dark room, with what its upright axis shows."""
    return {
        "template": None,
        "paper_bgcolor": BLACK,
        "plot_bgcolor": BLACK,
        "font": {"color": TEXT, "size": 13, "family": "Source Sans, sans-serif"},
        "margin": {"l": 60, "r": 10, "t": 34, "b": 74},
        "legend": {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0, "itemsizing": "constant"},
        "hoverlabel": {"bgcolor": SURFACE, "bordercolor": MUTED, "font": {"color": TEXT}},
        "hovermode": "closest",
        "dragmode": False,
        "clickmode": "event+select",
        "yaxis": {
            "title": quantity,
            "gridcolor": LINE,
            "zeroline": False,
            "tickformat": ".1f",
            "automargin": True,
        },
    }


def tick_step(top: float) -> float | None:
    """Return how far apart the ticks of an axis up to this height stand, ``None`` where plotly decides.

    Their labels have one decimal: nearer ticks would have the same.
    """
    return 0.1 if top < 0.5 else None


def highest_iou(heights: Sequence[float]) -> float:
    """Return the IoU up to which the axis goes, 1 at most: the whole range would leave most of the figure empty."""
    return float(min(1.0, 1.05 * np.nanmax(heights)))
