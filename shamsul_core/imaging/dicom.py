"""A DICOM radiograph as it asks to be shown. Runs in the bounded process only.

From stored values to grey levels as PS3.3 has it: the bits stored (C.7.6.3), padding (C.7.5.1.1.2), modality LUT (C.11.1),
values of interest (C.11.2), presentation LUT shape (C.11.6); the middle two by highdicom. An image for processing is
turned into one for presentation by its pixel intensity relationship (C.8.11.3).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence
from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from shamsul_core.imaging.geometry import Geometry
from shamsul_core.imaging.levels import (
    check_size,
    deep_luminance,
    luminance,
    spread_of_colours,
    stretched,
    values_range,
)
from shamsul_core.imaging.refusals import NOT_AN_IMAGE, refuse

if TYPE_CHECKING:
    import numpy.typing as npt

_DEEPEST_BITS = 16
_BITS_OF_A_BYTE = 8
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
_TRANSFORMS = (
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
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
        pixels, colours = _grey(stored)
    else:
        pixels = _presented(stored, image, remarks)
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


# From stored values to grey levels


def _presented(
    stored: npt.NDArray[Any], image: Dataset, remarks: list[str]
) -> npt.NDArray[np.uint8 | np.uint16]:
    """Return grey levels, uint8 where the file has no more than 8 bits; padding is black."""
    padding = _padding(stored, image)
    kept = slice(None) if padding is None else ~padding
    depth = np.uint8 if int(image.BitsStored) <= _BITS_OF_A_BYTE else np.uint16
    if str(image.get("PresentationIntentType") or "").upper() == "FOR PROCESSING":
        remarks.append(
            "This image is meant for processing, not for reading; only its range was adapted for display."
        )
        values, is_inverted = _attenuation(stored, image)
        pixels = stretched(values, *values_range(values[kept]), depth)
    else:
        shape = str(image.get("PresentationLUTShape") or "").upper()
        is_inverted = shape == "INVERSE" or (not shape and image.PhotometricInterpretation == "MONOCHROME1")
        if shape == "IDENTITY" and image.PhotometricInterpretation == "MONOCHROME1":
            remarks.append(
                "The file contradicts itself about black and white (MONOCHROME1, IDENTITY); invert it if bone is dark."
            )
        pixels = _of_interest(stored, image, kept, depth, remarks)
    if is_inverted:
        pixels = np.iinfo(pixels.dtype).max - pixels
    if padding is not None:
        pixels[padding] = 0
    return pixels


def _padding(stored: npt.NDArray[Any], image: Dataset) -> npt.NDArray[np.bool_] | None:
    """Return where the picture was filled up, ``None`` where nowhere or everywhere."""
    first = image.get("PixelPaddingValue")
    if not isinstance(first, int):
        return None
    last = image.get("PixelPaddingRangeLimit")
    low, high = sorted((first, last if isinstance(last, int) else first))
    padding = (stored >= low) & (stored <= high)
    return padding if padding.any() and not padding.all() else None


def _of_interest(
    stored: npt.NDArray[Any],
    image: Dataset,
    kept: Any,
    depth: type[np.uint8 | np.uint16],
    remarks: list[str],
) -> npt.NDArray[Any]:
    """Return grey levels by the file's own window or table, else over the range of the values."""
    usable = _transforms(image, remarks)
    if "VOILUTSequence" in usable or "WindowCenter" in usable:
        windowed = _transformed(stored, image, usable, apply_voi_transform=True)
        if "VOILUTSequence" in usable:
            windowed = _of_all_entries(windowed, image.VOILUTSequence[0], usable.VOILUTSequence[0])
        if windowed[kept].min() < windowed[kept].max():
            return stretched(windowed, 0.0, 1.0, depth)
        remarks.append("The file's window lies beside all of its values; their whole range is shown.")
    values = _transformed(stored, image, usable, apply_voi_transform=False)
    return stretched(values, *values_range(values[kept]), depth)


def _transforms(image: Dataset, remarks: list[str]) -> Dataset:
    """Return the attributes that say how values are shown, but those that are empty or no use."""
    usable = Dataset()
    for name in _TRANSFORMS:
        if name not in image or image[name].is_empty:
            continue
        if image[name].VR == "SQ":
            usable[name] = DataElement(image[name].tag, "SQ", Sequence([_table(image[name].value[0])]))
        else:
            usable.add(image[name])
    # Of window and table one is applied (C.11.2.1); the table is made for this image
    if "VOILUTSequence" in usable:
        usable.pop("WindowCenter", None)
        usable.pop("WindowWidth", None)
    if "RescaleSlope" not in usable or "RescaleIntercept" not in usable or float(usable.RescaleSlope) == 0:
        for name in ("RescaleSlope", "RescaleIntercept"):
            usable.pop(name, None)
    if "WindowCenter" in usable or "WindowWidth" in usable:
        widths = usable.get("WindowWidth", "missing")
        first = widths if isinstance(widths, str | int | float) else widths[0]
        function = str(usable.get("VOILUTFunction", "LINEAR")).upper()
        is_usable = (
            "WindowCenter" in usable
            and not isinstance(first, str)
            and float(first) >= (1 if function == "LINEAR" else np.finfo(float).tiny)
        )
        if not is_usable:
            for name in ("WindowCenter", "WindowWidth"):
                usable.pop(name, None)
            remarks.append(
                f"The file's window cannot be used (Window Width {str(first)[:16]}); the whole range of its values is shown."
            )
    return usable


