from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.heatmap import Heatmap
from shamsul_core.imaging.boxes import NO_BOXES
from shamsul_core.localisation.sampling import STABLE_FROM, sample_masks
from shamsul_core.localisation.scoring import Truth, score_heatmap
from shamsul_core.localisation.segmentation import PRESETS

QUARTERS = np.add.outer(np.arange(60) // 30 * 2, np.arange(60) // 30)
"""Four superpixels of 30 × 30 places."""
EXPERT = QUARTERS == 0


def sampled(values, errors):
    return Heatmap(
        method="lime",
        pathology="Edema",
        output="logit",
        values=np.array(values, np.float32),
        superpixels=QUARTERS,
        standard_error=np.array(errors, np.float32),
    )


def test_without_error_the_mask_is_stable_and_the_iou_a_point():
    found = sample_masks(sampled([1, 0, 0, -1], [0, 0, 0, 0]), PRESETS["default"], [EXPERT])
    assert (found.stability, found.iou_low, found.iou_high) == (1, 0, 0)


def test_an_error_as_large_as_the_difference_moves_the_mask_to_the_other_superpixel():
    """One of two superpixels that are as relevant as each other is the higher one in half of all draws."""
    heatmap = sampled([1, 0.98, -1, -1], [0.5, 0.5, 0, 0])
    found = sample_masks(heatmap, PRESETS["default"], [EXPERT])
    # A draw marks both, or one of them, which is half of the map's own mask
    assert 0.5 < found.stability < 1
    row = score_heatmap(heatmap, EXPERT.shape, PRESETS["default"], None, [Truth(EXPERT, NO_BOXES, "contour")])
    assert row["iou"] == pytest.approx(0.5, abs=0.02)
    assert row["iou_low"] == pytest.approx(0, abs=0.03)
    assert row["iou_high"] == pytest.approx(1, abs=0.03)
    assert row["stability"] == found.stability


def test_noise_alone_is_no_stable_mask():
    assert sample_masks(sampled([1, 0, 0, 0], [9] * 4), PRESETS["default"]).stability < STABLE_FROM


def test_what_is_far_from_the_threshold_stays_on_its_side():
    found = sample_masks(sampled([1, 0, 0, 0], [0.02] * 4), PRESETS["default"], [EXPERT])
    assert found.stability == pytest.approx(1, abs=0.02)
    assert found.iou_high - found.iou_low < 0.03


def test_what_was_not_sampled_has_none():
    heatmap = Heatmap(method="lrp", pathology="Edema", output="logit", values=np.eye(9, dtype=np.float32))
    assert sample_masks(heatmap, PRESETS["default"], [np.eye(9, dtype=bool)]) is None
    assert sample_masks(sampled([-1] * 4, [0.1] * 4), PRESETS["default"]) is None
