"""Patients' and radiographs' facts as tables spell them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shamsul_core.cohort.radiograph import Projection, View

_OLDEST = 150
_AGE = re.compile(r"(\d{1,3})(?:\.0*)?\s*([YMWD]?)", re.I)
_SEXES = {"m": "Male", "male": "Male", "f": "Female", "female": "Female"}
_PROJECTIONS: dict[str, Projection] = {"AP": "AP", "PA": "PA"}


def age_of(text: str) -> int | None:
    """Return an age in years, of DICOM's spelling too; ``None`` where it is none.

    >>> age_of("57"), age_of("058Y"), age_of("011M"), age_of("412"), age_of("")
    (57, 58, 0, None, None)
    """
    match = _AGE.fullmatch(text.strip())
    if match is None:
        return None
    age = int(match[1]) if match[2].upper() in ("", "Y") else 0
    return age if age <= _OLDEST else None


def sex_of(text: str) -> str | None:
    """Return ``"Male"`` or ``"Female"``, ``None`` where it says neither.

    >>> sex_of("M"), sex_of("female"), sex_of("")
    ('Male', 'Female', None)
    """
    return _SEXES.get(text.strip().lower())


def projection_of(text: str) -> Projection | None:
    """Return ``"AP"`` or ``"PA"``, ``None`` where it says neither."""
    return _PROJECTIONS.get(text.strip().upper())


def view_of(text: str) -> View | None:
    """Return ``"frontal"`` or ``"lateral"``, ``None`` where it says neither; AP and PA are frontal."""
    word = text.strip().lower()
    if word in ("frontal", "ap", "pa"):
        return "frontal"
    return "lateral" if word in ("lateral", "lat", "ll", "rl", "l") else None
