from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score, precision_score, recall_score

from shamsul_core.localisation.overlap import (
    distance_of_maximum,
    full_slice,
    hit,
    iou,
    mass_accuracy,
    overlap,
)

masks = arrays(bool, (6, 7))


def rectangle(top, bottom, left, right):
    mask = np.zeros((20, 20), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_two_rectangles_by_hand():
    # 6 × 10 and 10 × 6, sharing 4 × 3: 12 / (60 + 60 - 12)
    assert iou(rectangle(0, 6, 0, 10), rectangle(2, 12, 7, 13)) == pytest.approx(12 / 108)


@given(masks, masks)
def test_symmetric_bounded_and_nan_only_on_empty(one, other):
    found = iou(one, other)
    if not one.any() or not other.any():
        assert math.isnan(found)
    else:
        assert 0 <= found <= 1
        assert found == iou(other, one)
        assert found == np.logical_and(one, other).sum() / np.logical_or(one, other).sum()


@given(masks.filter(np.any))
def test_one_on_itself_and_nought_on_its_complement(mask):
    assert iou(mask, mask) == 1
    if not mask.all():
        assert iou(mask, ~mask) == 0


@given(masks.filter(np.any), st.integers(0, 41))
def test_adding_a_pixel_of_the_experts_never_lowers_it(expert, place):
    mask = expert & (np.arange(42).reshape(6, 7) % 2 == 0)
    more = mask.copy()
    more.flat[place] |= expert.flat[place]
    if mask.any():
        assert iou(more, expert) >= iou(mask, expert)


def test_sizes_that_differ_are_named():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        iou(np.ones((2, 3), bool), np.ones((3, 2), bool))


@pytest.mark.parametrize(
    ("found", "mask_area", "expert_area", "expected"),
    [(0.3, 5, 6, 0.3), (math.nan, 0, 6, 0.0), (math.nan, 6, 0, 0.0), (math.nan, 0, 0, math.nan)],
)
def test_full_slice(found, mask_area, expert_area, expected):
    assert full_slice(found, mask_area, expert_area) == pytest.approx(expected, nan_ok=True)


def test_hit_is_where_the_maximum_lies_at_full_resolution():
    relevance = np.zeros((4, 4), np.float32)
    relevance[1, 2] = 1
    relevance[3, 3] = -9  # large, but it speaks against
    inside = np.zeros((40, 80), bool)
    inside[10:20, 40:60] = True
    assert hit(relevance, inside) == 1
    assert hit(relevance, ~inside) == 0
    assert math.isnan(hit(relevance, np.zeros_like(inside)))


@pytest.mark.slow
@given(masks, masks)
def test_overlap_is_scikit_learns(mask, expert):
    found = overlap(mask, expert)
    truth, given_ = expert.ravel(), mask.ravel()
    assert (found.neither, found.only_mask, found.only_expert, found.both) == tuple(
        confusion_matrix(truth, given_, labels=[False, True]).ravel()
    )
    for value, theirs, defined in (
        (found.precision, precision_score, mask.any()),
        (found.recall, recall_score, expert.any()),
        (found.dice, f1_score, mask.any() and expert.any()),
        (found.iou, jaccard_score, mask.any() and expert.any()),
        (found.specificity, lambda one, other: recall_score(~one, ~other), not expert.all()),
    ):
        assert value == pytest.approx(theirs(truth, given_)) if defined else math.isnan(value)


@given(masks.filter(np.any), masks.filter(np.any))
def test_dice_follows_from_the_iou(mask, expert):
    found = overlap(mask, expert)
    assert found.dice == pytest.approx(2 * found.iou / (1 + found.iou))


relevances = arrays(np.float32, (6, 7), elements=st.floats(-4, 4, width=16))


@given(relevances, masks.filter(np.any))
def test_mass_inside_and_outside_make_one(relevance, expert):
    if (relevance <= 0).all():
        assert math.isnan(mass_accuracy(relevance, expert))
        return
    inside = np.maximum(relevance, 0)[expert].sum() / np.maximum(relevance, 0).sum()
    assert mass_accuracy(relevance, expert) == pytest.approx(inside, abs=1e-6)
    if not expert.all():
        assert mass_accuracy(relevance, expert) + mass_accuracy(relevance, ~expert) == pytest.approx(1)


@given(relevances, masks.filter(np.any))
def test_distance_is_to_the_nearest_pixel_and_nought_where_it_hits(relevance, expert):
    row, column = divmod(int(relevance.argmax()), 7)
    nearest = min(math.hypot(r - row, c - column) for r, c in zip(*np.nonzero(expert), strict=True))
    found = distance_of_maximum(relevance, expert)
    assert found == pytest.approx(nearest / math.hypot(6, 7))
    assert (found == 0) == (hit(relevance, expert) == 1)
