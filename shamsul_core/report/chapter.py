"""What a report is made of: chapters of words, tables and figures, whatever document they end in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Words:
    """A paragraph; plain text."""

    text: str


@dataclass(frozen=True, eq=False)
class Table:
    """A table.

    Parameters
    ----------
    name
        Of its CSV file, without the ending.
    caption
        What it shows, a sentence or more.
    frame
        What the CSV file holds.
    shown
        What the documents show, where that is less; its columns are in a reader's words.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    shown: pd.DataFrame | None = None

    @property
    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows as the documents show them."""
        frame = self.frame.reset_index() if self.shown is None else self.shown
        return list(map(str, frame.columns)), [
            [cell(value) for value in row] for row in frame.to_numpy(object)
        ]


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure.

    Parameters
    ----------
    name
        Of its PNG and SVG files, without the ending.
    caption
        What it shows, a sentence or more.
    figure
        For print.
    """

    name: str
    caption: str
    figure: Figure


Block: TypeAlias = Words | Table | Drawing


@dataclass(frozen=True, eq=False)
class Chapter:
    """A chapter."""

    title: str
    blocks: tuple[Block, ...]


def cell(value: Any) -> str:
    """Return a value as a table shows it.

    >>> [cell(value) for value in (0.12345, 3.0, 12, float("nan"), None, "LIME", 0.00004)]
    ['0.123', '3', '12', '–', '–', 'LIME', '4.0e-05']
    """
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    if not isinstance(value, float):
        return str(value)
    if value.is_integer():
        return f"{value:.0f}"
    return f"{value:.1e}" if abs(value) < 0.0005 else f"{value:.3f}"
