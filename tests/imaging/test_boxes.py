"""Boxes filled against pycocotools, and turned and stretched with their radiograph."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco

from shamsul_core.imaging.boxes import fill_boxes, outline_boxes, read_box, show_boxes
from shamsul_core.imaging.geometry import Geometry
from shamsul_core.imaging.refusals import MaskError

SIZE = (50, 70)


def test_filled_as_pycocotools_fills_them():
    generator = np.random.default_rng(0)
    for _ in range(300):
        x, y = generator.uniform(-5, [70, 50])
        # Tenths too, at which a pixel's centre lies on the border
        width, height = generator.choice(
            [generator.uniform(1.1, 30, 2).round(1), generator.uniform(1.1, 30, 2)]
        )
        box = np.array([[x, y, x + width, y + height]])
        expected = coco.decode(coco.frPyObjects(np.array([[x, y, width, height]]), *SIZE))[..., 0]
        np.testing.assert_array_equal(fill_boxes(box, SIZE), expected.astype(bool), err_msg=str(box))


def test_several_boxes_a_point_and_what_lies_outside():
    boxes = np.array([[1.0, 1, 3, 2], [60.2, 40.9, 60.2, 40.9], [-9, -9, 0, 0], [69.5, 10, 90, 11]])
    expected = np.zeros(SIZE, bool)
    expected[1, 1:3] = expected[40, 60] = expected[10, 69] = True
    np.testing.assert_array_equal(fill_boxes(boxes, SIZE)[:, :69], expected[:, :69])
    assert fill_boxes(boxes[2:3], SIZE).sum() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_turns_with_its_radiograph(orientation):
    geometry = Geometry.of_exif(SIZE, orientation)
    box = np.array([[10.0, 20, 40, 30]])
    turned = show_boxes(box, geometry)
    assert (turned[:, :2] < turned[:, 2:]).all()
    np.testing.assert_array_equal(fill_boxes(turned, geometry.shown), geometry.show(fill_boxes(box, SIZE)))


def test_a_box_is_stretched_with_its_radiograph():
    assert show_boxes(np.array([[1.0, 2, 3, 4]]), Geometry((10, 10), (20, 30))).tolist() == [[3, 4, 9, 8]]


def test_corners_are_half_a_pixel_outside_the_centres():
    (corners,) = outline_boxes(np.array([[1.0, 2, 3, 4]]))
    assert corners.tolist() == [[0.5, 1.5], [2.5, 1.5], [2.5, 3.5], [0.5, 3.5]]


@pytest.mark.parametrize(
    "values", [["1", "2", "3"], ["1", "2", "3", "x"], [1, 2, 3, float("inf")], [None] * 4]
)
def test_four_numbers_or_none(values):
    with pytest.raises(MaskError, match="a box must be four numbers"):
        read_box(values)
    assert read_box([5, 6, 1, 2]) == (1, 2, 5, 6)
    assert read_box([5, 6, 1, 2], is_sized=True) == (5, 6, 6, 8)
