"""Annotations of every kind, and the union of several readers'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shamsul_core.cohort.annotation import Annotation, union
from shamsul_core.imaging.geometry import Geometry
from shamsul_core.imaging.rle import encode_mask

SIZE = (6, 8)
EMPTY = Annotation(image_id="a", pathology="Mass", size=SIZE, kind="box")


def box(*corners, annotator="R1", phrase=""):
    return replace(EMPTY, boxes=np.array([corners], np.float64), annotator=annotator, phrase=phrase)


def test_a_box_is_filled_counted_and_drawn():
    annotation = box(1, 2, 4, 5)
    expected = np.zeros(SIZE, bool)
    expected[2:5, 1:4] = True
    np.testing.assert_array_equal(annotation.mask(), expected)
    assert (annotation.area, annotation.is_empty, EMPTY.is_empty) == (9, False, True)
    assert annotation.contours[0].tolist() == [[0.5, 1.5], [3.5, 1.5], [3.5, 4.5], [0.5, 4.5]]
    turned = annotation.as_shown(Geometry(SIZE, SIZE, is_transposed=True))
    np.testing.assert_array_equal(turned.mask(), expected.T)
    assert (turned.size, turned.kind, turned.annotator) == ((8, 6), "box", "R1")


def test_a_point_is_the_pixel_it_lies_in():
    annotation = replace(box(3.2, 4.9, 3.2, 4.9), kind="point")
    assert np.argwhere(annotation.mask()).tolist() == [[4, 3]]


def test_the_union_of_readers_is_what_any_marked():
    first, second = (
        box(0, 0, 2, 2, annotator="R1", phrase="one."),
        box(1, 1, 3, 3, annotator="R2", phrase="two."),
    )
    together = union([first, replace(EMPTY, annotator="R3"), second])
    np.testing.assert_array_equal(together.mask(), first.mask() | second.mask())
    assert (together.annotator, together.phrase, len(together.boxes)) == ("R1, R2", "one. two.", 2)
    assert union([EMPTY, first]) is first
    assert union([EMPTY, EMPTY]) is EMPTY
    masks = [np.zeros(SIZE, bool) for _ in range(2)]
    masks[0][0, 0] = masks[1][5, 7] = True
    contours = [replace(EMPTY, kind="contour", rle=encode_mask(mask)) for mask in masks]
    np.testing.assert_array_equal(union(contours).mask(), masks[0] | masks[1])
