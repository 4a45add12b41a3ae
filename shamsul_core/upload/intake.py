"""Takes in one file of a reader's: DICOM, PNG, JPEG or TIFF. Everything stays in memory.

What cannot be a chest radiograph is refused in one sentence; what the model has not learned, such as a lateral view, is
taken in with a remark.
"""

from __future__ import annotations

import io
import json
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.radiograph import DECODING_ERRORS
from shamsul_core.cohort.rle import decode_rle
from shamsul_core.labels import chexlocalize_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from shamsul_core.cohort.radiograph import View

LEAST_SIDE_PX = 200
MOST_SIDE_PX = 8000
MOST_PIXELS = 40_000_000
"""A detector of 43 cm with pixels of 0.07 mm."""

_RADIOGRAPHY = {"CR", "DX", "RG", "XR", "OT", "SC", ""}
_OTHERS = {
    "CT": "a CT slice",
    "MR": "an MRI slice",
    "MG": "a mammogram",
    "US": "an ultrasound image",
    "NM": "a nuclear medicine image",
    "PT": "a PET slice",
    "XA": "an angiogram",
    "RF": "a fluoroscopic image",
    "PX": "a panoramic dental radiograph",
    "IO": "a dental radiograph",
    "SR": "a report without an image",
    "SEG": "a segmentation",
}
_DEFLATED = "1.2.840.10008.1.2.1.99"
_MOST_INFLATED = 400_000_000
_COLOUR_SPREAD, _COLOUR_SHARE = 24, 0.02
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


class IntakeError(ValueError):
    """A file that cannot be taken in; the message is a sentence for its reader."""


@dataclass(frozen=True, eq=False)
class Intake:
    """A radiograph of a reader's.

    Parameters
    ----------
    pixels
        uint8, H × W, bone bright, upright as far as the file tells.
    view
        ``None`` where the file does not say.
    projection
        ``"AP"``, ``"PA"`` or ``None``.
    remarks
        Sentences that the reader must see with the picture.
    """

    pixels: npt.NDArray[np.uint8]
    view: View | None = None
    projection: str | None = None
    remarks: tuple[str, ...] = ()


def take_in(name: str, content: bytes) -> Intake:
    """Read a reader's file.

    Parameters
    ----------
    name
        As the reader calls it; used in messages only.
    content
        All of it.

    Raises
    ------
    IntakeError
        If it is no radiograph that can be explained.
    """
    try:
        with (
            warnings.catch_warnings()
        ):  # pydicom and Pillow warn of what is refused or of no consequence here
            warnings.simplefilter("ignore")
            return _of_dicom(content) if is_dicom(content) else _of_picture(content)
    except IntakeError as error:
        message = f"{name}: {error}"
        raise IntakeError(message) from error
    except UnidentifiedImageError as error:
        message = f"{name}: it is not a DICOM, PNG, JPEG or TIFF file."
        raise IntakeError(message) from error
    except (*DECODING_ERRORS, NotImplementedError, RuntimeError, AssertionError, MemoryError) as error:
        message = f"{name}: the file is damaged or incomplete; copy it again from its source."
        raise IntakeError(message) from error


def is_dicom(content: bytes) -> bool:
    """Return whether it has DICOM's prefix, or begins with one of its first groups, as files without the prefix do."""
    return content[128:132] == b"DICM" or content[:4] in (
        b"\x02\x00\x00\x00",
        b"\x08\x00\x05\x00",
        b"\x08\x00\x08\x00",
    )


def take_in_mask(name: str, content: bytes, size: tuple[int, int], pathology: str) -> npt.NDArray[np.bool_]:
    """Read a reader's mask of one pathology.

    Parameters
    ----------
    content
        A PNG of the radiograph's size, not black where something is marked; or a segmentation JSON as CheXlocalize's
        ``eval.py`` takes it, whose first radiograph counts.
    size
        Height and width of the radiograph in pixels.

    Returns
    -------
    numpy.ndarray
        bool, H × W.

    Raises
    ------
    IntakeError
        If it is neither, of another size, or marks nothing.
    """
    try:
        mask = _mask_of_json(content, pathology) if content[:1] in b"{[ " else _mask_of_png(content)
    except IntakeError as error:
        message = f"{name}: {error}"
        raise IntakeError(message) from error
    except (*DECODING_ERRORS, CohortError, RecursionError) as error:
        message = f"{name}: it is neither a PNG nor a segmentation JSON in CheXlocalize's format."
        raise IntakeError(message) from error
    if mask.shape != size:
        message = (
            f"{name}: the mask is {mask.shape[1]} × {mask.shape[0]} pixels, the radiograph "
            f"{size[1]} × {size[0]}; they must be the same size."
        )
        raise IntakeError(message)
    if not mask.any():
        message = f"{name}: the mask is empty."
        raise IntakeError(message)
    return mask


