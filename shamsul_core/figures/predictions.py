"""What the classifier predicts for one radiograph, beside its labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import plotly.graph_objects as go

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL_SIGNS = {1.0: "●", 0.0: "○", -1.0: "◐", None: "·"}
"""How a label is drawn: positive, negative, uncertain, blank; told apart without colour."""

_BAR = "#4fb3d9"
_CHOSEN = "#f2b134"
_TEXT = "#d7dce0"


def prediction_bars(
    probabilities: Mapping[str, float], labels: Mapping[str, float | None], chosen: str | None = None
) -> go.Figure:
    """Draw each observation's probability as a bar from 0 to 1, with its label's sign beside the name.

    Parameters
    ----------
    probabilities
        0..1 by observation, drawn from top to bottom in this order.
    labels
        1, 0, -1 (uncertain) or ``None`` (blank) by observation.
    chosen
        The observation to set off.
    """
    names = list(probabilities)
    values = [probabilities[name] for name in names]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=[f"{_short(name)} {sign_of(labels.get(name))}" for name in names],
            customdata=names,
            orientation="h",
            text=[f"{value:.2f}" for value in values],
            textposition="outside",
            cliponaxis=False,
            marker_color=[_CHOSEN if name == chosen else _BAR for name in names],
            hovertemplate="%{customdata}: %{x:.4f}<extra></extra>",
        )
    )
    figure.update_layout(
        height=22 * len(names) + 30,
        margin={"l": 0, "r": 30, "t": 4, "b": 20},
        font={"size": 12, "color": _TEXT},
        bargap=0.35,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"range": [0, 1], "tickvals": [0, 0.5, 1], "gridcolor": "#2a2f34", "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "automargin": True, "ticks": ""},
    )
    return figure


def _short(name: str) -> str:
    return name.replace("Enlarged", "Enl.")


def sign_of(label: float | None) -> str:
    """Return the sign of a label; NaN is blank too.

    >>> sign_of(1.0), sign_of(float("nan"))
    ('●', '·')
    """
    return LABEL_SIGNS[None if label is None or math.isnan(label) else label]
