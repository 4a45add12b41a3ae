"""PNG, JPEG and TIFF: the deepest values that a file holds, upright."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from shamsul_core.imaging import Geometry, ImageError, read_geometry, read_radiograph, to_8_bits
from tests.imaging.radiographs import SIZE, picture, ramp

TWELVE_IN_SIXTEEN = ramp(8).astype(np.uint16) * 16  # to 4080, as many exports have it


def pixels(content: bytes) -> np.ndarray:
    return read_radiograph(content).pixels


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_eight_bits_are_read_as_pillow_reads_them(kind):
    content = picture(ramp(8), kind)
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(pixels(content), np.asarray(image))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_twelve_bits_in_sixteen_are_no_night(kind):
    shown = pixels(picture(TWELVE_IN_SIXTEEN, kind))
    assert shown.dtype == np.uint16
    assert (shown.min(), shown.max()) == (0, 65535)
    assert len(np.unique(shown)) == len(np.unique(TWELVE_IN_SIXTEEN))


def test_sixteen_bits_in_colours_keep_their_depth():
    _, png = cv2.imencode(".png", np.dstack([ramp(16)] * 3))
    grey = pixels(picture(ramp(16)))
    assert np.abs(pixels(png.tobytes()).astype(int) - grey).max() <= 2
    colours = np.random.default_rng(0).integers(0, 65536, (*SIZE, 3), np.uint16)
    assert read_radiograph(cv2.imencode(".png", colours)[1].tobytes()).coloured_share > 0.5


@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_whose_white_is_zero_is_turned(bits):
    """TIFF 6.0, PhotometricInterpretation 0."""
    highest = 2**bits - 1
    content = bytearray(picture((highest - ramp(bits)).astype(ramp(bits).dtype), "TIFF"))
    at = content.index(struct.pack("<HHI", 262, 3, 1))  # the tag, of one short number
    struct.pack_into("<H", content, at + 8, 0)
    assert np.array_equal(pixels(bytes(content)), pixels(picture(ramp(bits), "TIFF")))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_is_what_pillow_makes_of_it(orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = picture(ramp(8), kind, exif=exif)
    with Image.open(io.BytesIO(content)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(pixels(content), upright)
    geometry = read_geometry(content)
    assert geometry.shown == upright.shape
    assert geometry.stored == SIZE


def test_exif_behind_the_pixels_of_a_png_counts_and_nothing_is_decoded_for_it():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(data)) + b"eXIf" + data + struct.pack(">I", zlib.crc32(b"eXIf" + data))
    content = picture(ramp(8))
    end = content.rindex(b"IEND") - 4
    behind = content[:end] + chunk + content[end:]
    assert pixels(behind).shape == SIZE[::-1]
    spoilt = bytearray(behind)
    start = spoilt.index(b"IDAT")
    spoilt[start + 8 : start + 40] = bytes(32)
    assert read_geometry(bytes(spoilt)).shown == SIZE[::-1]


def test_a_mask_and_points_go_along_with_every_geometry():
    square = np.zeros((40, 60), bool)
    square[5:10, 20:30] = True
    corners = np.array([[20.0, 5.0], [29.0, 5.0], [29.0, 9.0], [20.0, 9.0]])
    for number in range(8):
        turned = [bool(number & bit) for bit in (1, 2, 4)]
        for size in ((40, 60), (80, 60), (40, 120)):
            geometry = Geometry((40, 60), size, *turned)
            shown = geometry.show(square)
            assert shown.shape == geometry.shown
            assert np.array_equal(geometry.store(shown), square)
            points = geometry.show_points(corners)
            rows, _ = np.nonzero(shown)
            scale = (size[0] / 40 - 1) / 2 if not turned[0] else (size[1] / 60 - 1) / 2
            assert abs(points[:, 1].min() - rows.min()) <= scale + 1e-9
            assert abs(points[:, 1].max() - rows.max()) <= scale + 1e-9


def test_eight_of_sixteen_bits_are_rounded():
    deep = np.array([[0, 128, 129, 257, 385, 386, 32768, 65535]], np.uint16)
    assert np.array_equal(to_8_bits(deep), np.floor(deep / 257 + 0.5))
    assert to_8_bits(ramp(8)).base is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a DICOM, PNG, JPEG or TIFF file"),
        (b"<html>", "not a DICOM, PNG, JPEG or TIFF file"),
        (picture(ramp(8), "GIF"), "not a DICOM, PNG, JPEG or TIFF file"),
        (picture(ramp(8))[:300], "damaged or incomplete"),
        (picture(ramp(8), "TIFF", save_all=True, append_images=[Image.fromarray(ramp(8))]), "several images"),
        (picture(np.full(SIZE, np.nan, np.float32), "TIFF"), "not numbers"),
    ],
)
def test_what_is_refused_is_a_sentence(content, words):
    with pytest.raises(ImageError, match=words):
        read_radiograph(content)
