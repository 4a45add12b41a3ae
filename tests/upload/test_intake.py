"""A reader's file: pixel for pixel what DICOM asks to be shown, upright; everything else is refused in a sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import JPEGLSLossless, RLELossless

from shamsul_core.imaging import Geometry
from shamsul_core.upload.intake import IntakeError, take_in, take_in_mask
from tests.imaging.radiographs import SIZE, as_jpeg_2000, file_of, picture, radiograph, ramp


def taken(image):
    return take_in("a.dcm", file_of(image))


@pytest.mark.slow
@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, None])
def test_lossless_compression_changes_nothing(syntax):
    image = radiograph()
    expected = taken(image).pixels
    if syntax is None:
        as_jpeg_2000(image)
    else:
        image.compress(syntax, generate_instance_uid=False)
    assert np.array_equal(taken(image).pixels, expected)


@pytest.mark.parametrize("kind", ["RLE", "jp2klossless", "jpeg_ls_lossless", "bigendian"])
def test_pydicoms_own_files_are_read_as_their_uncompressed_twin(kind, monkeypatch):
    monkeypatch.setattr("shamsul_core.upload.intake._RADIOGRAPHY", {"MR"})
    monkeypatch.setattr("shamsul_core.upload.intake.LEAST_SIDE_PX", 10)

    def shown(name):
        return take_in(name, Path(get_testdata_file(name, download=False)).read_bytes()).pixels

    assert np.array_equal(shown(f"MR_small_{kind}.dcm"), shown("MR_small.dcm"))


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (["L", "F"], lambda upright: upright),
        (["R", "F"], lambda upright: upright[:, ::-1]),
        (["L", "H"], lambda upright: upright[::-1]),
        (["R", "H"], lambda upright: upright[::-1, ::-1]),
        (["F", "L"], lambda upright: upright.T),
        (["H", "R"], lambda upright: upright[::-1, ::-1].T),
    ],
)
def test_it_is_shown_upright_with_the_patients_left_at_the_right(orientation, stored):
    upright = ramp()
    image = radiograph(np.ascontiguousarray(stored(upright)), PatientOrientation=orientation)
    assert np.array_equal(taken(image).pixels, taken(radiograph(upright)).pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    upright = Image.fromarray(ramp(8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpositions, each undone by a viewer
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(back[orientation]))
    shown = take_in("a.png", picture(np.asarray(stored), exif=exif)).pixels
    assert np.array_equal(shown, np.asarray(upright))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_pictures_keep_their_order(kind):
    shown = take_in(f"a.{kind}", picture(ramp(16), kind)).pixels
    assert (np.diff(shown[100].astype(int)) >= 0).all()
    assert (shown.min(), shown.max()) == (0, 65535)


def test_a_jpeg_saved_in_grey_colours_is_grey():
    grey = ramp(8)
    shown = take_in("a.jpg", picture(np.stack([grey] * 3, axis=2), "JPEG", quality=95)).pixels
    assert np.abs(shown.astype(int) - grey).mean() < 2


def test_what_the_reader_must_know_is_remarked():
    assert taken(radiograph()).remarks == ()
    assert taken(radiograph()).view == "frontal"
    assert taken(radiograph()).projection == "PA"
    lateral = taken(radiograph(ViewPosition="LL", PatientOrientation=["P", "F"]))
    assert lateral.view == "lateral"
    assert "lateral" in lateral.remarks[0]
    assert "burnt" in taken(radiograph(BurnedInAnnotation="YES")).remarks[0]
    assert (
        taken(radiograph(BodyPartExamined="HAND"))
        .remarks[0]
        .startswith("The file says that it shows another part of the body (hand)")
    )
    assert "does not record its orientation" in taken(radiograph(PatientOrientation=None)).remarks[0]


COLOURS = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
REFUSED = {
    "a CT slice": lambda: file_of(radiograph(Modality="CT")),
    "a mammogram": lambda: file_of(radiograph(Modality="MG")),
    "no image": lambda: file_of(radiograph(PixelData=None)),
    "several images": lambda: file_of(radiograph(NumberOfFrames=2)),
    "too small": lambda: file_of(radiograph(ramp(12, (64, 64)))),
    "too large": lambda: file_of(radiograph(Rows=10_000, Columns=10_000)),
    "colour image": lambda: picture(COLOURS, "JPEG"),
    "all pixels have the same value": lambda: picture(np.full(SIZE, 9, np.uint8)),
    r"too large \(10000 × 10000": lambda: picture(np.zeros((10_000, 10_000), np.uint8)),
    "not a DICOM, PNG, JPEG or TIFF": lambda: b"<html>not a radiograph</html>",
    "damaged or incomplete": lambda: picture(ramp(8))[:400],
    "damaged": lambda: file_of(radiograph())[:3000],
}


@pytest.mark.parametrize("reason", REFUSED)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_radiograph_is_refused_in_one_sentence(reason):
    with pytest.raises(IntakeError, match=reason) as refused:
        take_in("my file.dcm", REFUSED[reason]())
    assert str(refused.value).startswith("my file.dcm: ")
    assert "\n" not in str(refused.value)


def test_a_compressed_picture_may_not_be_larger_than_its_file_says():
    image = radiograph(ramp(12, (1000, 1000)))
    as_jpeg_2000(image)
    image.Rows = image.Columns = 300
    with pytest.raises(IntakeError, match="damaged or incomplete"):
        taken(image)


SEEDS = [
    file_of(radiograph()),
    picture(ramp(8)),
    picture(ramp(8), "JPEG"),
    picture(ramp(16), "TIFF"),
]


@settings(max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_files_are_taken_or_refused_and_nothing_else(seed, data):
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, min(len(content), 1500) - 1))] = data.draw(st.integers(0, 255))
    with suppress(IntakeError):
        taken = take_in("a", bytes(content[: data.draw(st.integers(1, len(content)))]))
        assert taken.pixels.dtype in (np.uint8, np.uint16)
        assert taken.pixels.ndim == 2


AS_STORED = Geometry(SIZE, SIZE)


def test_a_mask_is_of_the_radiographs_size_and_marks_something():
    mask = np.zeros(SIZE, bool)
    mask[50:90, 60:200] = True
    content = picture(mask.astype(np.uint8))
    assert np.array_equal(take_in_mask("m.png", content, AS_STORED, "Edema"), mask)
    for wrong, why in (
        (picture(mask[:200].astype(np.uint8)), "300 × 200 pixels, the radiograph 300 × 260"),
        (picture(np.zeros(SIZE, np.uint8)), "the mask is empty"),
    ):
        with pytest.raises(IntakeError, match=why):
            take_in_mask("m", wrong, AS_STORED, "Edema")


@pytest.mark.parametrize("orientation", [["R", "F"], ["L", "H"], ["F", "L"], ["H", "R"]])
def test_a_mask_drawn_on_the_stored_picture_is_turned_along(orientation):
    stored = np.zeros(SIZE, bool)
    stored[20:60, 30:70] = True  # the bright square
    found = taken(radiograph(PatientOrientation=orientation))
    mask = take_in_mask("m.png", picture(stored.astype(np.uint8)), found.geometry, "Edema")
    assert found.pixels[mask].min() == found.pixels.max() > found.pixels[~mask].max()
    shown = take_in_mask("m.png", picture(mask.astype(np.uint8)), found.geometry, "Edema", as_stored=False)
    assert np.array_equal(shown, mask)
