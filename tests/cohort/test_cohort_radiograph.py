"""Pixels: what is stored is what is read, and a bad file is one line."""

from __future__ import annotations

import os
import pickle
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from shamsul_core.cohort import CohortError, Radiograph
from shamsul_core.imaging.contours import fill_contours
from shamsul_core.vocabulary import OBSERVATIONS
from tests.cohort.cohort_writer import FIRST, CohortWriter, entry_of
from tests.imaging.radiographs import file_of, radiograph

if TYPE_CHECKING:
    from pathlib import Path

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


def saved(folder: Path, pixels: np.ndarray, name: str = "view1_frontal.png") -> Radiograph:
    Image.fromarray(pixels).save(folder / name)
    return Radiograph(id="patient1_study1_view1_frontal", path=folder / name)


def test_grey_png_is_read_as_stored(tmp_path):
    radiograph = saved(tmp_path, GREY)
    assert radiograph.size == (6, 8)
    assert radiograph.pixels().dtype == np.uint8
    assert np.array_equal(radiograph.pixels(), GREY)


def test_16_bits_keep_their_depth_and_fill_the_range(tmp_path):
    """A file of 16 bits that holds 12 is no night; its values' range is black to white."""
    deep = np.linspace(0, 4080, 60 * 70).reshape(60, 70).round().astype(np.uint16)
    pixels = saved(tmp_path, deep).pixels()
    assert pixels.dtype == np.uint16
    low, high = np.percentile(deep, [0.05, 99.95])
    expected = np.clip((deep - low) / (high - low), 0, 1) * 65535
    assert np.abs(pixels - expected).max() <= 2


def test_dicom_and_tiff_are_read_too(tmp_path):
    (tmp_path / "view1_frontal.dcm").write_bytes(file_of(radiograph(bits=8)))
    assert Radiograph(id="a", path=tmp_path / "view1_frontal.dcm").size == (260, 300)
    assert np.array_equal(saved(tmp_path, GREY, "view1_frontal.tif").pixels(), GREY)


def test_colour_becomes_luminance(tmp_path):
    colour = np.zeros((3, 4, 3), dtype=np.uint8)
    colour[..., 0], colour[..., 1], colour[..., 2] = 200, 100, 50
    assert abs(int(saved(tmp_path, colour).pixels()[0, 0]) - (0.299 * 200 + 0.587 * 100 + 0.114 * 50)) <= 1


def test_palette_and_bilevel_images_are_read(tmp_path):
    Image.fromarray(GREY).convert("P").save(tmp_path / "p.png")
    Image.fromarray(GREY > 100).save(tmp_path / "b.png")
    assert np.array_equal(Radiograph(id="p", path=tmp_path / "p.png").pixels(), GREY)
    assert set(np.unique(Radiograph(id="b", path=tmp_path / "b.png").pixels())) == {0, 255}


def test_labels_default_to_blank(tmp_path):
    labels = Radiograph(id="a", path=tmp_path).labels
    assert tuple(labels) == OBSERVATIONS
    assert set(labels.values()) == {None}


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_file_cut_off_is_named(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (60, 70), dtype=np.uint8)
    radiograph = saved(tmp_path, noise, f"cut.{suffix}")
    content = radiograph.path.read_bytes()
    radiograph.path.write_bytes(content[: len(content) // 2])
    assert radiograph.size == (60, 70)
    with pytest.raises(CohortError) as caught:
        radiograph.pixels()
    expected = f"{radiograph.path}: the image file is damaged or incomplete; copy it again from its source"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"", "not a DICOM, PNG, JPEG or TIFF file"), (b"Path,Sex", "not a DICOM, PNG, JPEG or TIFF file")],
)
def test_a_file_that_is_no_image_is_named(tmp_path, content, line):
    path = tmp_path / "view1_frontal.jpg"
    path.write_bytes(content)
    for ask in (Radiograph.pixels, lambda radiograph: radiograph.size):
        with pytest.raises(CohortError, match=line):
            ask(Radiograph(id="a", path=path))


def test_a_gif_named_jpg_is_no_radiograph(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.gif")
    (tmp_path / "a.gif").rename(tmp_path / "a.jpg")
    with pytest.raises(CohortError, match="not a DICOM, PNG, JPEG or TIFF file"):
        Radiograph(id="a", path=tmp_path / "a.jpg").pixels()


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(CohortError, match=r"gone\.jpg: the image file is missing; put it back"):
        Radiograph(id="a", path=tmp_path / "gone.jpg").pixels()
    with pytest.raises(CohortError, match="the image file is not a file"):
        Radiograph(id="a", path=tmp_path).pixels()


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "view1_frontal.png")
    with pytest.raises(CohortError, match="the image file is not a file"):
        Radiograph(id="a", path=tmp_path / "view1_frontal.png").pixels()


def test_an_image_of_absurd_size_is_named(tmp_path):
    content = bytearray((saved(tmp_path, GREY).path).read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)  # PNG's width and height
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "vast.png").write_bytes(content)
    with pytest.raises(CohortError, match=r"the image file is too large"):
        Radiograph(id="a", path=tmp_path / "vast.png").pixels()


@given(
    st.sampled_from(["JPEG", "PNG"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spoilt_bytes_raise_nothing_but_cohort_error(tmp_path, kind, changes):
    path = tmp_path / "spoilt"
    Image.fromarray(GREY).save(path, format=kind)
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path.write_bytes(content)
    try:
        assert Radiograph(id="a", path=path).pixels().ndim == 2
    except CohortError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_an_error_survives_the_way_from_a_worker():
    error = pickle.loads(pickle.dumps(CohortError("is cut off", subject="a.jpg")))
    assert str(error) == "a.jpg: is cut off"
    assert (error.subject, error.message) == ("a.jpg", "is cut off")


@pytest.mark.parametrize("orientation", [["L", "F"], ["R", "F"], ["F", "L"]])
def test_masks_drawn_on_a_stored_dicom_image_go_along_when_it_is_turned(tmp_path, orientation):
    """The square of the picture is the expert's, whichever way the file is stored: an IoU of 0 before."""
    marked = np.zeros((260, 300), bool)
    marked[20:60, 30:70] = True
    corners = [[30, 20], [69, 20], [69, 59], [30, 59]]
    writer = CohortWriter(tmp_path)
    path = writer.images / "patient1" / "study1" / "view1_frontal.dcm"
    path.parent.mkdir(parents=True)
    path.write_bytes(file_of(radiograph(PatientOrientation=orientation)))
    writer.row("patient1/study1/view1_frontal.dcm")
    writer.experts("gt_segmentations", {FIRST: entry_of({"Edema": marked}, (260, 300))})
    writer.experts("gt_annotations", {FIRST: {"img_size": [260, 300], "Edema": [corners]}})
    cohort = writer.open()
    assert not cohort.check()
    pixels, annotation = cohort.radiographs[FIRST].pixels(), cohort.annotation(FIRST, "Edema")
    square = pixels == pixels.max()
    assert np.array_equal(annotation.mask(), square)
    assert np.array_equal(fill_contours(annotation.contours, annotation.size), square)


def test_what_a_file_says_against_its_picture_is_among_the_problems(tmp_path):
    writer = CohortWriter(tmp_path)
    path = writer.images / "patient1" / "study1" / "view1_frontal.dcm"
    path.parent.mkdir(parents=True)
    path.write_bytes(file_of(radiograph(PresentationIntentType="FOR PROCESSING")))
    writer.row("patient1/study1/view1_frontal.dcm")
    (problem,) = writer.open().check()
    assert problem.subject == str(path)
    assert "meant for processing, not for reading" in problem.message
