"""A DICOM radiograph: its stored values (PS3.3 C.7.6.3), how it lies, and what its file says of it.

Runs in the bounded process only.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, ExplicitVRLittleEndian

from shamsul_core.imaging.geometry import Geometry
from shamsul_core.imaging.levels import (
    check_size,
)
from shamsul_core.imaging.presentation import grey_of_colours, presented
from shamsul_core.imaging.refusals import NOT_AN_IMAGE, refuse

if TYPE_CHECKING:
    import numpy.typing as npt

_NARROWEST, _WIDEST = 0.25, 4.0
_ALMOST_SQUARE = 0.01
_CHEST = (
    "CHEST",
    "THORA",
    "TORAX",
    "TORACE",
    "TORSO",
    "TRONCO",
    "POITRINE",
    "BRUST",
    "LUNG",
    "PULM",
    "HEART",
    "RIB",
)


def opened(content: bytes) -> Dataset:
    """Return a file's dataset, from its bytes; a file without DICOM's prefix is read too."""
    try:
        return dcmread(io.BytesIO(content), force=content[128:132] != b"DICM")
    except InvalidDicomError:
        refuse(NOT_AN_IMAGE)
    # The one error of pydicom's that is no ValueError
    except BytesLengthException as error:
        raise ValueError(*error.args) from error


def geometry(image: Dataset) -> Geometry:
    """Return how an image lies: its pixels' aspect, and upright by its patient orientation."""
    stored = (int(image.Rows), int(image.Columns))
    check_size(*stored)
    square = _square(stored, _aspect(image))
    check_size(*square)
    orientation = _orientation(image)
    if len(orientation) != 2 or not all(orientation):
        return Geometry(stored, square)
    along, down = orientation[0][0], orientation[1][0]
    is_transposed = along in "HF" and down not in "HF"
    if is_transposed:
        along, down = down, along
    return Geometry(stored, square, is_transposed, down == "H", along == "R" and _view(image)[0] != "lateral")


def read(image: Dataset) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Return an image's pixels as shown, uint8 or uint16, H × W, bone bright, and what its file says of them."""
    _check_kind(image)
    lies = geometry(image)
    view, projection = _view(image)
    remarks: list[str] = []
    colours = 0.0
    stored = stored_values(image)
    if stored.ndim == 3:
        pixels, colours = grey_of_colours(stored)
    else:
        pixels = presented(stored, image, remarks)
    if lies.square != lies.stored:
        import cv2

        pixels = cv2.resize(pixels, lies.square[::-1], interpolation=cv2.INTER_LINEAR)
        remarks.append("The file's pixels are not square; the radiograph is shown in its true proportions.")
    if len(orientation := _orientation(image)) != 2 or not all(orientation):
        remarks.append("The file does not record its orientation; the radiograph is shown as stored.")
    if str(image.get("BurnedInAnnotation", "")).upper() == "YES":
        remarks.append("The file says that text is burnt into the image; it may identify the patient.")
    return lies.turn(pixels), {
        "geometry": lies,
        "colours": colours,
        "modality": str(image.get("Modality") or "").upper()[:16],
        "body_part": _other_part(image),
        "instance": str(image.get("SOPInstanceUID") or "")[:64],
        "view": view,
        "projection": projection,
        "remarks": remarks,
    }


def stored_values(image: Dataset) -> npt.NDArray[Any]:
    """Return the stored values, H × W or H × W × 3, without what is kept in the bits above or below them.

    Old files keep overlays there, and some JPEG 2000 streams rubbish (pydicom's issue 2260).
    """
    _check_decoder(image)
    values = np.asarray(pixel_array(image, correct_unused_bits=False))
    if values.shape[:2] != (int(image.Rows), int(image.Columns)):
        refuse("its image does not have the size stated in the file")
    if values.ndim == 3 or values.dtype.kind not in "iu":
        return values
    allocated, bits = 8 * values.itemsize, int(image.BitsStored)
    highest = int(image.get("HighBit", bits - 1))
    if not 0 < bits <= highest + 1 <= allocated:
        refuse(f"it says that {bits} bits are stored up to bit {highest}, of {allocated}")
    return (values << (allocated - 1 - highest)) >> (allocated - bits)


def _check_kind(image: Dataset) -> None:
    if "PixelData" not in image:
        refuse("it contains no image")
    if int(image.get("NumberOfFrames") or 1) > 1:
        refuse("it contains several images; choose one radiograph")
    bits = int(image.BitsAllocated)
    if bits not in (8, 16):
        refuse(f"its pixels have {bits} bits; radiographs have 8 to 16")


def _check_decoder(image: Dataset) -> None:
    syntax = UID(str(image.file_meta.get("TransferSyntaxUID", "")) or ExplicitVRLittleEndian)
    if not syntax.is_private and not syntax.is_compressed:
        return
    try:
        is_there = get_decoder(syntax).is_available
    except NotImplementedError:
        is_there = False
    if not is_there:
        refuse(
            f"its image is compressed as {syntax.name[:64]}, which cannot be read here; save it without compression"
        )


# How it was taken and how it lies


def _orientation(image: Dataset) -> list[str]:
    """Return where the rows and where the columns point (PS3.3 C.7.6.1.1.1)."""
    value = image.get("PatientOrientation") or []
    return [str(part).upper() for part in ([value] if isinstance(value, str) else value)]


def _view(image: Dataset) -> tuple[str | None, str | None]:
    """Return how a radiograph was taken, by its View Position or, lateral, by where its rows point."""
    position, orientation = str(image.get("ViewPosition") or "").upper(), _orientation(image)
    if position in {"PA", "AP"}:
        return "frontal", position
    if position in {"LL", "RL", "LATERAL", "LAT"} or any(
        direction[:1] in ("A", "P") for direction in orientation
    ):
        return "lateral", None
    return ("frontal" if any(direction[:1] in ("L", "R") for direction in orientation) else None), None


def _other_part(image: Dataset) -> str | None:
    """Return the part of the body that the file names, ``None`` where it is the chest or none."""
    part = str(image.get("BodyPartExamined") or "").upper()
    return part[:16].lower() if part and not any(word in part for word in _CHEST) else None


def _aspect(image: Dataset) -> float:
    """Return a pixel's height over its width (PS3.3 C.7.6.3.1.7, 10.7.1.1), 1 where the file does not say."""
    for name in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing"):
        pair = image.get(name)
        if pair is None or isinstance(pair, str) or len(pair) != 2:
            continue
        try:
            height, width = (float(side) for side in pair)
        except (TypeError, ValueError):
            continue
        if height > 0 and width > 0 and _NARROWEST <= height / width <= _WIDEST:
            return height / width
    return 1.0


def _square(size: tuple[int, int], aspect: float) -> tuple[int, int]:
    """Return the size with square pixels; the side that is too short grows, so that nothing is lost."""
    if abs(aspect - 1) <= _ALMOST_SQUARE:
        return size
    return (round(size[0] * aspect), size[1]) if aspect > 1 else (size[0], round(size[1] / aspect))
