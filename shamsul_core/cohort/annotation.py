"""The expert annotation: where an expert saw one pathology on one radiograph, as a contour, a box or a point."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from shamsul_core.cohort.problems import CohortError, naming
from shamsul_core.imaging.boxes import NO_BOXES, fill_boxes, outline_boxes, show_boxes
from shamsul_core.imaging.contours import fill_contours, outline_mask, size_in_words
from shamsul_core.imaging.rle import area_of_rle, decode_rle, encode_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.imaging import Geometry
    from shamsul_core.imaging.boxes import BoxArray
    from shamsul_core.imaging.contours import ContourArray
    from shamsul_core.imaging.rle import MaskArray, Size


Kind: TypeAlias = Literal["contour", "polygon", "box", "point"]
"""What an expert's mark is; scores against different kinds are different scores."""

OUTLINED: tuple[Kind, ...] = ("contour", "polygon")
"""Those that hold what is ill and nothing else, so that a mask's overlap with them means something."""

_OF_BOXES: tuple[Kind, ...] = ("box", "point")


@dataclass(frozen=True, kw_only=True, eq=False)
class Annotation:
    """What an expert marked of one pathology on one radiograph; nothing marked is an annotation too.

    The mask is the encoded one where there is one, else the filled boxes or contours, else empty.

    Parameters
    ----------
    image_id
        The radiograph's id.
    pathology
        One of the cohort's marked pathologies, by its canonical name.
    size
        Height and width of the mask in pixels.
    rle
        The mask in COCO's run-length encoding, unchecked until it is used.
    polygons
        The contours as drawn, float64, (n, 2) each, x and y in pixels.
    boxes
        float64, n × 4: x0, y0, x1, y1 in pixels of the radiograph, edges, so that pixel 0 reaches from 0 to 1; a point
        is a box without extent.
    kind
        As what it was marked: a free contour (or a mask), a polygon, a box or a point.
    annotator
        Who marked it, as the cohort names them; empty where it does not.
    phrase
        The report's words that the mark belongs to; empty where there are none.
    source
        Name of the file it comes from, for messages.
    """

    image_id: str
    pathology: str
    size: Size
    rle: Mapping[str, object] | None = None
    polygons: tuple[ContourArray, ...] = ()
    boxes: BoxArray = field(default_factory=NO_BOXES.copy)
    kind: Kind = "contour"
    annotator: str = ""
    phrase: str = ""
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
        with naming(self.subject):
            mask = self._filled() if self.rle is None else decode_rle(self.rle)
            if mask.shape != self.size:
                message = f"the mask is {size_in_words(mask.shape)}, it should be {size_in_words(self.size)}"
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
            return int(np.count_nonzero(self.mask())) if self.polygons or len(self.boxes) else 0
        with naming(self.subject):
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

    def as_shown(self, geometry: Geometry) -> Annotation:
        """Return it on the radiograph as shown, where it was drawn on the radiograph as stored; itself where both are one.

        Parameters
        ----------
        geometry
            How the radiograph lies in its file, and is shown.

        Raises
        ------
        CohortError
            The encoding is malformed.
        """
        if geometry.is_as_stored:
            return self
        rle = None if self.rle is None else encode_mask(geometry.show(self.mask()))
        polygons = tuple(geometry.show_points(points) for points in self.polygons)
        boxes = show_boxes(self.boxes, geometry)
        return replace(self, size=geometry.shown, rle=rle, polygons=polygons, boxes=boxes)

    @property
    def contours(self) -> tuple[ContourArray, ...]:
        """The contours: as the expert drew them, else the boxes' or the mask's outlines; float64, (n, 2) each, x and y.

        Raises
        ------
        CohortError
            There are no drawn contours and the encoding is malformed.
        """
        return self.polygons or outline_boxes(self.boxes) or outline_mask(self.mask())

    def _filled(self) -> MaskArray:
        return (
            fill_boxes(self.boxes, self.size) if len(self.boxes) else fill_contours(self.polygons, self.size)
        )


def union(annotations: Sequence[Annotation]) -> Annotation:
    """Return what any of several annotators marked of one pathology on one radiograph, to be drawn; no score is of it.

    Parameters
    ----------
    annotations
        At least one, all of one kind and size.

    Raises
    ------
    CohortError
        An encoding is malformed.
    """
    marked = [annotation for annotation in annotations if not annotation.is_empty]
    if len(marked) < 2:
        return (marked or annotations)[0]
    whole = replace(
        marked[0],
        annotator=", ".join(annotation.annotator for annotation in marked),
        phrase=" ".join(dict.fromkeys(annotation.phrase for annotation in marked if annotation.phrase)),
        polygons=(),
    )
    if whole.kind in _OF_BOXES:
        return replace(whole, boxes=np.vstack([annotation.boxes for annotation in marked]))
    return replace(whole, rle=encode_mask(np.any([annotation.mask() for annotation in marked], axis=0)))
