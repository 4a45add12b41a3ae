"""IoU against what it may go with, each radiograph a point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from shamsul_core.cohort.truth_words import words_in
from shamsul_core.figures.colours import LINE
from shamsul_core.figures.html.foreign import as_plotly
from shamsul_core.run.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

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

_COUNTED = 0.6
"""Over how much of the axis points of one whole number are strewn."""

_COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100)
"""Where an axis of whole numbers has its ticks."""

_TICKS = tuple(float(f"{digit}e{power}") for power in range(-6, 4) for digit in (1, 2, 5))
"""Where a logarithmic axis has them."""


def iou_against(
    scores: pd.DataFrame,
    against: str,
    words: str,
    titles: Mapping[str, str],
    *,
    is_logarithmic: bool = False,
    seed: int = 0,
) -> go.Figure:
    """Return every radiograph's IoU against another column.

    Parameters
    ----------
    scores
        image_id, pathology, method, iou and the column `against`.
    words
        What stands at the axis.
    is_logarithmic
        Whether the axis is.
    seed
        Of which points are drawn, where there are more than `MOST_POINTS`, and of how far those that share a whole
        number are strewn to its sides, by less than half. On hover each says its own value; no IoU is moved.
    """
    truth = words_in(scores)
    generator = np.random.default_rng(seed)
    figure = go.Figure(layout=chart_layout(f"{sentence(truth.score)} with the experts' {truth.plural}"))
    points = known_points(scores, "iou", against)
    top = highest_iou([points["iou"].max(), 0.3])
    points = drawn_points(points[points["method"].isin(titles)], seed)
    values = points[against].to_numpy(np.float32)
    is_counted = bool((values == np.rint(values)).all()) and len(points) > 0
    opacity = opacity_of(len(points))
    for number, (method, title) in enumerate(titles.items()):
        here = points[points["method"] == method]
        x = here[against].to_numpy(np.float32)
        sideways = (generator.random(len(x), np.float32) - np.float32(0.5)) * np.float32(_COUNTED)
        figure.add_trace(
            point_trace(
                x + sideways if is_counted else x,
                here,
                style_of(number) | {"opacity": opacity},
                name=as_plotly(title),
                hover=f"{as_plotly(title)}: {truth.score} %{{y:.2f}}, {words} %{{text}}",
                text=[f"{value:.3g}" for value in x],
            )
        )
    figure.update_xaxes(
        title=words,
        type="log" if is_logarithmic else "linear",
        gridcolor=LINE,
        zeroline=False,
        automargin=True,
    )
    if is_counted:
        figure.update_xaxes(tickvals=[count for count in _COUNTS if count <= values.max()])
    elif is_logarithmic:
        figure.update_xaxes(tickvals=_TICKS)
    else:
        figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.02, 1.07 * top], dtick=tick_step(top))
    return figure
