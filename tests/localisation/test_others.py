"""Other patients' marks: their mean, and how a mask fares against them, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.imaging.boxes import NO_BOXES
from shamsul_core.localisation.baselines import GRID_PX
from shamsul_core.localisation.others import FINE_PX, MarksOfOthers, fine
from shamsul_core.localisation.scoring import Truth

SIZE = (64, 128)
IDS = (
    "patient1_study1_view1_frontal",
    "patient1_study2_view1_frontal",
    "patient2_study1_view1_frontal",
    "patient3_study1_view1_frontal",
)


def half(which):
    mask = np.zeros(SIZE, bool)
    mask[:, slice(0, 64) if which == "left" else slice(64, 128)] = True
    return Truth(mask, NO_BOXES, "contour")


def box(x0, y0, x1, y1):
    mask = np.zeros(SIZE, bool)
    mask[y0:y1, x0:x1] = True
    return Truth(mask, np.array([[x0, y0, x1, y1]], float), "box")


def marks_of(*truths):
    marks = MarksOfOthers()
    for image_id, truth in zip(IDS, truths, strict=False):
        marks.add(image_id, truth)
    return marks


def against(marks, mask, place):
    return marks.others_of(IDS[0], np.random.default_rng(0)).scores(mask, place)


def test_location_is_the_mean_of_other_patients_marks():
    """Patient 1 has two radiographs: neither may tell of the other."""
    marks = marks_of(half("left"), half("left"), half("left"), half("right"))
    location = marks.location(IDS[0])
    assert location.shape == (GRID_PX, GRID_PX)
    assert location == pytest.approx(np.full((GRID_PX, GRID_PX), 0.5), abs=1e-6)
    third = marks.location(IDS[2])
    assert third[:, : GRID_PX // 2] == pytest.approx(np.full((GRID_PX, GRID_PX // 2), 2 / 3), abs=1e-6)
    assert third[:, GRID_PX // 2 :] == pytest.approx(np.full((GRID_PX, GRID_PX // 2), 1 / 3), abs=1e-6)


def test_of_one_patient_alone_nothing_is_known():
    marks = marks_of(half("left"), half("left"))
    assert marks.location(IDS[0]) is None
    row = against(marks, fine(half("left").mask), (0.5, 0.5))
    assert row["others"] == 0
    assert np.isnan(row["iou_elsewhere"])
    assert np.isnan(row["hit_elsewhere"])


def test_a_mask_is_held_against_each_other_patients_mark():
    marks = marks_of(half("left"), half("left"), half("left"), half("right"))
    whole = np.ones((FINE_PX, FINE_PX), bool)
    row = against(marks, whole, (0.5, 0.25))
    assert row == {"others": 2, "iou_elsewhere": 0.5, "hit_elsewhere": 0.5}
    left = fine(half("left").mask)
    assert against(marks, left, None)["iou_elsewhere"] == 0.5  # 1 and 0
    empty = against(marks, np.zeros_like(whole), None)
    assert np.isnan(empty["iou_elsewhere"])


def test_boxes_are_held_against_boxes():
    """The mask's box is the left half; the other patient's its upper half, so that IoU is a half whatever else is marked."""
    marks = marks_of(half("left"), half("left"), box(0, 0, 64, 32))
    row = against(marks, fine(half("left").mask), (0.2, 0.2))
    assert row["iou_elsewhere"] == pytest.approx(0.5, abs=0.01)
    assert row["hit_elsewhere"] == 1
    location = marks.location(IDS[0])
    assert location[: GRID_PX // 2, : GRID_PX // 2].min() == pytest.approx(1, abs=1e-6)
    assert location[GRID_PX // 2 + 1 :].max() == pytest.approx(0, abs=1e-6)


def test_what_nobody_marked_is_left_out():
    marks = marks_of(Truth(np.zeros(SIZE, bool), NO_BOXES, "contour"), half("left"), half("right"))
    assert marks.location(IDS[3]).max() == pytest.approx(0.5)
