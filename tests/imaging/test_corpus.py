"""Valid files of many scanners, archives and cohorts: every radiograph is read, and all else is refused by what it is."""

from __future__ import annotations

from pathlib import Path

import data_store
import numpy as np
import pydicom
import pytest
from pydicom.pixels.utils import pixel_array

from shamsul_core.imaging import ImageError, read_radiograph
from shamsul_core.upload.intake import take_in

PYDICOMS = sorted(
    path
    for folder in (
        Path(pydicom.__file__).parent / "data" / "test_files",
        Path(data_store.__file__).parent / "data",
    )
    for path in folder.glob("*.dcm")
)
NO_SINGLE_PICTURE = (
    "no image|several images|have 32 bits|have 1 bits|another|damaged|not a DICOM|cannot be read here"
)


def is_single(path: Path) -> bool:
    """Whether pydicom itself finds a picture of 8 or 16 bits in it."""
    image = pydicom.dcmread(path, force=True)
    try:
        if int(image.get("NumberOfFrames") or 1) > 1 or image.BitsAllocated not in (8, 16):
            return False
        pixel_array(image)
    except Exception:  # noqa: BLE001 - it raises what it likes
        return False
    return True


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", PYDICOMS, ids=lambda path: path.name)
def test_what_pydicom_decodes_is_read_and_all_else_is_named(path):
    if not is_single(path):
        with pytest.raises(ImageError, match=NO_SINGLE_PICTURE):
            read_radiograph(path.read_bytes())
        return
    pixels = read_radiograph(path.read_bytes()).pixels
    assert pixels.ndim == 2
    assert np.ptp(pixels) > 0.2 * np.iinfo(pixels.dtype).max


TWINS = [
    ("RG1_UNCR.dcm", "RG1_J2KR.dcm"),
    ("RG3_UNCR.dcm", "RG3_J2KR.dcm"),
    ("MR_small.dcm", "MR_small_RLE.dcm"),
    ("MR_small.dcm", "MR_small_jp2klossless.dcm"),
    ("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    ("MR_small.dcm", "MR_small_bigendian.dcm"),
    ("MR2_UNCR.dcm", "MR2_J2KR.dcm"),
    ("693_UNCR.dcm", "693_J2KR.dcm"),
]


@pytest.mark.parametrize(("plain", "compressed"), TWINS)
def test_compressed_without_loss_it_is_its_uncompressed_twin(plain, compressed):
    files = {path.name: path for path in PYDICOMS}
    one, other = (read_radiograph(files[name].read_bytes()).pixels for name in (plain, compressed))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("name", ["RG1_UNCR.dcm", "RG3_UNCR.dcm", "RG1_J2KI.dcm", "RG3_J2KI.dcm"])
def test_radiographs_are_taken_in(name):
    path = next(path for path in PYDICOMS if path.name == name)
    assert take_in(name, path.read_bytes()).pixels.dtype == np.uint16


def test_every_public_radiograph_is_taken_in(public_samples):
    kinds = {".jpg", ".jpeg", ".png", ".dcm"}
    found = [path for path in sorted(public_samples.rglob("*")) if path.suffix.lower() in kinds]
    assert len(found) >= 6
    for path in found:
        pixels = take_in(path.name, path.read_bytes()).pixels
        assert np.ptp(pixels) > 0.5 * np.iinfo(pixels.dtype).max