def _mask_of_json(content: bytes, pathology: str) -> npt.NDArray[np.bool_]:
    found = json.loads(content)
    if not isinstance(found, dict) or not found:
        _refuse("it contains no segmentation.")
    masks = next(iter(found.values()))
    task = chexlocalize_name(pathology)
    if not isinstance(masks, dict) or not isinstance(masks.get(task), dict):
        _refuse(f"it contains no segmentation of {task}.")
    return decode_rle(masks[task])


def _mask_of_png(content: bytes) -> npt.NDArray[np.bool_]:
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        _check_size(image.height, image.width)
        return np.asarray(image.convert("L")) > 0


# Pictures


def _of_picture(content: bytes) -> Intake:
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "TIFF")) as image:
        if getattr(image, "n_frames", 1) > 1:
            _refuse("it contains several images; save the radiograph alone.")
        _check_size(image.height, image.width)
        upright = ImageOps.exif_transpose(image)
        if upright.mode in {"P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"}:
            return Intake(_checked(_grey(np.asarray(upright.convert("RGB")))), remarks=(_UNKNOWN,))
        if upright.mode.startswith(("I", "F")):
            return Intake(_checked(_to_8_bits(np.asarray(upright))), remarks=(_UNKNOWN,))
        return Intake(_checked(np.array(upright.convert("L"), np.uint8)), remarks=(_UNKNOWN,))


_UNKNOWN = (
    "The file does not record how the radiograph was taken. The model expects an upright frontal chest radiograph "
    "with bright bones."
)


