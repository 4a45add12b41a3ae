"""The table of inputs: a DICOM file as the standard says that it is shown, or the sentence that says why it is not."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, HTJ2KLossless, JPEG2000Lossless

from shamsul_core.imaging import ImageError, read_geometry, read_radiograph
from tests.imaging.radiographs import SIZE, as_jpeg_2000, file_of, radiograph, ramp

FULL = 65535


def shown(image: Dataset):
    return read_radiograph(file_of(image))


def grey(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Grey levels of 16 bits over a range, as PS3.3 C.11 has it."""
    return np.clip((values.astype(float) - low) / (high - low), 0, 1) * FULL


def assert_same(pixels: np.ndarray, expected: np.ndarray, within: float = 2) -> None:
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(float) - expected).max() <= within


# Bits


def test_rubbish_above_the_bits_stored_after_jpeg_2000_is_no_value():
    """pydicom's issue 2260."""
    rubbish = ramp(12) | np.uint16(0x3000) * (np.indices(SIZE)[1] % 3 == 0).astype(np.uint16)
    image = as_jpeg_2000(radiograph(rubbish))
    image.BitsStored, image.HighBit = 12, 11
    assert np.array_equal(shown(image).pixels, shown(radiograph()).pixels)


def test_values_below_the_high_bit_are_moved_down():
    image = radiograph(ramp(12) << 4 | 0x0007, HighBit=15)
    assert np.array_equal(shown(image).pixels, shown(radiograph()).pixels)


def test_negative_values_of_twelve_bits_are_negative():
    signed = ramp(12).astype(np.int16) - 2048
    stored = (signed.astype(np.uint16) & 0x0FFF).view(np.int16)  # the sign is the twelfth bit
    assert np.array_equal(shown(radiograph(stored)).pixels, shown(radiograph()).pixels)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_depth_is_kept(bits):
    pixels = shown(radiograph(bits=bits)).pixels
    assert pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert len(np.unique(pixels)) == len(np.unique(ramp(bits)))


# Black and white


@pytest.mark.parametrize(
    ("photometric", "shape", "is_inverted"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
    ],
)
def test_which_end_is_black(photometric, shape, is_inverted):
    more = {} if shape is None else {"PresentationLUTShape": shape}
    image = radiograph(PhotometricInterpretation=photometric, WindowCenter=2048, WindowWidth=4096, **more)
    expected = grey(ramp(), 0, 4095)
    assert_same(shown(image).pixels, FULL - expected if is_inverted else expected, 20)


def test_a_file_that_contradicts_itself_about_black_is_remarked():
    image = radiograph(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="IDENTITY")
    assert "contradicts itself" in shown(image).remarks[0]


# Padding


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize(
    "more", [{"PixelPaddingValue": 0}, {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 9}]
)
def test_padding_takes_no_part_in_the_range_and_is_black(photometric, more):
    anatomy = np.linspace(3000, 4095, SIZE[0] * 150).reshape(SIZE[0], 150).round().astype(np.uint16)
    filled = np.zeros((SIZE[0], 150), np.uint16)
    if "PixelPaddingRangeLimit" in more:
        filled += np.arange(150, dtype=np.uint16) % 10
    pixels = shown(
        radiograph(np.hstack([filled, anatomy]), PhotometricInterpretation=photometric, **more)
    ).pixels
    assert not pixels[:, :150].any()
    expected = grey(anatomy, 3000, 4095)
    assert_same(pixels[:, 150:], FULL - expected if photometric == "MONOCHROME1" else expected, 100)


# The values of interest


@pytest.mark.parametrize(("centre", "width"), [(1000, 400), (2048, 4096), (2000, 9000)])
def test_a_windows_ends_are_black_and_white(centre, width):
    """PS3.3 C.11.2.1.2.1: LINEAR."""
    image = radiograph(WindowCenter=centre, WindowWidth=width, RescaleSlope=1, RescaleIntercept=-200)
    values = ramp().astype(float) - 200
    expected = np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1) * FULL
    assert_same(shown(image).pixels, expected)


def test_linear_exact_and_sigmoid():
    """PS3.3 C.11.2.1.3.2 and C.11.2.1.3.1."""
    image = radiograph(WindowCenter=2000, WindowWidth=1000, VOILUTFunction="LINEAR_EXACT")
    assert_same(shown(image).pixels, np.clip((ramp() - 2000.0) / 1000 + 0.5, 0, 1) * FULL)
    image.VOILUTFunction = "SIGMOID"
    assert_same(shown(image).pixels, FULL / (1 + np.exp(-4 * (ramp() - 2000.0) / 1000)))


def test_the_first_of_several_windows_counts():
    image = radiograph(WindowCenter=[1000, 3000], WindowWidth=[400, 4000])
    assert np.array_equal(shown(image).pixels, shown(radiograph(WindowCenter=1000, WindowWidth=400)).pixels)


def test_a_table_of_values_of_interest_is_applied():
    table = Dataset()
    data = np.linspace(0, 1023, 4096).round().astype(np.uint16)[::-1]
    table.LUTDescriptor = [4096, 0, 10]
    table.add_new("LUTData", "OW", data.tobytes())
    pixels = shown(radiograph(VOILUTSequence=Sequence([table]))).pixels
    assert_same(pixels, data[ramp()] / 1023 * FULL, 70)


