"""Marks as the files of a cohort hold them, one a box, polygon or mask, and the annotations that are made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shamsul_core.cohort.problems import CohortError, naming
from shamsul_core.imaging import ImageError, read_mask
from shamsul_core.imaging.rle import encode_mask
from shamsul_core.imaging.segmentations import decode_segmentation, read_polygons

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shamsul_core.cohort.annotation import Annotation, Kind
    from shamsul_core.imaging.contours import ContourArray
    from shamsul_core.imaging.rle import MaskArray, Size

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1."""


class Mark(NamedTuple):
    """One thing marked on a radiograph.

    Parameters
    ----------
    pathology
        By its canonical name.
    box
        In pixels of the size that the cohort states for its boxes; ``None`` where there is none.
    segmentation
        COCO's polygons or encoded mask, unchecked until it is used; or the path of a mask as PNG.
    annotator, phrase
        See `Annotation`.
    """

    pathology: str
    box: Box | None = None
    segmentation: object = None
    annotator: str = ""
    phrase: str = ""


def kinds_of(marks: Iterable[Mark]) -> dict[str, Kind]:
    """Return as what each pathology is marked: as boxes throughout where any of its marks is nothing but a box."""
    kinds: dict[str, Kind] = {}
    for mark in marks:
        kind: Kind = "contour"
        if mark.segmentation is None:
            kind = "box"
        elif isinstance(mark.segmentation, list):
            kind = "polygon"
        before = kinds.get(mark.pathology, kind)
        kinds[mark.pathology] = next(
            which for which in ("box", "polygon", "contour") if which in (before, kind)
        )
    return kinds


def annotation_of(marks: Sequence[Mark], kind: Kind, size: Size, annotation: Annotation) -> Annotation:
    """Return what one annotator marked of one pathology on one radiograph.

    Parameters
    ----------
    marks
        All of the annotator's, maybe none.
    kind
        As what they are taken.
    size
        Height and width in pixels that the marks are drawn on; a mask's own where it is a file.
    annotation
        An empty one with everything else.

    Raises
    ------
    CohortError
        A mark cannot be used.
    """
    phrase = " ".join(dict.fromkeys(mark.phrase for mark in marks if mark.phrase))
    annotation = replace(annotation, kind=kind, size=size, phrase=phrase)
    if kind == "box":
        boxes = np.array([mark.box for mark in marks if mark.box is not None], np.float64).reshape(-1, 4)
        return replace(annotation, boxes=boxes)
    with naming(annotation.subject):
        masks = [_mask(mark, size) for mark in marks]
        if not masks:
            return annotation
        if len({mask.shape for mask in masks}) > 1:
            message = "its masks are of several sizes"
            raise CohortError(message)
        height, width = masks[0].shape
        polygons = _polygons(marks, size) if kind == "polygon" else ()
        rle = encode_mask(np.any(masks, axis=0))
    return replace(annotation, size=(height, width), rle=rle, polygons=polygons)


def _mask(mark: Mark, size: Size) -> MaskArray:
    if not isinstance(mark.segmentation, Path):
        return decode_segmentation(mark.segmentation, size)
    try:
        return read_mask(mark.segmentation.read_bytes(), mark.pathology, mark.segmentation.name)
    except OSError as error:
        message = f"the mask cannot be read ({error.strerror})"
        raise CohortError(message, subject=str(mark.segmentation)) from error
    except ImageError as error:
        message = f"the mask cannot be read: {error}"
        raise CohortError(message, subject=str(mark.segmentation)) from error


def _polygons(marks: Sequence[Mark], size: Size) -> tuple[ContourArray, ...]:
    """Return the polygons as contours, whose whole numbers are at pixels' centres; none where a mark is a mask."""
    if not all(isinstance(mark.segmentation, list) for mark in marks):
        return ()
    return tuple(polygon - 0.5 for mark in marks for polygon in read_polygons(mark.segmentation, size))
