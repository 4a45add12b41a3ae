"""What a file holds that was given in the place of another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def content_of(file: Path) -> str:
    """Return what a file does, as words that follow "this file": ``holds the contours that experts drew``, ``is of another kind``."""
    if file.name.endswith("_map.pkl"):
        return "is one heatmap"
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return "is of another kind"
    entries = content.values() if isinstance(content, dict) else ()
    marks = [
        mark
        for entry in entries
        if isinstance(entry, dict)
        for key, mark in entry.items()
        if key != "img_size"
    ]
    if any(isinstance(mark, dict) and "counts" in mark for mark in marks):
        return "holds run-length encoded masks"
    drawn = next((mark[0] for mark in marks if isinstance(mark, list) and mark), None)
    if not isinstance(drawn, list) or not drawn:
        return "holds no masks"
    is_contour = isinstance(drawn[0], list)
    return "holds the contours that experts drew" if is_contour else "holds the points that readers clicked"
