"""COCO's segmentations: a list of polygons, or a mask in either run-length encoding (https://cocodataset.org/#format-data)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from pycocotools import mask as coco_mask

from shamsul_core.imaging.contours import size_in_words
from shamsul_core.imaging.refusals import MaskError
from shamsul_core.imaging.rle import decode_rle
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from shamsul_core.imaging.contours import ContourArray
    from shamsul_core.imaging.rle import MaskArray, Size

_FEWEST_NUMBERS = 6
"""Of a polygon. pycocotools takes four for a box."""


def decode_segmentation(segmentation: object, size: Size) -> MaskArray:
    """Decode a segmentation as pycocotools does.

    Parameters
    ----------
    segmentation
        ``[[x0, y0, x1, y1, ...], ...]``, in pixels of which pixel 0 reaches from 0 to 1; or ``{"size", "counts"}``.
    size
        Height and width that the file states for the radiograph.

    Returns
    -------
    numpy.ndarray
        bool, H × W.

    Raises
    ------
    MaskError
        It is malformed or of another size; says how.

    Examples
    --------
    >>> decode_segmentation([[0, 0, 2, 0, 2, 1, 0, 1]], (2, 3)).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    if isinstance(segmentation, Mapping):
        mask = decode_rle(segmentation)
        if mask.shape != size:
            message = f"the mask is {size_in_words(mask.shape)}, its radiograph {size_in_words(size)}"
            raise MaskError(message)
        return mask
    polygons = [polygon.ravel().tolist() for polygon in read_polygons(segmentation, size)]
    whole = coco_mask.merge(coco_mask.frPyObjects(polygons, *size))
    return np.asarray(coco_mask.decode(whole), np.bool_)


def read_polygons(segmentation: object, size: Size) -> tuple[ContourArray, ...]:
    """Read polygons, float64, (n, 2) each: x and y in pixels of which pixel 0 reaches from 0 to 1.

    Raises
    ------
    MaskError
        They are malformed, or a point is further off the radiograph than the radiograph is large.
    """
    if not isinstance(segmentation, list) or not segmentation:
        message = (
            f"a segmentation must be a list of polygons or an encoded mask, it is {quoted(segmentation)}"
        )
        raise MaskError(message)
    return tuple(_read_polygon(polygon, size) for polygon in segmentation)


def _read_polygon(polygon: object, size: Size) -> ContourArray:
    message = f"a polygon must be [x0, y0, x1, y1, x2, y2, ...] in pixels, it is {quoted(polygon)}"
    try:
        numbers = np.asarray(polygon, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise MaskError(message) from error
    if (
        numbers.ndim != 1
        or numbers.size < _FEWEST_NUMBERS
        or numbers.size % 2
        or not np.isfinite(numbers).all()
    ):
        raise MaskError(message)
    # pycocotools' time and memory grow with the outline's length
    if (np.abs(numbers) > 2 * max(size)).any():
        message = f"a polygon lies far outside the radiograph of {size_in_words(size)}"
        raise MaskError(message)
    return numbers.reshape(-1, 2)
