"""The longer texts of the pages, a Markdown file each."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent
_UNKNOWN = "There is no description of this yet."


def text(name: str) -> str:
    """Return a text; of a method that came later, that there is none."""
    path = _FOLDER / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else _UNKNOWN
