"""Pixels as their file says: DICOM, PNG, JPEG and TIFF, 8 to 16 bits, and masks.

One reading for a cohort's radiographs, a reader's own and what is exported. Every file is read in a process with bounded
memory and time (`bounded`), which no file can make the server wait for or grow by.
"""

from shamsul_core.imaging.geometry import Geometry
from shamsul_core.imaging.reading import (
    ImageError,
    Presented,
    deidentified,
    is_dicom,
    read_geometry,
    read_mask,
    read_radiograph,
    to_8_bits,
)

__all__ = [
    "Geometry",
    "ImageError",
    "Presented",
    "deidentified",
    "is_dicom",
    "read_geometry",
    "read_mask",
    "read_radiograph",
    "to_8_bits",
]
