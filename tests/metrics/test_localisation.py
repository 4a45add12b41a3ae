from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shamsul_core.metrics.localisation import full_slice, hit, iou

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
