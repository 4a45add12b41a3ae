"""How the pixels that a file stores lie in the picture that is shown: square, upright, the patient's left at the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Size = tuple[int, int]

_EXIF = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
"""For each orientation of EXIF but the upright one: transposed, rows reversed, columns reversed."""


@dataclass(frozen=True)
class Geometry:
    """From stored to shown: stretched until the pixels are square, then transposed, then mirrored.

    Parameters
    ----------
    stored
        Height and width in the file, in pixels.
    square
        Height and width once the pixels are square.
    is_transposed
        Whether rows become columns.
    rows_reversed, columns_reversed
        Whether what was up (left) is down (right) then.
    """

    stored: Size
    square: Size
    is_transposed: bool = False
    rows_reversed: bool = False
    columns_reversed: bool = False

    @classmethod
    def of_exif(cls, size: Size, orientation: object) -> Geometry:
        """Return what EXIF's orientation asks for (1 to 8, CIPA DC-008 4.6.5); anything else leaves it as stored."""
        return cls(size, size, *_EXIF.get(orientation, (False, False, False)))  # type: ignore[call-overload]

    @property
    def shown(self) -> Size:
        """Height and width as shown, in pixels."""
        return self.square[::-1] if self.is_transposed else self.square

    @property
    def is_as_stored(self) -> bool:
        """Whether the picture shown is the one stored, pixel by pixel."""
        return self == Geometry(self.stored, self.stored)

    def show(self, stored: Array) -> Array:
        """Return an array of the stored size as shown; where it is stretched, the nearest pixel counts."""
        return self.turn(_nearest(stored, self.square))

    def turn(self, square: Array) -> Array:
        """Return an array of square pixels as shown."""
        turned = square.T if self.is_transposed else square
        turned = turned[::-1] if self.rows_reversed else turned
        turned = turned[:, ::-1] if self.columns_reversed else turned
        return np.ascontiguousarray(turned)

    def store(self, array: Array) -> Array:
        """Return an array of the shown size as the file would store it: what `show` undoes."""
        back = array[:, ::-1] if self.columns_reversed else array
        back = back[::-1] if self.rows_reversed else back
        back = back.T if self.is_transposed else back
        return np.ascontiguousarray(_nearest(back, self.stored))

    def show_points(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return points (n × 2: x, y in pixels, whole numbers at pixels' centres) of the stored picture as shown."""
        if self.is_as_stored:
            return points
        scale = np.array([self.square[1] / self.stored[1], self.square[0] / self.stored[0]])
        turned = (points + 0.5) * scale - 0.5
        turned = turned[:, ::-1] if self.is_transposed else turned
        height, width = self.shown
        reversed_ = np.array([self.columns_reversed, self.rows_reversed])
        mirrored = np.array([width - 1, height - 1]) - turned
        return np.asarray(np.where(reversed_, mirrored, turned), np.float64)


def _nearest(array: Array, size: Size) -> Array:
    if array.shape[:2] == size:
        return array
    rows, columns = (
        ((np.arange(wanted) + 0.5) * (there / wanted)).astype(int)
        for wanted, there in zip(size, array.shape, strict=False)
    )
    return np.asarray(array[rows[:, None], columns])
