"""What figures for print share: a panel on matplotlib's axes, and files that are the same bytes for the same content.

Matplotlib takes a third of a second to import: import this module only when a figure is asked for.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from matplotlib.backends.backend_pdf import PdfPages

from shamsul_core.figures.print import settings as _settings  # noqa: F401 - makes matplotlib's
from shamsul_core.figures.print.still import still
from shamsul_core.figures.scene.display import AS_AT_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shamsul_core.figures.scene.scene import Panel, Scene

FileKind: TypeAlias = Literal["png", "pdf", "svg"]

_UNDATED = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
}


def draw_panel(axes: Axes, scene: Scene, panel: Panel, *, longest_px: int = 1000) -> None:
    """Draw one panel of a scene as `still` has it.

    Parameters
    ----------
    axes
        Emptied of its frame and ticks; its data coordinates are the radiograph's pixels.
    longest_px
        Resolution of the picture.
    """
    height, width = scene.pixels.shape
    axes.imshow(
        still(scene, panel, longest_px),
        extent=(0, width, height, 0),
        interpolation="lanczos",
        aspect="equal",
    )
    if panel.message is not None:
        axes.text(0.5, 0.5, panel.message, transform=axes.transAxes, color="white", ha="center", wrap=True)
    axes.set(xlim=(0, width), ylim=(height, 0), anchor="N")
    axes.set_axis_off()


def draw_colour_bar(axes: Axes, colour: str = "black") -> None:
    """Draw the colours of relevance from against to towards the pathology, over the grey they have in the panels.

    Parameters
    ----------
    colour
        Of the words.
    """
    table = AS_AT_FIRST.colour_map.table.astype(np.float64) / 255
    share = AS_AT_FIRST.opacity * table[:, 3:]
    axes.imshow((0.35 * (1 - share) + table[:, :3] * share)[None], aspect="auto", extent=(-1, 1, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([-1, 0, 1], ["against", "0", "for"], color=colour, fontsize=8)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def encode_pages(pages: Iterable[Figure]) -> bytes:
    """Return figures as the pages of one PDF, the same bytes for the same figures."""
    buffer = BytesIO()
    with PdfPages(buffer, metadata=_UNDATED["pdf"]) as pdf:
        for page in pages:
            pdf.savefig(page, dpi=200, facecolor=page.get_facecolor())
    return buffer.getvalue()


def encode_figure(figure: Figure, kind: FileKind, *, dots_per_inch: int = 200) -> bytes:
    """Return a figure as a file's bytes, the same for the same figure: without a date, without random names."""
    buffer = BytesIO()
    figure.savefig(
        buffer, format=kind, dpi=dots_per_inch, metadata=_UNDATED[kind], facecolor=figure.get_facecolor()
    )
    return buffer.getvalue()
