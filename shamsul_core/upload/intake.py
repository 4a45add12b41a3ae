"""Takes in one file of a reader's: DICOM, PNG, JPEG or TIFF. Everything stays in memory.

What cannot be a radiograph is refused in one sentence; what the model has not learned, such as a lateral view, is taken in
with a remark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from shamsul_core.imaging import Geometry, ImageError, read_mask, read_radiograph

if TYPE_CHECKING:
    from shamsul_core.cohort.radiograph import View
    from shamsul_core.imaging import Presented

LEAST_SIDE_PX = 200

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
_COLOURED_SHARE = 0.02
_LEAST_CONTRAST = 8 / 255
_UNKNOWN = (
    "The file does not record how the radiograph was taken. The model expects an upright frontal chest radiograph "
    "with bright bones."
)
_LATERAL = (
    "This is a lateral view. The model was trained on frontal views, so its predictions are unreliable here."
)


class IntakeError(ValueError):
    """A file that cannot be taken in; the message is a sentence for its reader."""


@dataclass(frozen=True, eq=False)
class Intake:
    """A radiograph of a reader's.

    Parameters
    ----------
    pixels
        uint8 or uint16, H × W, bone bright, upright as far as the file tells.
    view
        ``None`` where the file does not say.
    projection
        ``"AP"``, ``"PA"`` or ``None``.
    remarks
        Sentences that the reader must see with the picture.
    geometry
        How the pixels lie in the file.
    """

    pixels: npt.NDArray[Any]
    view: View | None = None
    projection: str | None = None
    remarks: tuple[str, ...] = ()
    geometry: Geometry | None = None


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
        radiograph = read_radiograph(content)
        _check(radiograph)
    except (ImageError, IntakeError) as error:
        message = f"{name}: {str(error).removesuffix('.')}."
        raise IntakeError(message) from error
    return Intake(
        radiograph.pixels, radiograph.view, radiograph.projection, _remarks(radiograph), radiograph.geometry
    )


def take_in_mask(
    name: str,
    content: bytes,
    geometry: Geometry,
    pathology: str,
    *,
    image_name: str = "",
    as_stored: bool = True,
) -> npt.NDArray[np.bool_]:
    """Read a reader's mask of one pathology.

    Parameters
    ----------
    content
        A PNG of the radiograph's size, marked where it is not transparent or not black; or a segmentation of
        CheXlocalize's, COCO's or Label Studio's, see `shamsul_core.imaging.masks`.
    geometry
        How the radiograph lies in its file.
    image_name
        The radiograph's file name, by which a file with masks of several is searched.
    as_stored
        Where the radiograph was mirrored or turned over to be shown, so that both have one size: whether the mask was
        drawn on it as its file stores it, and not as it is shown.

    Returns
    -------
    numpy.ndarray
        bool, H × W, of the radiograph as shown.

    Raises
    ------
    IntakeError
        If it is neither, of another size, or marks nothing.
    """
    try:
        mask = read_mask(content, pathology, image_name)
    except ImageError as error:
        message = f"{name}: {error}."
        raise IntakeError(message) from error
    if mask.shape not in (geometry.stored, geometry.shown):
        height, width = geometry.shown
        message = (
            f"{name}: the mask is {mask.shape[1]} × {mask.shape[0]} pixels, the radiograph "
            f"{width} × {height}; they must be the same size."
        )
        raise IntakeError(message)
    if not mask.any():
        message = f"{name}: the mask is empty."
        raise IntakeError(message)
    is_as_stored = as_stored if geometry.stored == geometry.shown else mask.shape == geometry.stored
    return geometry.show(mask) if is_as_stored else mask


def _check(radiograph: Presented) -> None:
    if radiograph.modality not in _RADIOGRAPHY:
        _refuse(
            f"it is {_OTHERS.get(radiograph.modality, f'of the modality {radiograph.modality}')}, not a radiograph"
        )
    height, width = radiograph.pixels.shape
    if min(height, width) < LEAST_SIDE_PX:
        _refuse(
            f"it is too small ({width} × {height} pixels); a radiograph has at least {LEAST_SIDE_PX} on each side"
        )
    if radiograph.coloured_share > _COLOURED_SHARE:
        _refuse("it is a colour image, not a radiograph")
    if np.ptp(radiograph.pixels) < _LEAST_CONTRAST * np.iinfo(radiograph.pixels.dtype).max:
        _refuse("it is blank: all pixels have the same value")


def _remarks(radiograph: Presented) -> tuple[str, ...]:
    remarks = radiograph.remarks if radiograph.is_dicom else (_UNKNOWN, *radiograph.remarks)
    if radiograph.body_part is not None:
        part = f"The file says that it shows another part of the body ({radiograph.body_part}); "
        remarks = (f"{part}the model only knows chest radiographs.", *remarks)
    return (_LATERAL, *remarks) if radiograph.view == "lateral" else remarks


def _refuse(reason: str) -> NoReturn:
    raise IntakeError(reason)
