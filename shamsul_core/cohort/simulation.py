"""What says that radiographs are simulated, and what is kept beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.cohort.problems import CohortError
from shamsul_core.imaging.reading import ImageError, read_radiograph

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_NAMELESS_SIMULATION = "Simulated radiographs, not of patients."


def read_simulated_note(path: Path) -> str:
    """Return the text of a ``SIMULATED.txt``: the label to show with every radiograph of its cohort."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        # It is there: whatever it says, nobody may take these for patients
        return _NAMELESS_SIMULATION
    return text.strip() or _NAMELESS_SIMULATION


def read_beside(path: Path, size: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return a picture that is kept beside a radiograph, uint8, of the size that the radiograph's asks for.

    Raises
    ------
    CohortError
        It cannot be read, or is of another radiograph.
    """
    try:
        pixels = read_radiograph(path).pixels
    except (ImageError, OSError) as error:
        raise CohortError(str(error), subject=str(path)) from error
    if pixels.shape != size or pixels.dtype != np.uint8:
        message = (
            f"it is {pixels.shape}, which does not go with the radiograph: {size}; simulate the cohort again"
        )
        raise CohortError(message, subject=str(path))
    return pixels.astype(np.uint8, copy=False)
