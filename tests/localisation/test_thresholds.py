"""Counts at many thresholds against masks drawn one by one, and against scikit-learn."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import grey_levels
from shamsul_core.localisation.thresholds import (
    LEVEL_THRESHOLDS,
    count_levels,
    count_overlaps,
    count_thresholds,
)

greys = arrays(np.uint8, (5, 8))
masks = arrays(bool, (5, 8))


@settings(max_examples=50)
@given(greys, masks)
def test_every_level_is_the_mask_drawn_and_counted(grey, expert):
    counts = count_levels(grey, expert)
    for level in range(256):
        mask = grey > level
        assert counts.true_positive[level] == (mask & expert).sum()
        assert counts.false_positive[level] == (mask & ~expert).sum()
        assert counts.iou[level] == pytest.approx(iou(mask, expert), nan_ok=True)


def test_a_ramp_by_hand():
    # one pixel a level; the expert marks the brighter half: the mask above t has 255 - t pixels
    ramp = np.arange(256, dtype=np.uint8)[None]
    level = np.arange(256)
    counts = count_levels(ramp, ramp >= 128)
    mask_area = 255 - level
    np.testing.assert_allclose(
        counts.iou[:255], (np.minimum(mask_area, 128) / np.maximum(mask_area, 128))[:255]
    )
    assert np.isnan(counts.iou[255])


def test_without_an_experts_mask_there_is_no_iou():
    counts = count_levels(np.full((2, 3), 7, np.uint8), np.zeros((2, 3), bool))
    assert np.isnan(counts.iou).all()


@settings(max_examples=50)
@given(st.integers(0, 10_000), masks)
def test_given_thresholds_are_the_masks_drawn_also_where_a_pixel_equals_one(seed, expert):
    thresholds = (0.2, 0.3, 0.5, 0.8)
    generator = np.random.default_rng(seed)
    scaled = generator.random((5, 8), np.float32)
    scaled.flat[generator.integers(0, 40, 10)] = np.float32(generator.choice(thresholds))
    counts = count_thresholds(scaled, expert, thresholds)
    expected = [iou(scaled > threshold, expert) for threshold in thresholds]
    np.testing.assert_allclose(counts.iou, expected)
    np.testing.assert_array_equal(counts.mask_area, [(scaled > one).sum() for one in thresholds])


def test_each_levels_threshold_is_the_last_before_the_next_grey_level():
    above = np.nextafter(LEVEL_THRESHOLDS, np.float32(2))[:255]
    np.testing.assert_array_equal(grey_levels(LEVEL_THRESHOLDS[:255]), np.arange(255))
    np.testing.assert_array_equal(grey_levels(above), np.arange(1, 256))
    assert LEVEL_THRESHOLDS[255] == 1


def test_levels_and_their_thresholds_count_the_same():
    scaled = cv2.GaussianBlur(np.random.default_rng(0).random((90, 70), np.float32), (0, 0), 3)
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min())
    expert = np.zeros(scaled.shape, bool)
    expert[20:50, 10:40] = True
    by_level = count_levels(grey_levels(scaled), expert)
    by_threshold = count_thresholds(scaled, expert, by_level.thresholds.tolist())
    np.testing.assert_array_equal(by_level.true_positive, by_threshold.true_positive)
    np.testing.assert_array_equal(by_level.false_positive, by_threshold.false_positive)


@pytest.mark.parametrize("count", [count_levels, lambda grey, expert: count_thresholds(grey, expert, (0.5,))])
def test_sizes_that_differ_are_named(count):
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        count(np.zeros((2, 3), np.uint8), np.zeros((3, 2), bool))


@settings(max_examples=100)
@given(greys, masks.filter(np.any))
def test_average_precision_is_scikit_learns(grey, expert):
    found = count_levels(grey, expert).average_precision
    assert found == pytest.approx(average_precision_score(expert.ravel(), grey.ravel()))


@settings(max_examples=100)
@given(arrays(np.uint8, (5, 8), unique=True), masks.filter(np.any))
def test_rank_accuracy_counts_the_highest_pixels(grey, expert):
    area = expert.sum()
    highest = np.argsort(grey.ravel())[::-1][:area]
    assert count_levels(grey, expert).rank_accuracy == pytest.approx(expert.ravel()[highest].sum() / area)


def test_ties_count_in_proportion():
    grey = np.array([[9, 5, 5, 5, 1]], np.uint8)
    expert = np.array([[True, True, False, False, False]])
    assert count_levels(grey, expert).rank_accuracy == pytest.approx((1 + 1 / 3) / 2)


@settings(max_examples=50)
@given(greys, masks)
def test_the_best_iou_is_no_less_than_any(grey, expert):
    counts = count_levels(grey, expert)
    best, threshold = counts.best_iou
    if np.isnan(counts.iou).all():
        assert math.isnan(best)
    else:
        assert best == np.nanmax(counts.iou)
        assert best == pytest.approx(iou(grey / np.float32(255) > threshold, expert))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_overlaps_are_the_ious_of_the_masks_drawn(seed, count):
    greys = list(np.random.default_rng(seed).integers(0, 256, (count, 6, 7), np.uint8))
    overlaps = count_overlaps(greys)
    for level in (0, 100, 200, 254, 255):
        expected = [[iou(one > level, other > level) for other in greys] for one in greys]
        np.testing.assert_allclose(overlaps[:, :, level], expected)


def test_counts_are_exact_beyond_what_float32_counts():
    """More than 2²⁴ pixels of one grey, odd in number."""
    grey = np.full((4097, 4097), 9, np.uint8)
    assert count_levels(grey, np.ones(grey.shape, bool)).true_positive[[8, 9]].tolist() == [4097**2, 0]
