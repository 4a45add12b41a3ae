"""Contours: lists of points around what was marked, filled to masks and found in masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from shamsul_core.imaging.refusals import MaskError
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.imaging.rle import MaskArray, Size

ContourArray: TypeAlias = npt.NDArray[np.float64]


def fill_contours(polygons: Sequence[npt.ArrayLike], size: Size) -> MaskArray:
    """Fill contours as CheXlocalize's ``annotation_to_segmentation.py`` does: Pillow's polygon with its outline.

    Parameters
    ----------
    polygons
        Contours of at least two points (x, y), in pixels.
    size
        Height and width of the mask.

    Returns
    -------
    numpy.ndarray
        bool, H × W, True inside any of the contours and on their outlines.

    Raises
    ------
    MaskError
        A contour is not a list of at least two points near the radiograph.

    Examples
    --------
    >>> fill_contours([[(1, 0), (2, 0), (2, 1), (1, 1)]], (2, 4)).astype(int).tolist()
    [[0, 1, 1, 0], [0, 1, 1, 0]]
    """
    height, width = size
    canvas = Image.new("1", (width, height))
    pen = ImageDraw.Draw(canvas)
    for contour in read_contours(polygons, size):
        pen.polygon([(x, y) for x, y in contour.tolist()], outline=1, fill=1)
    return np.array(canvas, dtype=np.bool_)


def outline_mask(mask: MaskArray) -> tuple[ContourArray, ...]:
    """Find the outlines of a mask, those of its holes among them.

    Parameters
    ----------
    mask
        bool, H × W.

    Returns
    -------
    tuple of numpy.ndarray
        float64, (n, 2) each: x and y of the outermost pixels inside, as OpenCV's ``findContours`` gives them.
    """
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(contour.reshape(-1, 2).astype(np.float64) for contour in outlines)


def read_contours(value: object, size: Size) -> tuple[ContourArray, ...]:
    """Read the contours of one pathology as a file has them.

    Parameters
    ----------
    value
        ``[[[x, y], ...], ...]``.
    size
        Height and width of the radiograph.

    Returns
    -------
    tuple of numpy.ndarray
        float64, (n, 2) each.

    Raises
    ------
    MaskError
        It is anything else, or a point is further off the radiograph than the radiograph is large.
    """
    if not isinstance(value, list | tuple):
        message = f"the contours must be a list of lists of points, they are {quoted(value)}"
        raise MaskError(message)
    return tuple(_read_contour(contour, size) for contour in value)


def _read_contour(value: object, size: Size) -> ContourArray:
    points = as_points(value)
    if len(points) < 2:
        message = f"a contour needs at least two points, this one is {quoted(value)}"
        raise MaskError(message)
    # Pillow's time grows with the polygon, not with the canvas; drawing tools overshoot the border by little.
    height, width = size
    if (np.abs(points) > 2 * max(height, width)).any():
        message = f"a contour lies far outside the radiograph of {size_in_words(size)}"
        raise MaskError(message)
    return points


def as_points(value: object) -> ContourArray:
    """Read a list of points.

    Parameters
    ----------
    value
        ``[[x, y], ...]``.

    Returns
    -------
    numpy.ndarray
        float64, (n, 2), finite.

    Raises
    ------
    MaskError
        It is anything else.
    """
    message = f"the points must be [[x, y], ...] in pixels, they are {quoted(value)}"
    try:
        points = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise MaskError(message) from error
    if points.size == 0:
        return np.empty((0, 2))
    if (
        points.dtype.kind not in "iuf"
        or points.ndim != 2
        or points.shape[1] != 2
        or not np.isfinite(points).all()
    ):
        raise MaskError(message)
    return points.astype(np.float64)


def size_in_words(size: tuple[int, ...]) -> str:
    """Return height and width as they stand in messages.

    >>> size_in_words((2320, 2828))
    '2320 × 2828'
    """
    return " × ".join(str(side) for side in size)
