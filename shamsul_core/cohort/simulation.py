"""What says that radiographs are simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAMELESS_SIMULATION = "Simulated radiographs, not of patients."


def read_simulated_note(path: Path) -> str:
    """Return the text of a ``SIMULATED.txt``: the label to show with every radiograph of its cohort."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        # It is there: whatever it says, nobody may take these for patients
        return _NAMELESS_SIMULATION
    return text.strip() or _NAMELESS_SIMULATION