def _table(item: Dataset) -> Dataset:
    """Return a look-up table with entries of 16 bits, as highdicom takes it; files have 8 to 16 (C.11.1.1, C.11.2.1.1)."""
    count, first, bits = item.LUTDescriptor
    if not 0 < bits <= _DEEPEST_BITS:
        refuse(f"its look-up table says that it has {bits} bits")
    count = count or 2**16
    data = item.LUTData
    if isinstance(data, bytes):
        entries = np.frombuffer(data, "<u2" if len(data) >= 2 * count else np.uint8)[:count]
    else:
        entries = np.array(data, np.uint16).reshape(-1)[:count]
    if len(entries) != count:
        refuse("its look-up table is cut short")
    table = Dataset()
    table.LUTDescriptor = [count % 2**16, first, _DEEPEST_BITS]
    table.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    table.ModalityLUTType = "US"
    return table


def _of_all_entries(
    values: npt.NDArray[np.float32], item: Dataset, table: Dataset
) -> npt.NDArray[np.float32]:
    """Return values of 0 to 1 over a table's own entries as such over all that its bits could hold."""
    entries = np.frombuffer(table.LUTData, "<u2")
    most = np.float32(2 ** int(item.LUTDescriptor[2]) - 1)
    low, high = np.float32(entries.min()), np.float32(entries.max())
    return np.asarray((low + values * (high - low)) / most, np.float32)


def _transformed(
    stored: npt.NDArray[Any], image: Dataset, usable: Dataset, *, apply_voi_transform: bool
) -> npt.NDArray[np.float32]:
    """Return values after the modality's transform, and after the window or table of interest as numbers from 0 to 1."""
    from highdicom import Image

    plain = Dataset()
    plain.SOPClassUID, plain.SOPInstanceUID = ComputedRadiographyImageStorage, generate_uid()
    plain.StudyInstanceUID, plain.SeriesInstanceUID = generate_uid(), generate_uid()
    plain.Rows, plain.Columns = stored.shape
    plain.SamplesPerPixel, plain.PhotometricInterpretation = 1, "MONOCHROME2"
    plain.BitsAllocated, plain.BitsStored = 8 * stored.itemsize, int(image.BitsStored)
    plain.HighBit, plain.PixelRepresentation = plain.BitsStored - 1, int(stored.dtype.kind == "i")
    plain.add_new("PixelData", "OW" if stored.itemsize > 1 else "OB", stored.tobytes())
    plain.update(usable)
    plain.file_meta = FileMetaDataset()
    plain.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    values = Image.from_dataset(plain, copy=False).get_frame(
        1,
        dtype=np.float32,
        apply_real_world_transform=False,
        apply_modality_transform=None,
        apply_voi_transform=apply_voi_transform,
        apply_presentation_lut=False,
    )
    if not np.isfinite(values).all():
        refuse("its values of interest are not numbers")
    return np.asarray(values, np.float32)


def _attenuation(stored: npt.NDArray[Any], image: Dataset) -> tuple[npt.NDArray[np.float32], bool]:
    """Return the values of an image for processing on a scale of attenuation, and whether bone is low on it.

    Values that are linear in the detector's dose (LIN) become their logarithm, as film and every detector's own
    processing have it; a sign of 1 says that less dose is a lower value, so that bone is dark (PS3.3 C.8.11.3.1.2).
    """
    values = stored.astype(np.float32)
    sign = image.get("PixelIntensityRelationshipSign")
    is_inverted = image.PhotometricInterpretation == "MONOCHROME1" if sign not in (1, -1) else sign == 1
    if str(image.get("PixelIntensityRelationship") or "").upper() != "LIN":
        return values, is_inverted
    highest = 2 ** (int(image.BitsStored) - int(stored.dtype.kind == "i")) - 1
    dose = values if is_inverted else highest - values
    logarithm = np.log1p(np.maximum(dose, 0))
    return logarithm if is_inverted else -logarithm, is_inverted


def _grey(stored: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], float]:
    if stored.dtype == np.uint8:
        return luminance(stored), spread_of_colours(stored)
    values, grey = stored.astype(np.float32), deep_luminance(stored)
    eight = stretched(values, float(values.min()), float(values.max()), np.uint8)
    return stretched(grey, *values_range(grey), np.uint16), spread_of_colours(eight)


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
