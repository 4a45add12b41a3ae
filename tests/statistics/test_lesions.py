"""Lesions' features against shapes whose values are known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from shamsul_core.cohort import open_cohort
from shamsul_core.statistics.lesions import FEATURES, lesion_table, shape_features
from tests.made import expert_rectangle, image_id


def test_a_disc_is_as_long_as_wide_and_leaves_what_a_circle_leaves_of_its_square():
    mask = cv2.circle(np.zeros((400, 500), np.uint8), (250, 200), 100, 1, cv2.FILLED).astype(bool)
    features = shape_features(mask)
    assert features["area_share"] == pytest.approx(math.pi * 100**2 / (400 * 500), rel=0.01)
    assert features["elongation"] == pytest.approx(1, abs=0.01)
    assert features["irrectangularity"] == pytest.approx(1 - math.pi / 4, abs=0.01)


def test_a_turned_rectangle_is_measured_along_its_own_sides():
    corners = cv2.boxPoints(((250, 250), (200, 50), 30)).astype(np.int32)
    mask = cv2.fillConvexPoly(np.zeros((500, 500), np.uint8), corners, 1).astype(bool)
    features = shape_features(mask)
    assert features["elongation"] == pytest.approx(4, rel=0.03)
    assert features["irrectangularity"] == pytest.approx(0, abs=0.03)


@st.composite
def lesions(draw):
    """A mask of up to four ellipses, turned and overlapping as they fall, some with a hole."""
    mask = np.zeros((90, 120), np.uint8)
    for _ in range(draw(st.integers(1, 4))):
        centre = draw(st.tuples(st.integers(10, 110), st.integers(10, 80)))
        axes = draw(st.tuples(st.integers(3, 30), st.integers(3, 20)))
        cv2.ellipse(mask, centre, axes, draw(st.integers(0, 179)), 0, 360, 1, cv2.FILLED)
        if draw(st.booleans()):
            cv2.circle(mask, centre, min(axes) // 3, 0, cv2.FILLED)
    return mask.astype(bool)


def rectangles_around(points):
    """Sides of the rectangle along each edge of the convex hull; the least of all rectangles is among them."""
    hull = points[ConvexHull(points).vertices]
    for edge in np.roll(hull, -1, axis=0) - hull:
        along = edge / np.hypot(*edge)
        yield np.ptp(hull @ along), np.ptp(hull @ (-along[1], along[0]))


def enclosed_area(points):
    x, y = points.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@settings(max_examples=60, derandomize=True)
@given(mask=lesions().filter(np.any))
def test_the_features_are_those_chexlocalize_publishes(mask):
    """Their definition by other means: every rectangle along the hull's edges, and the area by Gauss's formula.

    Area ratio: pixels of the mask over pixels of the radiograph. Of the outline with most points: elongation, the
    longer over the shorter side of the least rectangle around it; irrectangularity, 1 less area over rectangle.
    """
    features = shape_features(mask)
    assert features["area_share"] == np.count_nonzero(mask) / (90 * 120)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    longest = outlines[np.argmax([len(one) for one in outlines])][:, 0].astype(float)
    if np.linalg.matrix_rank(longest - longest[0]) < 2:
        assert math.isnan(features["elongation"])
        return
    sides = np.sort([*rectangles_around(longest)], axis=1)
    areas = sides.prod(axis=1)
    assert features["irrectangularity"] == pytest.approx(
        1 - enclosed_area(longest) / areas.min(), rel=1e-3, abs=1e-4
    )
    least = sides[areas <= areas.min() * 1.0001]  # rectangles as small as each other may differ in shape
    assert np.isclose(least[:, 1] / least[:, 0], features["elongation"], rtol=1e-3).any()


def test_a_line_has_no_width():
    mask = np.zeros((50, 50), bool)
    mask[10, 5:40] = True
    features = shape_features(mask)
    assert math.isnan(features["elongation"])
    assert math.isnan(features["irrectangularity"])


def test_a_cohorts_table_has_a_row_for_each_mask(made_cohort):
    cohort = open_cohort(made_cohort)
    table = lesion_table(cohort, cohort.radiographs, ["Edema", "Cardiomegaly", "Lung Lesion"])
    assert list(table.columns) == ["image_id", "pathology", *FEATURES]
    row = table.set_index(["image_id", "pathology"]).loc[(image_id(2), "Edema")]
    mask = expert_rectangle(2, cohort.radiographs[image_id(2)].size).astype(bool)
    assert row["area_share"] == pytest.approx(mask.mean())
    assert row["lesions"] == 1