def _grey(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the luminance of a picture whose three channels are the same but for compression."""
    spread = colours.max(axis=2) - colours.min(axis=2)
    if np.mean(spread > _COLOUR_SPREAD) > _COLOUR_SHARE:
        _refuse("it is a colour image, not a radiograph.")
    return np.array(Image.fromarray(colours).convert("L"), np.uint8)


def _to_8_bits(deep: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return a picture of more than 8 bits in 8, its range stretched: files do not say how many bits they use."""
    values = deep.astype(np.float32)
    if not np.isfinite(values).all():
        _refuse("its pixel values are not numbers.")
    low, high = np.percentile(values, [0.05, 99.95])
    return _stretched(values, float(low), float(high))


def _stretched(values: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.uint8]:
    if not high > low:
        _refuse("it is blank: all pixels have the same value.")
    return np.asarray(np.clip((values - low) * (255 / (high - low)) + 0.5, 0, 255), np.uint8)


# DICOM


def _of_dicom(content: bytes) -> Intake:
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        return _read_dicom(content)
    except InvalidDicomError as error:
        message = "it is not a DICOM, PNG, JPEG or TIFF file."
        raise IntakeError(message) from error
    except BytesLengthException as error:  # the one error of pydicom's that is no ValueError
        raise ValueError(*error.args) from error


def _read_dicom(content: bytes) -> Intake:
    from pydicom import dcmread

    _refuse_large_deflated(content)
    image = dcmread(io.BytesIO(content), force=content[128:132] != b"DICM")
    _check_kind(image)
    pixels = _dicom_pixels(image, content)
    remarks = []
    orientation = [str(one).upper() for one in image.get("PatientOrientation") or []]
    view, projection = _view(image, orientation)
    if len(orientation) == 2 and all(orientation):
        pixels = _upright(pixels, orientation, view)
    else:
        remarks.append("The file does not record its orientation; the radiograph is shown as stored.")
    if view == "lateral":
        remarks.append(
            "This is a lateral view. The model was trained on frontal views, so its predictions are unreliable here."
        )
    if str(image.get("BurnedInAnnotation", "")).upper() == "YES":
        remarks.append("The file says that text is burnt into the image; it may identify the patient.")
    return Intake(_checked(pixels), view, projection, tuple(remarks))


def _refuse_large_deflated(content: bytes) -> None:
    """Refuse a deflated file that would fill the memory: pydicom inflates it whole."""
    at = content.find(_DEFLATED.encode(), 132, 2000)
    if at < 0:
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    start = 144 + int.from_bytes(content[140:144], "little")  # after the group of that length (PS3.10 7.1)
    total, rest = 0, content[start:]
    while rest and not inflater.eof:
        total += len(inflater.decompress(rest, 2**24))
        rest = inflater.unconsumed_tail
        if total > _MOST_INFLATED:
            _refuse("it is compressed far more than any radiograph; save it in another transfer syntax.")


def _check_kind(image: Dataset) -> None:
    modality = str(image.get("Modality") or "").upper()
    if modality not in _RADIOGRAPHY:
        _refuse(f"it is {_OTHERS.get(modality, f'of the modality {modality[:16]}')}, not a radiograph.")
    if "PixelData" not in image:
        _refuse("it contains no image.")
    if int(image.get("NumberOfFrames") or 1) > 1:
        _refuse("it contains several images; choose one radiograph.")
    part = str(image.get("BodyPartExamined") or "").upper()
    if part and not any(word in part for word in ("CHEST", "THORAX", "LUNG", "HEART", "RIB")):
        _refuse(
            f"it shows another part of the body ({part[:16].lower()}); the model only knows chest radiographs."
        )
    _check_size(int(image.Rows), int(image.Columns))
    if int(image.BitsAllocated) not in (8, 16):
        _refuse(f"its pixels have {int(image.BitsAllocated)} bits; radiographs have 8 to 16.")


def _dicom_pixels(image: Dataset, content: bytes) -> npt.NDArray[np.uint8]:
    """Return a DICOM image's pixels as it asks to be shown: rescaled, windowed, bone bright."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    from shamsul_core.upload.decoding import decoded

    _check_compressed_size(image)
    raw = decoded(image, content)
    if raw.ndim == 3:
        return _grey(raw.astype(np.uint8) if raw.dtype == np.uint8 else _to_8_bits(raw))
    if raw.shape != (int(image.Rows), int(image.Columns)):
        _refuse("its image does not have the stated size.")
    values = apply_modality_lut(raw, image)
    padding = raw == image.PixelPaddingValue if "PixelPaddingValue" in image else None
    if "VOILUTSequence" in image or "WindowCenter" in image:
        shown = apply_voi_lut(values, image).astype(np.float32)
        kept = shown if padding is None or padding.all() else shown[~padding]
        grey = _stretched(shown, float(kept.min()), float(kept.max()))
    else:
        grey = _to_8_bits(values)
    if image.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    if padding is not None and not padding.all():
        grey[padding] = 0
    return grey


def _check_compressed_size(image: Dataset) -> None:
    """Refuse a compressed picture that claims another size than its file: a decoder would believe it."""
    if not image.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    from pydicom.encaps import generate_fragments

    fragments = list(generate_fragments(image.PixelData))
    if not fragments:
        _refuse("it contains no image.")
    for stream in (fragments[0], b"".join(fragments[:2])):
        size = _claimed_size(stream)
        if size is not None and size != (int(image.Rows), int(image.Columns)):
            _refuse("its compressed image does not have the size stated in the file.")


def _claimed_size(stream: bytes) -> tuple[int, int] | None:
    """Return the height and width in the header of a JPEG, JPEG-LS or JPEG 2000 stream."""
    start = stream.find(b"\xff\x4f\xff\x51")
    if start >= 0:
        right, bottom, left, top = (
            int.from_bytes(stream[start + i : start + i + 4]) for i in (8, 12, 16, 20)
        )
        return bottom - top, right - left
    at = stream.find(b"\xff\xd8")
    at = at + 2 if at >= 0 else len(stream)
    while at + 9 < len(stream):
        if stream[at] != 0xFF:
            at += 1
            continue
        if stream[at + 1] in _START_OF_FRAME:
            return int.from_bytes(stream[at + 5 : at + 7]), int.from_bytes(stream[at + 7 : at + 9])
        at += 2 + (int.from_bytes(stream[at + 2 : at + 4]) if stream[at + 1] not in (0xFF, 0x00) else 0)
    return None


def _view(image: Dataset, orientation: Sequence[str]) -> tuple[View | None, str | None]:
    """Return how a radiograph was taken, by its View Position or, lateral, by where its rows point."""
    position = str(image.get("ViewPosition") or "").upper()
    if position in {"PA", "AP"}:
        return "frontal", position
    if position in {"LL", "RL", "LATERAL", "LAT"} or any(one[:1] in ("A", "P") for one in orientation):
        return "lateral", None
    return ("frontal" if any(one[:1] in ("L", "R") for one in orientation) else None), None


def _upright(
    pixels: npt.NDArray[np.uint8], orientation: Sequence[str], view: View | None
) -> npt.NDArray[np.uint8]:
    """Turn a radiograph so that the head is up and, frontal, the patient's left at the right.

    `orientation` is DICOM's Patient Orientation: where the rows and where the columns point (PS3.3 C.7.6.1.1.1).
    """
    along, down = orientation[0][0], orientation[1][0]
    if along in "HF" and down not in "HF":
        pixels, along, down = pixels.T, down, along
    if down == "H":
        pixels = pixels[::-1]
    if along == "R" and view != "lateral":
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


# What all must be


def _check_size(height: int, width: int) -> None:
    if min(height, width) < LEAST_SIDE_PX:
        _refuse(
            f"it is too small ({width} × {height} pixels); a radiograph has at least {LEAST_SIDE_PX} on each side."
        )
    if max(height, width) > MOST_SIDE_PX or height * width > MOST_PIXELS:
        _refuse(f"it is too large ({width} × {height} pixels) for a chest radiograph.")


def _checked(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    _check_size(*pixels.shape)
    if np.ptp(pixels) < 8:
        _refuse("it is blank: all pixels have the same value.")
    return pixels


def _refuse(reason: str) -> NoReturn:
    raise IntakeError(reason)
