"""The curves of the proof: the logit as places are hidden, the map as layers are randomised, relevance against cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from shamsul_core.figures.colours import CHANGED, FAINT, MUTED, TEXT
from shamsul_core.figures.colours import EXPERT as EXPERT_COLOUR
from shamsul_core.figures.html.foreign import as_plotly
from shamsul_core.figures.html.points import chart_layout, style_of
from shamsul_core.localisation.baselines import LOCATION
from shamsul_core.proof.catalogue import ANOTHER_PATIENT, BY_LOT, COMPARED, EXPERT, STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_OTHERS = {
    LOCATION: {"color": CHANGED, "dash": "dash"},
    BY_LOT: {"color": MUTED, "dash": "dot"},
    EXPERT: {"color": EXPERT_COLOUR, "dash": "dashdot"},
}


_CHANGES = {ANOTHER_PATIENT: "another patient's map"}


def hiding_curves(curves: pd.DataFrame, titles: Mapping[str, str], words: str) -> go.Figure:
    """Return the mean logit of each method's maps by the share that is hidden or shown.

    Parameters
    ----------
    curves
        As `shamsul_core.statistics.proof.curves` returns them.
    words
        What the share is of, on the axis.
    """
    figure = go.Figure(layout=chart_layout("Mean logit"))
    _add_lines(figure, curves, titles, "logit")
    figure.update_xaxes(title=words, tickformat=".0%", gridcolor="rgba(0,0,0,0)", range=[0, 1.01])
    return figure


def cascade_curves(curves: pd.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """Return the mean rank correlation of each method's maps by the share of layers that is random."""
    figure = go.Figure(layout=chart_layout("Rank correlation with the model's own map"))
    _add_lines(figure, curves, titles, "keeps")
    figure.add_hline(y=0, line={"color": FAINT, "width": 1})
    places = curves.drop_duplicates("setting").set_index("setting")["at"].to_dict()
    named = [stage for stage in STAGES if stage in places]
    figure.update_xaxes(
        title="Layers randomised, from the output down",
        tickvals=[places[stage] for stage in named],
        ticktext=[stage.replace(" of the layers", "") for stage in named],
        gridcolor="rgba(0,0,0,0)",
        range=[-0.03, 1.03],
    )
    figure.update_yaxes(range=[-0.35, 1.05])
    return figure


def stability_bars(means: pd.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """Return the mean rank correlation of each method's maps under each change, with its interval.

    Parameters
    ----------
    means
        method, setting, mean, low and high.
    """
    figure = go.Figure(layout=chart_layout("Rank correlation with the map itself"))
    every = {**titles, **COMPARED}
    for number, method in enumerate(name for name in every if name in set(means["method"])):
        rows = means[means["method"] == method]
        mean = rows["mean"].to_numpy(np.float64)
        figure.add_bar(
            x=[_CHANGES.get(str(setting), str(setting)) for setting in rows["setting"]],
            y=mean,
            name=as_plotly(every[method]),
            marker={"color": style_of(number)["color"] if method in titles else MUTED},
            error_y={
                "array": np.nan_to_num(np.maximum(rows["high"].to_numpy(np.float64) - mean, 0)),
                "arrayminus": np.nan_to_num(np.maximum(mean - rows["low"].to_numpy(np.float64), 0)),
                "color": TEXT,
                "thickness": 1.5,
                "width": 3,
            },
            hovertemplate=f"{as_plotly(every[method])}: %{{y:.2f}}<extra></extra>",
        )
    figure.update_layout(barmode="group")
    figure.update_yaxes(range=[-0.35, 1.05])
    return figure


def cause_points(densities: pd.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """Return the density of relevance on each finding against the fall of the logit without it.

    Parameters
    ----------
    densities
        image_id, pathology, method, at and value.
    """
    figure = go.Figure(layout=chart_layout("Density of relevance on the finding"))
    every = {**titles, LOCATION: COMPARED[LOCATION]}
    for number, method in enumerate(name for name in every if name in set(densities["method"])):
        rows = densities[densities["method"] == method]
        style = style_of(number) if method in titles else {"color": CHANGED, "symbol": "x-thin-open"}
        figure.add_scatter(
            x=rows["at"],
            y=rows["value"],
            mode="markers",
            name=as_plotly(every[method]),
            marker={**style, "size": 8},
            customdata=rows[["image_id", "pathology"]].to_numpy(),
            text=[as_plotly(f"{row.image_id}, {row.pathology}") for row in rows.itertuples()],
            hovertemplate=f"{as_plotly(every[method])}: %{{y:.2f}}<br>%{{text}}<extra></extra>",
        )
    figure.add_hline(y=1, line={"color": FAINT, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        title="Fall of the logit without the finding", gridcolor="rgba(0,0,0,0)", zeroline=False
    )
    return figure


def _add_lines(figure: go.Figure, curves: pd.DataFrame, titles: Mapping[str, str], what: str) -> None:
    every = {**titles, **COMPARED}
    for number, method in enumerate(name for name in every if name in set(curves["method"])):
        rows = curves[curves["method"] == method].sort_values("at")
        line = {"color": style_of(number)["color"], "width": 2.5} if method in titles else None
        figure.add_scatter(
            x=rows["at"],
            y=rows["mean"],
            mode="lines+markers" if method in titles else "lines",
            name=as_plotly(every[method]),
            line=line or {"width": 1.5, **_OTHERS.get(method, {"color": FAINT, "dash": "dot"})},
            marker={"symbol": style_of(number)["symbol"], "size": 7},
            hovertemplate=f"{as_plotly(every[method])}, %{{x:.0%}}: {what} %{{y:.2f}}<extra></extra>",
        )
