"""PNG, JPEG and TIFF files, from the deepest values that they hold. Runs in the bounded process only."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from shamsul_core.imaging.geometry import Geometry
from shamsul_core.imaging.levels import (
    check_size,
    deep_luminance,
    luminance,
    spread_of_colours,
    stretched,
    values_range,
)
from shamsul_core.imaging.refusals import DAMAGED, refuse

if TYPE_CHECKING:
    import numpy.typing as npt

_FORMATS = ("PNG", "JPEG", "TIFF")
# Of EXIF, and TIFF's own
_ORIENTATION = 0x0112
_PHOTOMETRIC, _MIN_IS_WHITE = 262, 0
_PNG = b"\x89PNG\r\n\x1a\n"


def geometry(content: bytes) -> Geometry:
    """Return how a picture, a PNG, JPEG or TIFF file's bytes, lies; from its header."""
    with _opened(content) as image:
        return _lies(image, content)


def read(content: bytes) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Return a picture's pixels as shown, uint8 or uint16, H × W, and what its file says of them."""
    with _opened(content) as image:
        lies = _lies(image, content)
        colours = 0.0
        if _is_deep_png(content):
            pixels, colours = _deep_png(content)
        elif image.mode in {"P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"}:
            rgb = np.asarray(image.convert("RGB"))
            pixels, colours = luminance(rgb), spread_of_colours(rgb)
        elif image.mode.startswith(("I", "F")):
            pixels = _full_range(np.asarray(image))
            # Pillow inverts 8 bits only
            if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _MIN_IS_WHITE:
                pixels = np.iinfo(pixels.dtype).max - pixels
        else:
            pixels = np.array(image.convert("L"), np.uint8)
        # Pillow does it when it loads a TIFF, and no other
        is_turned = image.format == "TIFF"
    return pixels if is_turned else lies.turn(pixels), {"geometry": lies, "colours": colours}


def _opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content), formats=_FORMATS)
    if getattr(image, "n_frames", 1) > 1:
        refuse("it contains several images; save the radiograph alone")
    check_size(image.height, image.width)
    return image


def _lies(image: Image.Image, content: bytes) -> Geometry:
    size, orientation = (image.height, image.width), _orientation(image, content)
    if image.format == "TIFF" and Geometry.of_exif(size, orientation).is_transposed:
        # Of a TIFF Pillow says how it will be shown
        size = size[::-1]
    return Geometry.of_exif(size, orientation)


def _orientation(image: Image.Image, content: bytes) -> object:
    """Return EXIF's orientation; a PNG is not decoded for it, though it may stand behind the pixels."""
    if image.format != "PNG":
        return image.getexif().get(_ORIENTATION)
    at = len(_PNG)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind == b"eXIf":
            exif = Image.Exif()
            exif.load(content[at + 8 : at + 8 + length])
            return exif.get(_ORIENTATION)
        at += length + 12
    return None


def _is_deep_png(content: bytes) -> bool:
    return content[:8] == _PNG and content[24:25] == b"\x10"


def _deep_png(content: bytes) -> tuple[npt.NDArray[Any], float]:
    """Return a PNG of 16 bits a channel, of which Pillow keeps 8 where there is more than one channel."""
    import cv2

    values: Any = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        refuse(DAMAGED)
    if values.ndim == 2:
        return _full_range(values), 0.0
    # Blue, green, red and what may follow
    colours = values[:, :, 2::-1]
    return _full_range(deep_luminance(colours)), spread_of_colours((colours >> 8).astype(np.uint8))


def _full_range(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values of which the file does not say how many bits it uses, their range being all of them."""
    deep = values.astype(np.float32)
    if not np.isfinite(deep).all():
        refuse("its pixel values are not numbers")
    return stretched(deep, *values_range(deep), np.uint16)
