"""The same patient without a finding: a second truth, which only a simulated cohort has.

For a radiograph's observation ``Counterfactuals/<split>/<id>/<CheXlocalize's name>.png`` holds the difference that it makes, of
the radiograph's size, since a lead or a wire is thinner than half of that shows: a value v of 8 bits is 2 (v - 128) grey
levels, with the finding less without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.cohort.problems import CohortError
from shamsul_core.cohort.simulation import read_beside
from shamsul_core.vocabulary import chexlocalize_name

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from shamsul_core.cohort.radiograph import Radiograph

CHANGED_FROM = 6.0
"""Grey levels, of 255, of a difference that a reader begins to see; a simulated radiograph's noise has about one."""
_MIDDLE, _STEP = 128, 2.0


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """A radiograph without a finding.

    Parameters
    ----------
    pixels
        uint8, H × W: the same patient, exposure and noise without it.
    changed
        bool, H × W: where the finding changes the picture by `CHANGED_FROM` and more.
    """

    pixels: npt.NDArray[np.uint8]
    changed: npt.NDArray[np.bool_]


def counterfactual_file(folder: Path, split: str, image_id: str, pathology: str) -> Path:
    """Return where the difference lies in a cohort's folder."""
    return folder / "Counterfactuals" / split / image_id / f"{chexlocalize_name(pathology)}.png"


def encode_difference(with_it: npt.NDArray[np.uint8], without: npt.NDArray[np.uint8]) -> bytes:
    """Return the content of the file that holds the difference of two pictures of H × W."""
    difference = with_it.astype(np.float32) - without
    values = np.clip(np.rint(difference / _STEP) + _MIDDLE, 0, 255).astype(np.uint8)
    _, content = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return content.tobytes()


def read_counterfactual(path: Path, radiograph: Radiograph) -> Counterfactual:
    """Return a radiograph without what a file says that a finding changes.

    Raises
    ------
    CohortError
        The radiograph or the file cannot be read, or the file is of another radiograph.
    """
    pixels = radiograph.pixels()
    values = read_beside(path, pixels.shape)
    if pixels.dtype != np.uint8:
        message = f"it is of 8 bits, the radiograph of {8 * pixels.itemsize}; simulate the cohort again"
        raise CohortError(message, subject=str(path))
    difference = _STEP * (values.astype(np.float32) - _MIDDLE)
    without = np.clip(np.rint(pixels - difference), 0, 255).astype(np.uint8)
    return Counterfactual(without, np.abs(difference) > CHANGED_FROM)
