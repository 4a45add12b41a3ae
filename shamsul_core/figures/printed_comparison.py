"""The comparison as a figure for print, and its numbers as a table."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from textwrap import fill
from typing import TYPE_CHECKING, Any

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from shamsul_core.figures.comparison import comparison_scene
from shamsul_core.figures.overlay import map_for_screen
from shamsul_core.figures.relevance_colours import COLOUR_MAPS
from shamsul_core.wording import RESEARCH_ONLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from shamsul_core.cohort import Cohort
    from shamsul_core.cohort.radiograph import PixelArray
    from shamsul_core.figures.scene import Outline, Panel, Scene
    from shamsul_core.run import Run

KINDS = ("png", "svg", "pdf")

_WIDTH_IN = 3.0
_TITLE_IN, _LEGEND_IN, _LINE_IN = 0.42, 0.36, 0.155
_CHARACTERS_PER_IN = 15
_DPI = 200
_PIXELS = 900  # of the radiograph's longer side
_OPACITY = 0.65
_SPECKLED = 60  # a mask of more pieces than this would vanish under its own lines
_EXPERT, _MASK = "#00a86b", "#fff3c4"
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "hatch.linewidth": 0.5,
    "hatch.color": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "shamsul",
    "pdf.fonttype": 42,
}
"""The font comes with matplotlib, and nothing else in a file depends on where and when it was drawn."""


def print_comparison(
    run: Run, cohort: Cohort, image_id: str, pathology: str, scores: pd.DataFrame, kind: str
) -> bytes:
    """Draw the radiograph with the experts' contours and each method's heatmap and mask, side by side.

    The same run gives the same bytes.

    Parameters
    ----------
    scores
        The run's scores.
    kind
        One of `KINDS`.

    Raises
    ------
    ValueError
        If `kind` is none of them.
    CohortError, RunError
        If the radiograph or its result cannot be read.
    """
    if kind not in KINDS:
        message = f"a figure is one of {', '.join(KINDS)}, not {kind!r}"
        raise ValueError(message)
    scene = comparison_scene(run, cohort, image_id, pathology, scores)
    pixels = _small(cohort.radiographs[image_id].pixels())
    with mpl.rc_context(_STYLE):
        figure = _figure(run, scene, pixels)
        file = BytesIO()
        dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
        figure.savefig(file, format=kind, dpi=_DPI, metadata=dates)
    return file.getvalue()


def numbers_csv(run: Run, image_id: str, scores: pd.DataFrame) -> str:
    """Return the scores of one radiograph, all pathologies and methods, as CSV with the run's model and cohort."""
    here = scores[scores["image_id"] == image_id]
    about = {
        "run": run.name,
        "model": run.manifest.model["fingerprint"],
        "is_trained": run.manifest.model["is_trained"],
        "cohort": run.manifest.cohort["name"],
        "simulated": run.manifest.cohort.get("simulated"),
        "preset": run.manifest.preset,
    }
    return str(here.assign(**about).to_csv(index=False))


def caption(run: Run, scene: Scene, *, columns: int) -> str:
    """Return what stands under the figure, in lines of so many characters at most.

    What it shows, of which run, and what nobody must conclude.
    """
    facts = ". ".join(f"{fact.name}: {fact.value}" for fact in scene.facts)
    model, cohort = run.manifest.model, run.manifest.cohort
    origin = "" if scene.can_draw else f", cohort {cohort['name']}"
    source = (
        f"{f'Run {run.name}, model' if run.name else 'Model'} {model['source']} ({str(model['fingerprint'])[:12]})"
        f"{origin}, preset {run.manifest.preset}, masks by {scene.threshold_rule}."
    )
    is_hatched = any(panel.uncertain is not None and panel.uncertain.any() for panel in scene.panels)
    hatched = "Hatched: the relevance is within its own error of zero." if is_hatched else None
    parts = [f"{scene.image_id}, {scene.pathology}. {facts}.", hatched, source, scene.banner, RESEARCH_ONLY]
    return "\n".join(fill(part, columns) for part in parts if part)


