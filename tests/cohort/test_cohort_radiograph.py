"""Pixels: what is stored is what is read, and a bad file is one line."""

from __future__ import annotations

import pickle
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from shamsul_core.cohort import CohortError, Radiograph
from shamsul_core.labels import OBSERVATIONS

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


def test_16_bits_are_scaled_to_8_by_rounding(tmp_path):
    deep = np.array([[0, 128, 129, 257, 385, 386], [32768, 65535, 65406, 65407, 514, 25700]], dtype=np.uint16)
    expected = np.floor(deep / 257 + 0.5).astype(np.uint8)
    assert np.array_equal(saved(tmp_path, deep).pixels(), expected)
    assert expected[1, 1] == 255


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
    assert str(caught.value).startswith(f"{radiograph.path}: the image file is cut off or damaged (")
    assert str(caught.value).endswith("copy it again from its source")


@pytest.mark.parametrize(
    ("content", "line"), [(b"", "not a JPEG or PNG"), (b"Path,Sex", "not a JPEG or PNG")]
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
    with pytest.raises(CohortError, match="not a JPEG or PNG image"):
        Radiograph(id="a", path=tmp_path / "a.jpg").pixels()


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(CohortError, match=r"gone\.jpg: the image file is missing; put it back"):
        Radiograph(id="a", path=tmp_path / "gone.jpg").pixels()
    with pytest.raises(CohortError, match="cannot be opened"):
        Radiograph(id="a", path=tmp_path).pixels()


def test_an_image_of_absurd_size_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(CohortError, match="far more pixels than any radiograph"):
        saved(tmp_path, GREY).pixels()


@given(
    st.sampled_from(["JPEG", "PNG"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_spoilt_bytes_raise_nothing_but_cohort_error(tmp_path, kind, changes):
    path = tmp_path / "spoilt"
    Image.fromarray(GREY).save(path, format=kind)
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert Radiograph(id="a", path=path).pixels().ndim == 2
        except CohortError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_an_error_survives_the_way_from_a_worker():
    error = pickle.loads(pickle.dumps(CohortError("is cut off", subject="a.jpg")))
    assert str(error) == "a.jpg: is cut off"
    assert (error.subject, error.message) == ("a.jpg", "is cut off")
