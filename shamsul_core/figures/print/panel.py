"""A panel of a scene on matplotlib's axes: its picture as `still` makes it, its lines sharp at any size.

Matplotlib takes a third of a second to import: import this module only when a figure is asked for.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection

from shamsul_core.figures.colours import EXPERT, MASK, WHITE
from shamsul_core.figures.print import settings as _settings  # noqa: F401 - makes matplotlib's
from shamsul_core.figures.scene.display import AS_AT_FIRST
from shamsul_core.figures.scene.still import SPECKLED, blended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from shamsul_core.figures.scene.display import Display
    from shamsul_core.figures.scene.scene import Outline, Panel, Scene

_MESSAGE_CHARACTERS = 32
_WORDS_PT = 8
_LINE_PT, _SPECKLE_PT = 1.0, 0.4
_UNDER_COLOURS = 0.35
"""Grey under the colour bar, as under a heatmap over the lung."""


def draw_panel(
    axes: Axes, scene: Scene, panel: Panel, display: Display = AS_AT_FIRST, *, longest_px: int = 1000
) -> None:
    """Draw one panel: radiograph and heatmap, the method's mask dashed, the experts' contours, side markers, a message.

    Parameters
    ----------
    axes
        Emptied of its frame and ticks; its data coordinates are the radiograph's pixels.
    display
        How the heatmap is drawn and which part is shown; the scene is as `displayed_scene` makes it.
    longest_px
        Resolution of the picture.
    """
    rows, columns = display.shown_part(scene.pixels.shape)
    axes.imshow(
        blended(scene, panel, longest_px, display),
        extent=(columns.start, columns.stop, rows.stop, rows.start),
        interpolation="lanczos",
        aspect="equal",
    )
    is_speckled = len(panel.outlines) > SPECKLED
    _draw_outlines(
        axes, panel.outlines, MASK, "-" if is_speckled else "--", _SPECKLE_PT if is_speckled else _LINE_PT
    )
    _draw_outlines(axes, scene.expert_outlines, EXPERT, "-", _LINE_PT)
    if panel.message:
        words = fill(panel.message, _MESSAGE_CHARACTERS)
        axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", color=WHITE, fontsize=_WORDS_PT)
    for text, x, side in zip(scene.side_markers or (), (0.02, 0.98), ("left", "right"), strict=False):
        marker = axes.text(x, 0.98, text, transform=axes.transAxes, color=WHITE, weight="bold")
        marker.set(ha=side, va="top", fontsize=_WORDS_PT)
    axes.set(xlim=(columns.start, columns.stop), ylim=(rows.stop, rows.start), anchor="N")
    axes.set_axis_off()


def _draw_outlines(axes: Axes, outlines: Sequence[Outline], colour: str, dash: str, width_pt: float) -> None:
    centres = [outline + 0.5 for outline in outlines]  # of pixels, whose first begins at 0
    axes.add_collection(
        PolyCollection(centres, facecolors="none", edgecolors=colour, linestyles=dash, linewidths=width_pt)
    )


def draw_colour_bar(
    axes: Axes, colour: str = "black", display: Display = AS_AT_FIRST, *, towards: str = "for"
) -> None:
    """Draw the colours of relevance from against to towards the pathology, over the grey they have in the panels.

    Parameters
    ----------
    colour
        Of the words.
    display
        Whose colours and opacity; where they do not show what speaks against, the bar begins at 0.
    towards
        What stands at the bar's end.
    """
    is_signed = bool(display.colour_map.against)
    table = display.colour_map.table[0 if is_signed else 127 :].astype(np.float64) / 255
    share = display.opacity * table[:, 3:]
    least = -1 if is_signed else 0
    picture = (_UNDER_COLOURS * (1 - share) + table[:, :3] * share)[None]
    axes.imshow(picture, aspect="auto", extent=(least, 1, 0, 1))
    axes.set_yticks([])
    ticks = {at: words for at, words in {-1: "against", 0: "0", 1: towards}.items() if at >= least}
    axes.set_xticks(list(ticks), list(ticks.values()), color=colour, fontsize=_WORDS_PT)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
