"""The radiograph: who and what it shows, and its pixels when they are asked for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from shamsul_core.cohort.problems import CohortError
from shamsul_core.imaging import ImageError, read_geometry, read_radiograph
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from shamsul_core.imaging import Geometry, Presented

Size: TypeAlias = tuple[int, int]
"""Height and width in pixels."""

PixelArray: TypeAlias = npt.NDArray[np.uint8 | np.uint16]
View: TypeAlias = Literal["frontal", "lateral"]
Projection: TypeAlias = Literal["AP", "PA"]


def blank_labels() -> dict[str, float | None]:
    """Return the labels of a radiograph nobody has labelled: ``None`` for each of the 14 observations."""
    return dict.fromkeys(OBSERVATIONS)


@dataclass(frozen=True, kw_only=True)
class Radiograph:
    """One radiograph of a cohort.

    Parameters
    ----------
    id
        In a CheXpert cohort CheXlocalize's id, such as ``"patient64541_study1_view1_frontal"``; else the file's name.
    path
        The image file: JPEG, PNG, TIFF or DICOM.
    labels
        For each of the cohort's observations in its order: 1.0 positive, 0.0 negative, -1.0 uncertain, ``None`` where
        the label file says nothing.
    view, projection
        How it was taken, ``None`` where it is not known.
    sex
        As the label file has it, ``"Male"`` or ``"Female"``; ``None`` where it says nothing.
    age
        In years, 0 to 150; ``None`` where it is not known.
    """

    id: str
    path: Path
    labels: Mapping[str, float | None] = field(default_factory=blank_labels, hash=False)
    view: View | None = None
    projection: Projection | None = None
    sex: str | None = None
    age: int | None = None

    @property
    def size(self) -> Size:
        """Height and width in pixels as shown, from the file's header alone.

        Raises
        ------
        CohortError
            The file is missing or is no image that can be read.
        """
        return self.geometry.shown

    @property
    def geometry(self) -> Geometry:
        """How the pixels lie in the file, on which contours and masks are drawn; from its header alone.

        Raises
        ------
        CohortError
            The file is missing or is no image that can be read.
        """
        with _read(self.path):
            return read_geometry(self.path)

    def pixels(self) -> PixelArray:
        """Read the pixels.

        Returns
        -------
        numpy.ndarray
            uint8 as stored, or uint16 where the file has more than 8 bits, H × W; see `shamsul_core.imaging.Presented`.
            Colour becomes luminance (ITU-R 601).

        Raises
        ------
        CohortError
            The file is missing, cut off, or is no image that can be read.
        """
        return self.presented().pixels

    def presented(self) -> Presented:
        """Read the pixels and what the file says of them.

        Raises
        ------
        CohortError
            The file is missing, cut off, or is no image that can be read.
        """
        with _read(self.path):
            return read_radiograph(self.path)


@contextmanager
def _read(path: Path) -> Iterator[None]:
    try:
        yield
    except ImageError as error:
        words = str(error)
        rest = words.removeprefix("it ")
        message = f"the image file cannot be read: {words}" if rest == words else f"the image file {rest}"
        raise CohortError(message, subject=str(path)) from error
