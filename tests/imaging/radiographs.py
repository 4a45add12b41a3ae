"""DICOM radiographs made for tests, as detectors, scanners and archives write them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    generate_uid,
)

SIZE = (260, 300)


def ramp(bits: int = 12, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Values from 0 to the highest that rise from left to right, with a bright square at the upper left."""
    highest = 2**bits - 1
    values = np.tile(np.linspace(0, highest * 0.8, size[1]), (size[0], 1))
    values[20:60, 30:70] = highest
    return np.rint(values).astype(np.uint16 if bits > 8 else np.uint8)


def radiograph(pixels: np.ndarray | None = None, bits: int = 12, **attributes: object) -> Dataset:
    """A frontal CR of these pixels; attributes replace or add to what it says."""
    pixels = ramp(bits) if pixels is None else pixels
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = ComputedRadiographyImageStorage, generate_uid()
    image.Modality, image.BodyPartExamined, image.ViewPosition = "CR", "CHEST", "PA"
    image.PatientOrientation = ["L", "F"]
    image.PatientName, image.PatientID = "Doe^Jane", "47110815"
    image.Rows, image.Columns = pixels.shape[:2]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit = 8 * pixels.itemsize, bits, bits - 1
    image.PixelRepresentation = int(pixels.dtype.kind == "i")
    image.add_new("PixelData", "OW" if pixels.itemsize > 1 else "OB", pixels.tobytes())
    for name, value in attributes.items():
        if value is None:
            del image[name]
        else:
            setattr(image, name, value)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return image


def picture(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture's file, as Pillow writes it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def file_of(image: Dataset) -> bytes:
    """The bytes of its file."""
    file = io.BytesIO()
    dcmwrite(file, image, enforce_file_format=True)
    return file.getvalue()


def as_jpeg_2000(image: Dataset) -> Dataset:
    """Compress it without loss, by Pillow: pydicom's own encoder needs another library."""
    pixels = np.frombuffer(image.PixelData, np.uint16).reshape(image.Rows, image.Columns)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG2000", irreversible=False, no_jp2=True)
    image.PixelData = encapsulate([stream.getvalue()])
    image["PixelData"].VR = "OB"
    image.file_meta.TransferSyntaxUID = JPEG2000Lossless
    image.BitsStored, image.HighBit = 16, 15  # as the stream has it
    return image
