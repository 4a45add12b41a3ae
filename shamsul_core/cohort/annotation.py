"""The expert annotation: where an expert saw one pathology on one radiograph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.cohort.problems import CohortError, naming
from shamsul_core.imaging.contours import fill_contours, outline_mask, size_in_words
from shamsul_core.imaging.rle import area_of_rle, decode_rle, encode_mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.imaging import Geometry
    from shamsul_core.imaging.contours import ContourArray
    from shamsul_core.imaging.rle import MaskArray, Size


@dataclass(frozen=True, kw_only=True, eq=False)
class Annotation:
    """What an expert marked of one pathology on one radiograph; nothing marked is an annotation too.

    The mask is the encoded one where there is one, else the filled contours, else empty.

    Parameters
    ----------
    image_id
        The radiograph's id.
    pathology
        One of the ten localised pathologies, by CheXpert's name.
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
        with naming(self.subject):
            mask = fill_contours(self.polygons, self.size) if self.rle is None else decode_rle(self.rle)
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
            return int(np.count_nonzero(self.mask())) if self.polygons else 0
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
