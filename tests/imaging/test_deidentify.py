"""A saved radiograph: nothing of PS3.15's basic profile, nothing private, nothing nested; the same picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as profile
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import generate_uid

from shamsul_core.imaging import deidentified as deidentified_by
from shamsul_core.upload.intake import take_in
from tests.imaging.radiographs import as_jpeg_2000, file_of, radiograph, ramp

UID_SECRET = b"of one upload"
SECRET = "SECRET"  # noqa: S105
TAGS = sorted({tag for name in dir(profile) if name.endswith("_TAGS") for tag in getattr(profile, name)})
NUMBERS = {"US": 4711, "UL": 4711, "SS": 4711, "SL": 4711, "FD": 47110815.5, "FL": 47110815.5}
NUMBERS |= {"DS": "47110815.5", "IS": "47110815", "UV": 4711, "SV": 4711}
VALUES = {
    "DA": "19471104",
    "TM": "134711",
    "DT": "19471104134711",
    "AS": "047Y",
    "UR": f"http://{SECRET}",
    "AT": 0x4711,
}


def deidentified(content: bytes) -> bytes:
    return deidentified_by(content, UID_SECRET)


def value_of(vr: str) -> object:
    if vr == "UI":
        return "1.2.47110815"
    if vr in ("OB", "OW", "UN", "OF", "OD", "OL", "OV"):
        return SECRET.encode() * 2
    return NUMBERS.get(vr, VALUES.get(vr, SECRET))


def with_every_attribute(image: Dataset) -> list[Tag]:
    """Add every attribute of the profile, one in a nested item too; return the tags added."""
    added = []
    for tag in TAGS:
        if len(tag) != 2 or tag[0] % 2 or tag[0] <= 0x0002:
            continue  # ranges, added below; private ones; those of messages and of the file itself
        vr = dictionary_VR(tag).split(" or ")[0] if dictionary_has_tag(tag) else "LO"
        if vr == "SQ":
            item = Dataset()
            item.PatientName = item.SeriesDescription = SECRET
            item.ReferencedSOPInstanceUID = "1.2.47110815"
            value = Sequence([item])
        else:
            value = value_of(vr)
        image[tag] = DataElement(tag, vr, value)
        added.append(Tag(tag))
    return added


@pytest.fixture(scope="module")
def identified():
    image = radiograph()
    added = with_every_attribute(image)
    assert len(added) > 300
    image.add_new(0x60000010, "US", 10)  # an overlay and a curve, the profile's ranges
    image.add_new(0x60003000, "OW", SECRET.encode())
    image.add_new(0x60004000, "LT", SECRET)
    image.add_new(0x50003000, "OW", SECRET.encode())
    image.private_block(0x0009, SECRET, create=True).add_new(0x01, "LO", SECRET)
    table = Dataset()
    table.LUTDescriptor, table.LUTExplanation = [4096, 0, 16], SECRET
    table.add_new("LUTData", "OW", np.arange(4096, dtype=np.uint16).tobytes())
    table.private_block(0x0009, SECRET, create=True).add_new(0x01, "LO", SECRET)
    image.VOILUTSequence = Sequence([table])
    image.file_meta.ImplementationVersionName = SECRET
    image.file_meta.SourceApplicationEntityTitle = SECRET
    image.preamble = SECRET.encode().ljust(128)
    return file_of(image), added


def test_nothing_of_the_basic_profile_stays(identified):
    content, added = identified
    assert content.count(SECRET.encode()) > 200
    saved = deidentified(content)
    for told in (SECRET, "Doe", "47110815", "19471104", "047Y"):
        assert told.encode() not in saved, told
        assert told.encode("utf-16-le") not in saved, told
    image = dcmread(io.BytesIO(saved))
    uids = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}
    for tag in added:
        if tag in image and image[tag].keyword not in {*uids, "DeidentificationMethod"}:
            assert image[tag].is_empty, image[tag]
    assert not any(element.tag.is_private for element in image.iterall())
    assert image.PatientIdentityRemoved == "YES"
    assert image.DeidentificationMethodCodeSequence[0].CodeValue == "113100"


def test_the_picture_and_how_it_is_shown_stay(identified):
    content, _ = identified
    before, after = dcmread(io.BytesIO(content)), dcmread(io.BytesIO(deidentified(content)))
    assert np.array_equal(pixel_array(before), pixel_array(after))
    assert np.array_equal(take_in("a", content).pixels, take_in("b", deidentified(content)).pixels)
    assert after.PatientOrientation == ["L", "F"]


def test_savings_of_one_upload_are_one_image_and_those_of_another_another():
    uid = generate_uid()
    content = file_of(radiograph(StudyInstanceUID=uid, SeriesInstanceUID=uid))
    saved = [
        dcmread(io.BytesIO(deidentified_by(content, secret)))
        for secret in (UID_SECRET, UID_SECRET, b"another")
    ]
    uids = [
        [one[name].value for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
        for one in saved
    ]
    assert uids[0] == uids[1]
    assert len({*uids[0], *uids[2], uid}) == 7


def test_a_comment_in_a_compressed_stream_goes():
    image = radiograph()
    as_jpeg_2000(image)
    content = file_of(image)
    comment = b"\xff\x64" + (4 + len(SECRET)).to_bytes(2) + b"\x00\x01" + SECRET.encode()
    at = content.index(b"\xff\x5c")  # a comment may stand before the quantisation marker
    stream = content[:at] + comment + content[at:]
    item = content.index(b"\xff\x4f\xff\x51") - 4
    length = int.from_bytes(stream[item : item + 4], "little") + len(comment)
    stream = stream[:item] + length.to_bytes(4, "little") + stream[item + 4 :]
    assert np.array_equal(take_in("a", stream).pixels, take_in("b", content).pixels)
    saved = deidentified(stream)
    assert SECRET.encode() not in saved
    assert np.array_equal(take_in("b", saved).pixels, take_in("b", content).pixels)


def test_bits_above_the_picture_go():
    hidden = ramp(12) | np.uint16(0x4000) * (np.indices((260, 300))[0] % 7 == 0).astype(np.uint16)
    saved = dcmread(io.BytesIO(deidentified(file_of(radiograph(hidden)))))
    assert np.array_equal(np.frombuffer(saved.PixelData, np.uint16).reshape(260, 300), ramp(12))


WORDS = {
    "Modality": "JANEDOE",
    "BodyPartExamined": "JANE DOE",
    "ViewPosition": "DOE JANE",
    "PatientOrientation": ["DOE", "JANE"],
    "Laterality": "DOE",
    "ImageLaterality": "JANE",
    "PresentationIntentType": "JANE",
    "PixelIntensityRelationship": "DOE",
    "RescaleType": "JANE DOE",
    "VOILUTFunction": "JANE",
    "PresentationLUTShape": "DOE",
    "BurnedInAnnotation": "JANE",
    "LossyImageCompression": "DOE",
}


@pytest.mark.parametrize("name", WORDS)
def test_only_words_that_the_standard_defines_stay(name):
    content = file_of(radiograph(**{name: WORDS[name]}))
    assert b"DOE" in content or b"JANE" in content
    saved = deidentified(content)
    assert b"DOE" not in saved
    assert b"JANE" not in saved


def test_a_class_that_is_none_goes():
    saved = dcmread(io.BytesIO(deidentified(file_of(radiograph(SOPClassUID="1.2.47110815")))))
    assert saved.SOPClassUID.name == "Computed Radiography Image Storage"
