"""Which part of a cohort is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort.problems import CohortError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ALL = "all"
"""The split of all radiographs."""

SPLIT_NAMES = {"valid": "val", "validate": "val", "validation": "val", "training": "train"}
"""What some files call a split that goes by another name here."""


def choose_split(wanted: str | None, present: Sequence[str], folder: Path) -> str:
    """Return the split to open.

    Parameters
    ----------
    wanted
        As it was asked for; ``None`` for the first.
    present
        Those there are, the one to open by default first.
    folder
        The cohort's, for the message.

    Raises
    ------
    CohortError
        There is no such split.
    """
    split = present[0] if wanted is None else SPLIT_NAMES.get(wanted, wanted)
    if split not in present:
        message = f"there is no split named {wanted!r}; there are {', '.join(present)}"
        raise CohortError(message, subject=str(folder))
    return split
