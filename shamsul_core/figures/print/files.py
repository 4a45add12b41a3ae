"""Figures as files: the same bytes for the same content, without a date and without random names."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal, TypeAlias

from matplotlib.backends.backend_pdf import PdfPages

from shamsul_core.figures.print import settings as _settings  # noqa: F401 - makes matplotlib's

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure

FileKind: TypeAlias = Literal["png", "pdf", "svg"]

DOTS_PER_INCH = 200
"""Of figures of radiographs, which give it to matplotlib when they are made."""

_UNDATED = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
}


def encode_figure(
    figure: Figure, kind: FileKind, *, dots_per_inch: float | Literal["figure"] = "figure"
) -> bytes:
    """Return a figure as a file's bytes.

    Parameters
    ----------
    kind
        An SVG has its letters as outlines, so that it needs no font.
    dots_per_inch
        Of a PNG, and of the pictures in the others; the figure's own by default.
    """
    buffer = BytesIO()
    figure.savefig(
        buffer, format=kind, dpi=dots_per_inch, metadata=_UNDATED[kind], facecolor=figure.get_facecolor()
    )
    return buffer.getvalue()


def encode_pages(pages: Iterable[Figure]) -> bytes:
    """Return figures as the pages of one PDF."""
    buffer = BytesIO()
    with PdfPages(buffer, metadata=_UNDATED["pdf"]) as pdf:
        for page in pages:
            pdf.savefig(page, dpi="figure", facecolor=page.get_facecolor())
    return buffer.getvalue()
