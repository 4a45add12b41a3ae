"""The expert annotation: where an expert saw one pathology on one radiograph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from shamsul_core.cohort.problems import CohortError, about, quoted
from shamsul_core.imaging.rle import MaskArray, area_of_rle, decode_rle, encode_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.cohort.radiograph import Size
    from shamsul_core.imaging import Geometry

__all__ = ["Annotation", "decode_rle", "encode_mask", "fill_contours", "outline_mask", "read_contours"]

ContourArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Annotation:
    """What an expert marked of one pathology on one radiograph; nothing marked is an annotation too.

    The mask is the encoded one where there is one, else the filled contours, else empty.

    Parameters
    ----------
    image_id
        The radiograph.
    pathology
        By CheXpert's name.
    size
        Height and width of the mask in pixels.
    rle
        The mask in COCO's run-length encoding, unchecked until it is used.
    polygons
        The contours as drawn, float64, (n, 2) each, x and y in pixels.
    source
        Name of the file it comes from, for messages.
    """

    image_id: str
    pathology: str
    size: Size
    rle: Mapping[str, object] | None = None
    polygons: tuple[ContourArray, ...] = ()
    source: str = ""

    @property
    def subject(self) -> str:
        """What a message about this annotation begins with: file, radiograph, pathology."""
        return " ".join(part for part in (self.source, self.image_id, self.pathology) if part)

    def mask(self) -> MaskArray:
        """Decode the mask.

        Returns
        -------
        numpy.ndarray
            bool, H × W, True inside.

        Raises
        ------
        CohortError
            The encoding is malformed or of another size.
        """
        with about(self.subject):
            mask = fill_contours(self.polygons, self.size) if self.rle is None else decode_rle(self.rle)
            if mask.shape != self.size:
                message = f"the mask is {_by(mask.shape)}, it should be {_by(self.size)}"
                raise CohortError(message)
            return mask

    @property
    def area(self) -> int:
        """Number of pixels inside; an encoded mask is not decoded for it.

        Raises
        ------
        CohortError
            The encoding is malformed.
        """
        if self.rle is None:
            return int(np.count_nonzero(self.mask())) if self.polygons else 0
        with about(self.subject):
            return area_of_rle(self.rle)

    @property
    def is_empty(self) -> bool:
        """Whether the expert marked nothing.

        Raises
        ------
        CohortError
            The encoding is malformed.
        """
        return self.area == 0

    def shown(self, geometry: Geometry) -> Annotation:
        """Return it on the radiograph as shown, where it was drawn on the radiograph as stored.

        Raises
        ------
        CohortError
            The encoding is malformed.
        """
        if geometry.is_as_stored:
            return self
        rle = None if self.rle is None else encode_mask(geometry.show(self.mask()))
        polygons = tuple(geometry.show_points(points) for points in self.polygons)
        return replace(self, size=geometry.shown, rle=rle, polygons=polygons)

    @property
    def contours(self) -> tuple[ContourArray, ...]:
        """The contours: as the expert drew them, else the outlines of the mask; float64, (n, 2) each, x and y.

        Raises
        ------
        CohortError
            There are no drawn contours and the encoding is malformed.
        """
        return self.polygons or outline_mask(self.mask())


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
    CohortError
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
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(contour.reshape(-1, 2).astype(np.float64) for contour in found)


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
    CohortError
        It is anything else, or a point is further off the radiograph than the radiograph is large.
    """
    if not isinstance(value, list | tuple):
        message = f"the contours must be a list of lists of points, they are {quoted(value)}"
        raise CohortError(message)
    return tuple(_read_contour(contour, size) for contour in value)


def _read_contour(value: object, size: Size) -> ContourArray:
    points = as_points(value)
    if len(points) < 2:
        message = f"a contour needs at least two points, this one is {quoted(value)}"
        raise CohortError(message)
    # Pillow's time grows with the polygon, not with the canvas; drawing tools overshoot the border by little.
    height, width = size
    if (np.abs(points) > 2 * max(height, width)).any():
        message = f"a contour lies far outside the radiograph of {_by(size)}"
        raise CohortError(message)
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
    CohortError
        It is anything else.
    """
    message = f"the points must be [[x, y], ...] in pixels, they are {quoted(value)}"
    try:
        points = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise CohortError(message) from error
    if points.size == 0:
        return np.empty((0, 2))
    if (
        points.dtype.kind not in "iuf"
        or points.ndim != 2
        or points.shape[1] != 2
        or not np.isfinite(points).all()
    ):
        raise CohortError(message)
    return points.astype(np.float64)


def _by(size: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in size)
