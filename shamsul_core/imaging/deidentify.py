"""A reader's DICOM file without what could name the patient.

PS3.15's basic profile lists what must go. Here only what is listed stays, which is less: the picture, how it is to be
shown and how it was projected. So private elements, overlays, comments, curves, embedded files, and attributes that a
later edition of the profile will list go as well. The picture is stored uncompressed, since compressed streams can
carry comments, and bits that it does not use are cleared.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import uuid
from typing import TYPE_CHECKING

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from shamsul_core.imaging.dicom import opened, stored_values

if TYPE_CHECKING:
    from collections.abc import Collection

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
    "PixelPaddingRangeLimit",
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

_PARTS = (
    "ABDOMEN", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS", "CLAVICLE", "CSPINE", "HEART", "LUNG", "NECK", "NECKCHEST",
    "NECKCHESTABDOMEN", "NECKCHESTABDPELV", "RIB", "SCAPULA", "SHOULDER", "SPINE", "STERNUM", "THORAX", "TSPINE", "WHOLEBODY",
)  # fmt: skip
_DIRECTIONS = "ALPRHF"
_DEFINED: dict[str, Collection[str]] = {
    "Modality": ("CR", "DX", "RG", "OT", "XC", "SC"),
    "BodyPartExamined": _PARTS,
    "ViewPosition": ("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "LAO", "RAO", "LPO", "RPO"),
    "PatientOrientation": {
        "".join(letters) for count in (1, 2, 3) for letters in itertools.permutations(_DIRECTIONS, count)
    },
    "Laterality": ("R", "L"),
    "ImageLaterality": ("R", "L", "U", "B"),
    "PresentationIntentType": ("FOR PRESENTATION", "FOR PROCESSING"),
    "PixelIntensityRelationship": ("LIN", "LOG", "DISP"),
    "PhotometricInterpretation": ("MONOCHROME1", "MONOCHROME2", "RGB"),
    "RescaleType": ("US", "OD", "HU", "OD_SCALED"),
    "VOILUTFunction": ("LINEAR", "LINEAR_EXACT", "SIGMOID"),
    "PresentationLUTShape": ("IDENTITY", "INVERSE"),
    "BurnedInAnnotation": ("YES", "NO"),
    "LossyImageCompression": ("00", "01"),
    "ModalityLUTType": ("US", "OD", "HU"),
}
"""The values that PS3.3 and PS3.16 (annex L) define: what else stands in a code string may be anybody's name."""


def deidentified(content: bytes, secret: bytes) -> bytes:
    """Return a DICOM radiograph with new UIDs and nothing of its patient, place and time, for PS3.15 Annex E.

    Text burnt into the picture stays.

    Parameters
    ----------
    content
        A file whose picture was read.
    secret
        Of which the new UIDs are made: the same file and secret give the same UIDs.
    """
    source = opened(content)
    values = stored_values(source)
    saved = _kept(source, _SHOWN)
    for name, kept in _TABLES.items():
        if name in source and source[name].VR == "SQ":
            saved.add(source[name])
            saved[name].value = Sequence(_kept(item, kept) for item in source[name].value)
    saved.PixelData = values.tobytes()
    saved["PixelData"].VR = "OB" if values.itemsize == 1 else "OW"
    if len(saved.PixelData) % 2:
        saved.PixelData += b"\0"
    saved.BitsAllocated, saved.BitsStored = 8 * values.itemsize, int(source.BitsStored)
    saved.HighBit = saved.BitsStored - 1
    if values.ndim == 3:
        saved.PlanarConfiguration, saved.PhotometricInterpretation = 0, "RGB"
    for name in _EMPTY:
        setattr(saved, name, None)
    if UID(saved.get("SOPClassUID", "")).type != "SOP Class":
        saved.SOPClassUID = ComputedRadiographyImageStorage
    saved.Modality = saved.get("Modality") or "OT"
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(saved, name, _uid(content, secret, name))
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
        if name in _DEFINED and any(str(value).strip() not in _DEFINED[name] for value in values):
            continue
        kept.add(source[name])
    return kept


def _uid(content: bytes, secret: bytes, name: str) -> str:
    """Return a UID derived from a UUID (PS3.5 B.2), which nobody can trace to the file without the secret."""
    digest = hashlib.blake2b(content, key=secret, digest_size=16, person=name.encode()[:16]).digest()
    return f"2.25.{uuid.UUID(bytes=digest, version=4).int}"


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
