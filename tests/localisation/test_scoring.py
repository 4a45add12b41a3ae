"""The score of one heatmap, whose map is resized once for mask and hit, against each computed alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from shamsul_core.heatmap import Heatmap
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.scoring import score_heatmap
from shamsul_core.localisation.segmentation import SegmentationSettings, resize, scale, segment

SIZE = (230, 280)


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
        row = score_heatmap(heatmap, SIZE, chosen, None, expert)
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
    row = score_heatmap(heatmap, SIZE, SegmentationSettings(), None, np.zeros(SIZE, bool), "nothing marked")
    assert row["mask_area_px"] > 0
    assert row["expert_area_px"] == 0
    assert "hit" not in row
    assert np.isnan(row["iou"])
    assert row["reason"] == "nothing marked"
