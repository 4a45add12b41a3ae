"""The score of one heatmap, whose map is resized once for mask and hit, against each computed alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from shamsul_core.heatmap import Heatmap
from shamsul_core.imaging.boxes import NO_BOXES, fill_boxes
from shamsul_core.localisation.boxes import boxes_around, iobb, iou_of_boxes, localisation_accuracy
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.scoring import Truth, score_heatmap
from shamsul_core.localisation.segmentation import SegmentationSettings, resize, scale, segment

SIZE = (230, 280)


def contour(mask):
    return Truth(mask, NO_BOXES, "contour")


def box(*boxes):
    array = np.array(boxes, np.float64).reshape(-1, 4)
    return Truth(fill_boxes(array, SIZE), array, "box")


def heatmap_of(mask):
    """A heatmap that is already a mask of the radiograph's size or, scaled, brightest there."""
    return Heatmap(method="lrp", pathology="Edema", output="logit", values=mask.astype(np.float32))


@pytest.mark.parametrize("sign", ["signed", "positive", "absolute"])
@pytest.mark.parametrize("shift", [0.0, 10.0], ids=["of both signs", "nowhere negative"])
@pytest.mark.parametrize("side", [7, 40])
def test_equals_mask_and_hit_each_from_a_map_of_its_own(sign, shift, side):
    chosen = SegmentationSettings(sign=sign)
    expert = np.zeros(SIZE, bool)
    expert[60:170, 90:240] = True
    hits = set()
    for seed in range(8):
        values = np.random.default_rng(seed).normal(shift, 1, (side, side)).astype(np.float32)
        values[seed % side, 0] = shift - 20  # the largest by amount is not the highest
        heatmap = Heatmap(method="lrp", pathology="Edema", output="logit", values=values)
        row = score_heatmap(heatmap, SIZE, chosen, None, [contour(expert)])
        mask = segment(heatmap, SIZE, chosen).mask
        full = cv2.resize(values, SIZE[::-1], interpolation=cv2.INTER_LINEAR)
        assert row["iou"] == iou(mask, expert)
        assert row["mask_area_px"] == mask.sum()
        assert row["hit"] == expert[np.unravel_index(full.argmax(), SIZE)]
        hits.add(row["hit"])
    assert hits == {0, 1}


def test_the_resized_map_that_is_handed_in_stays_as_it_is():
    values = 3 + 2 * np.eye(9, dtype=np.float32)
    heatmap = Heatmap(method="lrp", pathology="Edema", output="logit", values=values)
    resized = resize(heatmap.relevance, SIZE)
    before = resized.copy()
    scale(heatmap, SIZE, "signed", resized=resized)
    np.testing.assert_array_equal(resized, before)


def test_where_the_experts_marked_nothing_there_is_a_mask_and_no_hit():
    heatmap = Heatmap(method="lrp", pathology="Edema", output="logit", values=np.eye(9, dtype=np.float32))
    row = score_heatmap(
        heatmap, SIZE, SegmentationSettings(), None, [contour(np.zeros(SIZE, bool))], "nothing marked"
    )
    assert row["mask_area_px"] > 0
    assert row["expert_area_px"] == 0
    assert "hit" not in row
    assert np.isnan(row["iou"])
    assert row["reason"] == "nothing marked"


def test_boxes_overlap_as_by_the_formula_worked_by_hand():
    detected = np.array([[0.0, 0.0, 10.0, 10.0], [20.0, 20.0, 30.0, 40.0]])
    marked = np.array([[5.0, 0.0, 15.0, 10.0], [20.0, 30.0, 40.0, 50.0]])
    # 50 of 150, nothing; nothing, 100 of 500
    np.testing.assert_allclose(iou_of_boxes(detected, marked), [[1 / 3, 0], [0, 0.2]])
    np.testing.assert_allclose(iobb(detected, marked), [[0.5, 0], [0, 0.5]])
    assert iou_of_boxes(NO_BOXES, marked).shape == (0, 2)


def test_iobb_is_of_the_detected_box_and_not_of_the_marked_one():
    """20 × 10 detected, 10 × 40 marked, 10 × 10 in both: 1/2 of the detected box, 1/4 of the marked, 1/5 of the union."""
    detected, marked = np.array([[0.0, 0.0, 20.0, 10.0]]), np.array([[10.0, 0.0, 20.0, 40.0]])
    assert iobb(detected, marked).tolist() == [[0.5]]
    assert iobb(marked, detected).tolist() == [[0.25]]
    assert iou_of_boxes(detected, marked).tolist() == [[0.2]]
    # A detected box within the marked one is located whole, however small, and not the other way round
    inside, around = np.array([[2.0, 2.0, 4.0, 4.0]]), np.array([[0.0, 0.0, 8.0, 8.0]])
    assert (iobb(inside, around).item(), iobb(around, inside).item()) == (1.0, 4 / 64)


