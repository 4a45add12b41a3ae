"""The outline that the browser draws at a threshold, against OpenCV's masks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def rings(script):
    def draw(values, least):
        height, width = values.shape
        given = {"map": {"values": values.ravel().tolist(), "width": width, "height": height}, "least": least}
        imports = 'import { contourRings } from "./dashboard/viewer/contour.js";'
        return [
            np.reshape(ring, (-1, 2))
            for ring in script(imports, "contourRings(given.map, given.least)", given)
        ]

    return draw


def area(ring):
    """The shoelace formula: positive one way round, negative the other."""
    x, y = ring.T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def test_a_disc_has_its_area_and_a_hole_takes_from_it(rings):
    rows, columns = np.mgrid[0:101, 0:101]
    distance = np.hypot(rows - 50, columns - 50)
    (disc,) = rings(1000 - 10 * distance, 700)  # radius 30
    assert abs(area(disc)) == pytest.approx(np.pi * 30**2, rel=0.002)
    np.testing.assert_allclose(np.hypot(*(disc - 50.5).T), 30, atol=0.05)
    ring = rings(1000 - 10 * np.abs(distance - 25), 900)  # from 15 to 35
    assert len(ring) == 2
    assert abs(sum(map(area, ring))) == pytest.approx(np.pi * (35**2 - 15**2), rel=0.005)


def test_what_reaches_the_border_is_closed_there(rings):
    (whole,) = rings(np.full((4, 6), 9), 5)
    # The corners are cut off by half a cell each way.
    assert abs(area(whole)) == pytest.approx(4 * 6 - 4 * 0.5**3)
    assert (whole.min(), *whole.max(axis=0)) == (0, 6, 4)
    assert rings(np.full((4, 6), 9), 10) == []


def test_a_saddle_follows_its_middle(rings):
    assert len(rings(np.array([[9, 0], [0, 9]]), 4)) == 1
    assert len(rings(np.array([[9, 0], [0, 9]]), 5)) == 2


@pytest.mark.parametrize("seed", range(3))
def test_the_outline_parts_the_full_maps_mask_from_the_rest(rings, seed):
    """Filled by OpenCV at ten times the size, it is the mask of the map resized to that size, but for the edges."""
    values = cv2.GaussianBlur(np.random.default_rng(seed).random((40, 30), np.float32), (0, 0), 3)
    least = float(np.median(values))
    full = cv2.resize(values, (300, 400), interpolation=cv2.INTER_LINEAR) >= least
    outlines = [np.rint((10 * ring - 0.5) * 16).astype(np.int32) for ring in rings(values, least)]
    filled = cv2.fillPoly(np.zeros(full.shape, np.uint8), outlines, 1, shift=4).astype(bool)
    assert np.count_nonzero(filled ^ full) < 0.01 * full.size
    edges = cv2.dilate(np.abs(cv2.Laplacian(full.astype(np.float32), cv2.CV_32F)), np.ones((9, 9))) > 0
    inside = np.zeros(full.shape, bool)
    inside[10:-10, 10:-10] = True  # on the border's half cell the outline cuts corners
    assert not (filled ^ full)[inside & ~edges].any()