def test_a_modality_table_is_applied():
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [4096, 0, 16], "US"
    table.add_new("LUTData", "OW", (np.arange(4096) ** 2 // 300).astype(np.uint16).tobytes())
    pixels = shown(radiograph(ModalityLUTSequence=Sequence([table]))).pixels
    expected = (ramp().astype(int) ** 2 // 300).astype(float)
    assert np.corrcoef(pixels.ravel(), expected.ravel())[0, 1] > 0.9999


@pytest.mark.parametrize(("centre", "words"), [(-5000, "window lies beside"), (20_000, "window lies beside")])
def test_a_window_beside_all_values_gives_way_to_their_range(centre, words):
    found = shown(radiograph(WindowCenter=centre, WindowWidth=100))
    assert words in found.remarks[0]
    assert np.array_equal(found.pixels, shown(radiograph()).pixels)


@pytest.mark.parametrize("width", [0, -3, None])
def test_a_window_that_is_none_is_named(width):
    image = radiograph(WindowCenter=2000)
    image.WindowWidth = width
    found = shown(image)
    assert np.array_equal(found.pixels, shown(radiograph()).pixels)
    assert width is None or f"Window Width {width}" in found.remarks[0]


@pytest.mark.parametrize("name", ["RescaleSlope", "RescaleIntercept"])
def test_an_empty_rescaling_is_none(name):
    image = radiograph(RescaleSlope=1, RescaleIntercept=0)
    setattr(image, name, None)
    assert np.array_equal(shown(image).pixels, shown(radiograph()).pixels)


# For processing


def test_an_image_for_processing_is_presented_with_bone_bright():
    """PS3.3 C.8.11.3.1.2: dose falls off exponentially with what it passes, sign 1 means that less dose is lower."""
    thickness = np.tile(np.linspace(0, 4, SIZE[1]), (SIZE[0], 1))
    dose = np.rint(4000 * np.exp(-thickness)).astype(np.uint16)
    more = {"PresentationIntentType": "FOR PROCESSING", "PixelIntensityRelationship": "LIN"}
    for values, sign in ((dose, 1), (4095 - dose, -1)):
        found = shown(radiograph(values, PixelIntensityRelationshipSign=sign, **more))
        assert "meant for processing" in found.remarks[0]
        assert (
            np.corrcoef(found.pixels[9], thickness[9])[0, 1] > 0.99
        )  # its logarithm is linear in the thickness
    logarithm = np.rint(4000 * thickness / 4).astype(np.uint16)
    more["PixelIntensityRelationship"] = "LOG"
    for values, sign in ((4095 - logarithm, 1), (logarithm, -1)):
        found = shown(radiograph(values, PixelIntensityRelationshipSign=sign, **more))
        assert np.corrcoef(found.pixels[9], thickness[9])[0, 1] > 0.9999


# Proportions


@pytest.mark.parametrize(
    ("name", "pair", "square"),
    [
        ("PixelAspectRatio", [2, 1], (520, 300)),
        ("PixelAspectRatio", [1, 2], (260, 600)),
        ("ImagerPixelSpacing", [0.2, 0.1], (520, 300)),
        ("PixelSpacing", [0.1, 0.1], SIZE),
        ("ImagerPixelSpacing", [0.143, 0.1431], SIZE),
        ("PixelAspectRatio", [0, 1], SIZE),
    ],
)
def test_pixels_become_square(name, pair, square):
    image = radiograph(**{name: pair})
    found = shown(image)
    assert found.pixels.shape == square == read_geometry(file_of(image)).shown
    mask = np.zeros(SIZE, bool)
    mask[21:59, 31:69] = True  # the bright square, but its border
    on = found.geometry.show(mask)
    assert found.pixels[on].min() > found.pixels[100].max() * 0.9
    assert np.array_equal(found.geometry.store(on), mask)


# What cannot be decoded


def test_htj2k_is_decoded():
    image = radiograph()
    image.PixelData = encapsulate([imagecodecs.htj2k_encode(ramp(), reversible=True)])
    image["PixelData"].VR = "OB"
    image.file_meta.TransferSyntaxUID = HTJ2KLossless
    assert np.array_equal(shown(image).pixels, shown(radiograph()).pixels)


def test_a_syntax_without_a_decoder_is_named():
    image = radiograph()
    image.PixelData = encapsulate([b"\x00" * 100])
    image["PixelData"].VR = "OB"
    image.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.100")
    with pytest.raises(
        ImageError, match=r"compressed as MPEG2 Main Profile / Main Level.*save it without compression"
    ):
        shown(image)


def test_a_header_that_claims_another_size_than_its_stream_is_refused():
    stream = io.BytesIO()
    Image.fromarray(ramp(12, (1000, 1000))).save(stream, "JPEG2000", irreversible=False, no_jp2=True)
    image = radiograph()
    image.PixelData = encapsulate([stream.getvalue()])
    image["PixelData"].VR = "OB"
    image.file_meta.TransferSyntaxUID = JPEG2000Lossless
    with pytest.raises(ImageError):
        shown(image)


def test_what_the_file_says_is_told():
    found = shown(radiograph(BodyPartExamined="SKULL"))
    assert (found.modality, found.body_part, found.view, found.projection) == ("CR", "skull", "frontal", "PA")
    for part in ("TORAX", "THORAX", "POITRINE", "TRONCO", "CHEST", ""):
        assert shown(radiograph(BodyPartExamined=part)).body_part is None