def test_boxes_overlap_as_filled_on_whole_pixels():
    generator = np.random.default_rng(0)
    corners = np.sort(generator.integers(0, 60, (2, 12, 2, 2)), axis=2) + np.array([[0, 0], [1, 1]])
    first, second = corners.reshape(2, 12, 4).astype(np.float64)
    ious = iou_of_boxes(first, second)
    assert (ious > 0).any()
    for i, j in np.ndindex(ious.shape):
        a, b = (fill_boxes(one[None], (70, 70)) for one in (first[i], second[j]))
        assert ious[i, j] == pytest.approx((a & b).sum() / (a | b).sum())


def test_a_mask_equal_to_the_boxes_scores_full_and_nothing_of_masks_is_said():
    marked = box((20, 30, 60, 90), (100, 100, 180, 160))
    settings = SegmentationSettings(thresholds={"Edema": 0.5})
    row = score_heatmap(heatmap_of(marked.mask), SIZE, settings, None, [marked])
    assert (row["truth"], row["iou"], row["iobb"], row["hit"], row["distance"]) == ("box", 1, 1, 1, 0)
    assert row["mass_accuracy"] == pytest.approx(1)
    assert row["expert_area_px"] == 40 * 60 + 80 * 60
    assert not {"dice", "precision", "best_iou", "average_precision"} & set(row)


def test_each_marked_box_is_held_against_the_nearest_region():
    mask = np.zeros(SIZE, bool)
    mask[30:90, 20:40] = True
    mask[200:210, 200:210] = True
    row = score_heatmap(
        heatmap_of(mask),
        SIZE,
        SegmentationSettings(thresholds={"Edema": 0.5}),
        None,
        [box((20, 30, 60, 90), (100, 100, 180, 160))],
    )
    # The first box is half covered, by a region within it; the second is missed
    assert (row["iou"], row["iobb"]) == (0.25, 0.5)
    assert boxes_around(mask).tolist() == [[20, 30, 40, 90], [200, 200, 210, 210]]


def test_annotators_are_scored_one_by_one_and_averaged_over_those_who_marked_anything():
    mask = np.zeros(SIZE, bool)
    mask[0:100, 0:100] = True
    settings = SegmentationSettings(thresholds={"Edema": 0.5})
    first, second, nobody = box((0, 0, 100, 100)), box((0, 0, 100, 50)), box()
    row = score_heatmap(heatmap_of(mask), SIZE, settings, None, [first, nobody, second])
    assert (row["iou"], row["iobb"], row["expert_area_px"]) == (0.75, 0.75, 7500)
    alone = score_heatmap(heatmap_of(mask), SIZE, settings, None, [first])
    assert alone["iou"] == 1
    whole, half = contour(mask), contour(mask & (np.arange(280) < 50))
    masks = score_heatmap(heatmap_of(mask), SIZE, settings, None, [whole, half])
    assert (masks["iou"], masks["truth"]) == (0.75, "contour")


def test_nothing_detected_is_no_iou_as_of_masks():
    flat = heatmap_of(np.zeros(SIZE, bool))
    row = score_heatmap(flat, SIZE, SegmentationSettings(), None, [box((20, 30, 60, 90))])
    assert np.isnan(row["iou"])
    assert np.isnan(row["iobb"])
    assert row["reason"] == "nothing speaks for the pathology"


def test_a_point_is_hit_or_missed():
    row = score_heatmap(
        heatmap_of(fill_boxes(np.array([[20.0, 30, 60, 90]]), SIZE)),
        SIZE,
        SegmentationSettings(),
        None,
        [Truth(fill_boxes(np.array([[20.5, 30.5, 20.5, 30.5]]), SIZE), NO_BOXES, "point")],
    )
    assert (row["truth"], row["hit"]) == ("point", 1)
    assert "iou" not in row


def test_the_share_located_falls_with_the_threshold():
    best = np.array([0.1, 0.24, 0.25, 0.8, np.nan])
    assert localisation_accuracy(best) == {0.1: 1.0, 0.25: 0.5, 0.5: 0.25, 0.75: 0.25, 0.9: 0.0}
    assert np.isnan(localisation_accuracy(np.array([]))[0.1])
