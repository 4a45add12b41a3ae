"""The comparison as a figure for print, and its numbers as a table."""

from __future__ import annotations

from functools import partial
from textwrap import fill
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from shamsul_core.figures.colours import EXPERT_INK, MASK_INK, WHITE
from shamsul_core.figures.print.files import DOTS_PER_INCH, encode_figure
from shamsul_core.figures.print.panel import draw_colour_bar, draw_panel
from shamsul_core.figures.scene.display import AS_AT_FIRST, displayed_scene
from shamsul_core.figures.scene.notes import threshold_rule
from shamsul_core.figures.scene.scene import hatching_in_words
from shamsul_core.run.scoring import segmentation_of
from shamsul_core.run.wording import RESEARCH_ONLY, cohort_in_words, sentence

if TYPE_CHECKING:
    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.print.files import FileKind
    from shamsul_core.figures.scene.display import Display
    from shamsul_core.figures.scene.scene import Scene
    from shamsul_core.run.reader import RunReader

KINDS = ("png", "svg", "pdf")

_WIDTH_IN, _ENLARGED_IN = 3.0, 7.0
_TITLE_IN, _LEGEND_IN, _LINE_IN = 0.42, 0.5, 0.155
_CHARACTERS_PER_IN = 15
_PIXELS_PER_IN = 300  # of the radiograph's longer side
_FONT_SIZE = 8


def print_comparison(
    run: RunReader,
    cohort: Cohort,
    image_id: str,
    pathology: str,
    scores: pd.DataFrame,
    kind: FileKind,
    display: Display = AS_AT_FIRST,
) -> bytes:
    """Draw the radiograph with the experts' contours and each method's heatmap and mask, side by side.

    The same run and display give the same bytes.

    Parameters
    ----------
    scores
        The run's scores.
    kind
        One of `KINDS`.
    display
        How the viewer shows them.

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
    scene = displayed_scene(run, cohort, image_id, pathology, scores, display)
    return encode_figure(_figure(run, scene, display), kind)


def numbers_csv(
    run: RunReader, cohort: Cohort, image_id: str, scores: pd.DataFrame, display: Display = AS_AT_FIRST
) -> str:
    """Return the scores of one radiograph, all pathologies and methods, as CSV with the run's model and cohort.

    ``threshold``, of the map scaled to 0..1, and ``threshold_rule`` say which mask the other scores are of.

    Parameters
    ----------
    scores
        The run's scores.
    display
        Whose threshold the masks have, where the reader chose one.

    Raises
    ------
    RunError
        If the radiograph's result cannot be read.
    """
    here = display.scores(run, cohort, image_id, scores)
    settings = segmentation_of(run)
    rules = [display.threshold or threshold_rule(settings, name) for name in here["pathology"]]
    origin = {
        "threshold_rule": rules,
        "run": run.name,
        "model": run.manifest.model["fingerprint"],
        "is_trained": run.manifest.model["is_trained"],
        "cohort": run.manifest.cohort["name"],
        "simulated": run.manifest.cohort.get("simulated"),
        "preset": run.manifest.preset,
    }
    return str(here.assign(**origin).to_csv(index=False))


def caption(run: RunReader, scene: Scene, *, columns: int, display: Display = AS_AT_FIRST) -> str:
    """Return what stands under the figure, in lines of so many characters at most.

    What it shows, of which run, and what nobody must conclude.
    """
    facts = ". ".join(f"{fact.name}: {fact.value}" for fact in scene.facts)
    manifest, of_masks = run.manifest, "by" if display.threshold is None else "at"
    source = (
        "" if run.name is None else f"Run {run.name}",
        f"model {manifest.model['source']} ({str(manifest.model['fingerprint'])[:12]})",
        "" if run.name is None else f"cohort: {cohort_in_words(manifest.cohort)}",
        f"preset {manifest.preset}",
        f"masks {of_masks} {scene.threshold_rule}.",
    )
    choices = display.words(manifest.titles, scene.truth)
    parts = [
        f"{scene.image_id}, {scene.pathology}. {facts}.",
        f"Shown as on the screen: {', '.join(choices)}." if choices else None,
        hatching_in_words(scene.panels) if display.has_heatmap else None,
        sentence(", ".join(filter(None, source))),
        scene.banner,
        RESEARCH_ONLY,
    ]
    return "\n".join(fill(part, columns) for part in parts if part)


def _figure(run: RunReader, scene: Scene, display: Display) -> Figure:
    count = len(scene.panels)
    panel_in = _ENLARGED_IN if count == 1 else _WIDTH_IN
    width_in = panel_in * count
    rows, columns = display.shown_part(scene.pixels.shape)
    height_in = panel_in * (rows.stop - rows.start) / (columns.stop - columns.start)
    longest_px = min(max(scene.pixels.shape), round(panel_in * _PIXELS_PER_IN))
    text = caption(run, scene, columns=int(_CHARACTERS_PER_IN * width_in), display=display)
    text_in = _LINE_IN * (text.count("\n") + 1)
    total_in = _TITLE_IN + height_in + _LEGEND_IN + text_in
    figure = Figure(figsize=(width_in, total_in), dpi=DOTS_PER_INCH, facecolor=WHITE)
    FigureCanvasAgg(figure)
    bottom, height = (_LEGEND_IN + text_in) / total_in, height_in / total_in
    for i, panel in enumerate(scene.panels):
        box = ((i + 0.01) / count, bottom, 0.98 / count, height)
        axes = figure.add_axes(box)
        draw_panel(axes, scene, panel, display, longest_px=longest_px)
        readings = ", ".join(f"{metric.name} {metric.value}" for metric in panel.metrics)
        axes.set_title(f"{panel.title}\n{readings}" if readings else panel.title, loc="left", fontsize=9)
    figure.text(0.01 / count, text_in / total_in, text, va="top", linespacing=1.35, fontsize=_FONT_SIZE)
    _legend(figure, (text_in + 0.26) / total_in, scene, display)
    return figure


def _legend(figure: Figure, y: float, scene: Scene, display: Display) -> None:
    """Draw the colour bar with its meaning in words, and the two lines, in one row at this height."""
    width_in, height_in = figure.get_size_inches()
    if display.has_heatmap:
        bar = figure.add_axes((0.25 / width_in, y, 1.4 / width_in, 0.1 / height_in))
        draw_colour_bar(bar, display=display, towards="for the pathology")
    line = partial(Line2D, [], [], linewidth=1.4)
    handles = []
    if display.has_contour:
        handles.append(line(color=EXPERT_INK, label=scene.own_mark))
    if display.has_mask:  # as on the picture, but seen on white
        handles.append(line(color=MASK_INK, linestyle="--", label="method's mask"))
    at = (1, y - 0.1 / height_in)
    figure.legend(
        handles=handles, loc="lower right", bbox_to_anchor=at, frameon=False, ncols=2, fontsize=_FONT_SIZE
    )
