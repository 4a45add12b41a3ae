"""Boxes around what was marked: x0, y0, x1, y1 in pixels, where pixel 0 reaches from 0 to 1."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from shamsul_core.imaging.refusals import MaskError
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.imaging.geometry import Geometry
    from shamsul_core.imaging.rle import MaskArray, Size

BoxArray: TypeAlias = npt.NDArray[np.float64]

NO_BOXES: BoxArray = np.empty((0, 4))


def read_box(values: Sequence[object], *, is_sized: bool = False) -> tuple[float, float, float, float]:
    """Read the four numbers of a box as a file has them.

    Parameters
    ----------
    values
        Two corners x0, y0, x1, y1, whichever comes first; or one, width and height where `is_sized`.

    Returns
    -------
    tuple of float
        x0, y0, x1, y1.

    Raises
    ------
    MaskError
        They are not four finite numbers.

    Examples
    --------
    >>> read_box(["30", "40.5", "10", "20"])
    (10.0, 20.0, 30.0, 40.5)
    """
    try:
        x0, y0, x1, y1 = (float(value) for value in values)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        message = f"a box must be four numbers, it is {quoted(values)}"
        raise MaskError(message) from error
    # numpy would take ten times as long for four numbers
    if not all(map(isfinite, (x0, y0, x1, y1))):
        message = f"a box must be four numbers, it is {quoted(values)}"
        raise MaskError(message)
    if is_sized:
        x1, y1 = x0 + x1, y0 + y1
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def fill_boxes(boxes: BoxArray, size: Size) -> MaskArray:
    """Fill boxes as pycocotools does: a pixel is inside where its centre is.

    Parameters
    ----------
    boxes
        float64, n × 4: x0, y0, x1, y1 in pixels; what lies outside the radiograph is cut off.
    size
        Height and width of the mask.

    Returns
    -------
    numpy.ndarray
        bool, H × W. A box too small to hold a pixel's centre, such as a point, marks the pixel that it lies in.

    Examples
    --------
    >>> fill_boxes(np.array([[0.6, 0.0, 3.2, 1.4]]), (2, 4)).astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    height, width = size
    mask = np.zeros(size, np.bool_)
    for x0, y0, x1, y1 in boxes.tolist():
        (left, right), (top, bottom) = _covered(x0, x1, width), _covered(y0, y1, height)
        mask[top:bottom, left:right] = True
    return mask


def show_boxes(boxes: BoxArray, geometry: Geometry) -> BoxArray:
    """Return boxes on the stored picture as boxes on the one shown, float64, n × 4."""
    # The corners' coordinates are those of edges, half a pixel from the centres that `show_points` takes
    corners = [geometry.show_points(corner - 0.5) + 0.5 for corner in (boxes[:, :2], boxes[:, 2:])]
    return np.hstack([np.minimum(*corners), np.maximum(*corners)])


def outline_boxes(boxes: BoxArray) -> tuple[npt.NDArray[np.float64], ...]:
    """Return the corners of each box, float64, (4, 2): x and y in pixels, whole numbers at pixels' centres."""
    return tuple(
        np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) - 0.5 for x0, y0, x1, y1 in boxes.tolist()
    )


def _covered(low: float, high: float, most: int) -> tuple[int, int]:
    """Return the first pixel covered along one axis, and the first that is not any more."""
    if high <= 0 or low >= most:
        return 0, 0
    first, end = int(np.floor(low + 0.5)), int(np.floor(high + 0.5))
    if first >= end:
        first = int(np.floor((low + high) / 2))
        end = first + 1
    return max(first, 0), min(end, most)
