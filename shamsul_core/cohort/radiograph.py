"""The radiograph: who and what it shows, and its pixels when they are asked for."""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from shamsul_core.cohort.problems import CohortError
from shamsul_core.labels import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Size: TypeAlias = tuple[int, int]
"""Height and width in pixels."""

PixelArray: TypeAlias = npt.NDArray[np.uint8]
View: TypeAlias = Literal["frontal", "lateral"]
Projection: TypeAlias = Literal["AP", "PA"]

# Pillow is documented to raise OSError on a bad image; on bytes changed at random it also raises these.
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def blank_labels() -> dict[str, float | None]:
    """Return the labels of a radiograph nobody has labelled: ``None`` for each of the 14 observations."""
    return dict.fromkeys(OBSERVATIONS)


@dataclass(frozen=True, kw_only=True)
class Radiograph:
    """One radiograph of a cohort.

    Parameters
    ----------
    id
        CheXlocalize's id, such as ``"patient64541_study1_view1_frontal"``.
    path
        The image file, JPEG or PNG.
    labels
        For each of the 14 observations in CheXpert's order: 1.0 positive, 0.0 negative, -1.0 uncertain, ``None`` where
        the label file says nothing.
    view, projection
        How it was taken, ``None`` where it is not known.
    sex
        As the label file has it.
    age
        In years.
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
        """Height and width in pixels, from the file's header alone.

        Raises
        ------
        CohortError
            The file is missing or is not a JPEG or PNG image.
        """
        with _opened(self.path) as image:
            return image.height, image.width

    def pixels(self) -> PixelArray:
        """Read the pixels.

        Returns
        -------
        numpy.ndarray
            uint8, H × W, 0 to 255 as stored; 16-bit images are scaled to 8 bits, colour becomes luminance (ITU-R 601).
            An EXIF orientation is not applied: contours and masks are drawn on the pixels as stored.

        Raises
        ------
        CohortError
            The file is missing, cut off, or is not a JPEG or PNG image.
        """
        return read_pixels(self.path)


def read_pixels(path: Path) -> PixelArray:
    """Read a JPEG or PNG file as `Radiograph.pixels` does.

    Parameters
    ----------
    path
        The image file.

    Returns
    -------
    numpy.ndarray
        uint8, H × W.

    Raises
    ------
    CohortError
        The file is missing, cut off, or is not a JPEG or PNG image.
    """
    with _opened(path) as image:
        return _to_8_bits(image)


def _to_8_bits(image: Image.Image) -> PixelArray:
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.uint32)
        # 65535 = 255 × 257, so this is division by 257 rounded to nearest; a shift by 8 would darken by up to one step.
        return ((np.minimum(deep, 65535) + 128) // 257).astype(np.uint8)
    return np.array(image.convert("L"), dtype=np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            yield image
    except DECODING_ERRORS as error:
        raise CohortError(_reason(error), subject=str(path)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "the image file is missing; put it back or remove its line from the label file"
    if isinstance(error, PermissionError | IsADirectoryError):
        return f"the image file cannot be opened ({error.strerror}); make it readable"
    if isinstance(error, UnidentifiedImageError):
        return "this is not a JPEG or PNG image; save the radiograph in one of these formats"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return "the image claims far more pixels than any radiograph has; save it again at its true size"
    return f"the image file is cut off or damaged ({error}); copy it again from its source"
