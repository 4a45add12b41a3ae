"""Small changes of a radiograph, and a map brought back from them to the place where it was."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.heatmap import WHOLE
from shamsul_core.proof.perturbations import NOISE, SHIFT_PX, perturbations

SIZE = 64
INNER = (slice(6, -6), slice(6, -6))


@pytest.fixture(scope="module")
def smooth():
    rows, columns = np.mgrid[:96, :160]
    values = 30000 + 15000 * np.sin(rows / 9) * np.cos(columns / 12) + 9000 * (columns / 160)
    return values.astype(np.uint16)


@pytest.mark.parametrize("fit", ["squeeze", "crop", "pad"])
def test_what_the_network_sees_of_a_moved_radiograph_comes_back(smooth, fit):
    """The network's input is a map as good as any: brought back it is the input itself."""
    preprocessing = Preprocessing(size_px=SIZE, fit=fit)
    field = preprocessing.field(smooth.shape)
    seen = preprocessing.resize(smooth)[0, 0].numpy()
    inside = np.zeros((SIZE, SIZE), bool)
    inside[INNER] = True
    if fit == "pad":
        inside[:20] = inside[-20:] = False
    for change in perturbations(smooth, field, SIZE, seed=0)[:2]:
        moved = preprocessing.resize(change.pixels)[0, 0].numpy()
        back = change.bring_back(moved)
        was_off, is_off = (np.abs(one - seen)[inside].max() for one in (moved, back))
        assert is_off < 0.25 * was_off


def test_the_shift_is_two_pixels_of_the_networks_input(smooth):
    shift = perturbations(smooth, WHOLE, SIZE, seed=0)[0]
    dot = np.zeros((SIZE, SIZE), np.float32)
    dot[30 + SHIFT_PX, 20 + SHIFT_PX] = 1
    back = shift.bring_back(dot)
    assert np.unravel_index(back.argmax(), back.shape) == (30, 20)


def test_rotation_is_anticlockwise_by_a_degree(smooth):
    rotation = perturbations(np.zeros((256, 256), np.uint8), WHOLE, 256, seed=0)[1]
    # 100 pixels right of the middle go up by 100 sin 1°
    moved = rotation.moved @ np.array([127.5 + 100, 127.5, 1])
    assert moved[1] == pytest.approx(127.5 - 100 * np.sin(np.radians(1)), abs=0.01)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_noise_and_jpeg_change_little_and_move_nothing(smooth, kind):
    pixels = (smooth // 256).astype(np.uint8) if kind is np.uint8 else smooth
    span = float(pixels.max()) - float(pixels.min())
    for change in perturbations(pixels, WHOLE, SIZE, seed=0)[2:]:
        assert change.pixels.dtype == pixels.dtype
        assert change.moved is None
        difference = change.pixels.astype(float) - pixels
        assert 0 < np.sqrt(np.mean(difference**2)) < 2 * NOISE * span
    noise = perturbations(pixels, WHOLE, SIZE, seed=0)[2].pixels - pixels.astype(float)
    assert noise.std() == pytest.approx(NOISE * span, rel=0.05)


def test_the_least_and_greatest_grey_stay_within_the_type():
    pixels = np.zeros((40, 40), np.uint8)
    pixels[:, 20:] = 255
    for change in perturbations(pixels, WHOLE, 32, seed=0):
        assert abs(cv2.mean(change.pixels[:, :10])[0]) < 6
