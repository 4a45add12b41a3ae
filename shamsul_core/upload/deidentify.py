"""A reader's DICOM file without what could name the patient.

PS3.15's basic profile lists what must go. Here only what is listed stays, which is less: the picture, how it is to be
shown and how it was projected. So private elements, overlays, comments, curves, embedded files, and attributes that a
later edition of the profile will list go as well. The picture is stored uncompressed, since compressed streams can
carry comments, and bits that it does not use are cleared.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from shamsul_core.upload.decoding import decoded

if TYPE_CHECKING:
    import numpy.typing as npt

_SHOWN = (
    "SOPClassUID",
    "Modality",
    "BodyPartExamined",
    "ViewPosition",
    "PatientOrientation",
    "Laterality",
    "ImageLaterality",
    "ImagerPixelSpacing",
    "PixelSpacing",
    "PixelAspectRatio",
    "PresentationIntentType",
    "PixelIntensityRelationship",
    "PixelIntensityRelationshipSign",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "PresentationLUTShape",
    "BurnedInAnnotation",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
)
_TABLES = {
    "ModalityLUTSequence": ("LUTDescriptor", "ModalityLUTType", "LUTData"),
    "VOILUTSequence": ("LUTDescriptor", "LUTData"),
}
_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "SeriesNumber",
    "InstanceNumber",
    "Manufacturer",
)
"""Which every radiograph must have, be it empty."""

_WORDS = {"Modality", "BodyPartExamined", "ViewPosition", "PatientOrientation", "Laterality", "ImageLaterality"} | {
    "PresentationIntentType", "PixelIntensityRelationship", "PhotometricInterpretation", "RescaleType", "VOILUTFunction",
    "PresentationLUTShape", "BurnedInAnnotation", "LossyImageCompression", "ModalityLUTType",
}  # fmt: skip
_LONGEST_WORD = 16


def deidentified(content: bytes) -> bytes:
    """Return a DICOM radiograph with new UIDs and nothing of its patient, place and time, for PS3.15 Annex E.

    Text burnt into the picture stays.

    Parameters
    ----------
    content
        A file that `take_in` took.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of faults in what does not stay
        source = dcmread(io.BytesIO(content), force=True)
        saved = _kept(source, _SHOWN)
        for name, kept in _TABLES.items():
            if name in source:
                saved.add(source[name])
                saved[name].value = Sequence(_kept(item, kept) for item in source[name].value)
        pixels = decoded(source, content)
        saved.PixelData = _without_unused_bits(pixels, saved).tobytes()
        saved["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
        if len(saved.PixelData) % 2:
            saved.PixelData += b"\0"
        if pixels.ndim == 3:
            saved.PlanarConfiguration, saved.PhotometricInterpretation = 0, "RGB"
        for name in _EMPTY:
            setattr(saved, name, None)
        saved.SOPClassUID = saved.get("SOPClassUID") or ComputedRadiographyImageStorage
        for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(saved, name, generate_uid(entropy_srcs=None))
        saved.PatientIdentityRemoved = "YES"
        saved.LongitudinalTemporalInformationModified = "REMOVED"
        saved.DeidentificationMethod = "Only the picture and how it is shown were kept"
        saved.DeidentificationMethodCodeSequence = Sequence([_basic_profile()])
        return _written(saved)


def _kept(source: Dataset, names: tuple[str, ...]) -> Dataset:
    kept = Dataset()
    for name in names:
        if name not in source or source[name].is_empty:
            continue
        values = source[name].value if source[name].VM > 1 else [source[name].value]
        # A code is a short word; where an address or a name was written in its place, it goes.
        if name in _WORDS and any(len(str(one)) > _LONGEST_WORD for one in values):
            continue
        kept.add(source[name])
    return kept


def _without_unused_bits(pixels: npt.NDArray[Any], image: Dataset) -> npt.NDArray[Any]:
    """Return pixels without what old files keep above the picture's bits, such as overlays with text."""
    stored = int(image.BitsStored)
    if pixels.dtype.kind != "u" or stored >= 8 * pixels.itemsize:
        return pixels
    return np.asarray(pixels & pixels.dtype.type((1 << stored) - 1))


def _basic_profile() -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    return code


def _written(saved: Dataset) -> bytes:
    saved.file_meta = FileMetaDataset()
    saved.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    dcmwrite(file, saved, enforce_file_format=True)
    return file.getvalue()