def _figure(run: Run, scene: Scene, pixels: PixelArray) -> Figure:
    count = len(scene.panels)
    width_in = _WIDTH_IN * count
    height_in = _WIDTH_IN * scene.radiograph.height / scene.radiograph.width
    text = caption(run, scene, columns=int(_CHARACTERS_PER_IN * width_in))
    text_in = _LINE_IN * (text.count("\n") + 1)
    total_in = _TITLE_IN + height_in + _LEGEND_IN + text_in
    figure = Figure(figsize=(width_in, total_in), facecolor="white")
    FigureCanvasAgg(figure)
    bottom, height = (_LEGEND_IN + text_in) / total_in, height_in / total_in
    for i, panel in enumerate(scene.panels):
        _draw(figure.add_axes(((i + 0.01) / count, bottom, 0.98 / count, height)), panel, scene, pixels)
    figure.text(0.01 / count, text_in / total_in, text, va="top", linespacing=1.35)
    _legend(figure, (text_in + 0.12) / total_in, "your contour" if scene.can_draw else "expert's contour")
    return figure


def _draw(axes: Axes, panel: Panel, scene: Scene, pixels: PixelArray) -> None:
    width, height = scene.radiograph.width, scene.radiograph.height
    extent = (0, width, height, 0)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="bilinear")
    if panel.relevance is not None and np.any(panel.relevance):
        relevance = map_for_screen(panel.relevance, is_piecewise=panel.is_piecewise)
        table = COLOUR_MAPS[0].table / 255
        table[:, 3] *= _OPACITY
        greatest = float(np.abs(relevance).max())
        interpolation = "nearest" if panel.is_piecewise else "bilinear"
        axes.imshow(
            relevance,
            cmap=ListedColormap(table),
            vmin=-greatest,
            vmax=greatest,
            extent=extent,
            interpolation=interpolation,
            interpolation_stage="data",
        )
    if panel.uncertain is not None:
        rows = np.linspace(0, height, panel.uncertain.shape[0])
        columns = np.linspace(0, width, panel.uncertain.shape[1])
        axes.contourf(columns, rows, panel.uncertain, levels=(0.5, 1.5), colors="none", hatches=["////"])
    is_speckled = len(panel.outlines) > _SPECKLED
    _outlines(axes, panel.outlines, _MASK, "-" if is_speckled else "--", 0.4 if is_speckled else 1)
    _outlines(axes, scene.expert_outlines, _EXPERT, "-", 1)
    if panel.message:
        axes.text(0.5, 0.5, fill(panel.message, 32), transform=axes.transAxes, ha="center", color="white")
    readings = ", ".join(f"{metric.name} {metric.value}" for metric in panel.metrics)
    axes.set_title(f"{panel.title}\n{readings}" if readings else panel.title, loc="left", fontsize=9)
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    if scene.side_markers is not None:
        for text, x, ha in zip(scene.side_markers, (0.02, 0.98), ("left", "right"), strict=True):
            axes.text(x, 0.98, text, transform=axes.transAxes, ha=ha, va="top", color="white", weight="bold")


def _outlines(axes: Axes, outlines: Sequence[Outline], colour: str, dash: str, width: float) -> None:
    rings = [outline + 0.5 for outline in outlines]
    axes.add_collection(
        PolyCollection(rings, facecolors="none", edgecolors=colour, linestyles=dash, linewidths=width)
    )


def _legend(figure: Figure, y: float, contour: str) -> None:
    """Draw the colour bar with its meaning in words, and the two lines, in one row at this height."""
    width_in, height_in = figure.get_size_inches()
    bar = figure.add_axes((0.55 / width_in, y, 1.2 / width_in, 0.1 / height_in))
    table = COLOUR_MAPS[0].table / 255.0
    opacity = table[:, 3:] * _OPACITY
    bar.imshow((table[:, :3] * opacity + 0.2 * (1 - opacity))[None], aspect="auto")  # over dark grey
    bar.set(xticks=[], yticks=[])
    figure.text(0.5 / width_in, y, "against", ha="right")
    figure.text(1.8 / width_in, y, "towards the pathology")
    line = partial(Line2D, [], [], linewidth=1.4)
    handles = [
        line(color=_EXPERT, label=contour),
        line(color="#8a7f45", linestyle="--", label="method's mask"),  # as on the picture, but seen on white
    ]
    at = (1, y - 0.1 / height_in)
    figure.legend(handles=handles, loc="lower right", bbox_to_anchor=at, frameon=False, ncols=2)


def _small(pixels: PixelArray) -> PixelArray:
    """Return the radiograph at print size, by areas, so that a file stays small."""
    scale = _PIXELS / max(pixels.shape)
    if scale >= 1:
        return pixels
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
