"""Maps that know nothing of the network, and the best that maps of few places could do."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shamsul_core.localisation.baselines import (
    GRID_PX,
    best_coarse_iou,
    best_superpixel_iou,
    centred_gaussian,
    edges,
    on_grid,
    superpixels_by_lot,
)
from shamsul_core.localisation.overlap import iou


def all_choices(count):
    return chain.from_iterable(combinations(range(count), size) for size in range(1, count + 1))


@given(
    arrays(np.int8, (6, 6), elements=st.integers(0, 4)),
    arrays(bool, (6, 6)).filter(np.any),
)
def test_the_ceiling_of_superpixels_is_the_best_of_all_choices(labels, expert):
    best = max(np.nan_to_num(iou(np.isin(labels, chosen), expert)) for chosen in all_choices(5))
    assert best_superpixel_iou(expert, labels) == pytest.approx(best)


def test_a_contour_made_of_superpixels_can_be_reached():
    labels = np.add.outer(np.arange(4) // 2 * 2, np.arange(4) // 2)
    assert best_superpixel_iou(np.isin(labels, [0, 3]), labels) == 1
    assert np.isnan(best_superpixel_iou(np.zeros((4, 4), bool), labels))


def test_the_ceiling_of_a_coarse_map_falls_with_the_size_of_its_places():
    rows, columns = np.mgrid[:140, :140]
    disc = (rows - 80) ** 2 + (columns - 50) ** 2 < 25**2
    ceilings = [best_coarse_iou(disc, (side, side)) for side in (2, 4, 7, 14, 70)]
    assert ceilings == sorted(ceilings)
    assert ceilings[-1] > 0.95
    assert 0.6 < ceilings[2] < 0.95
    assert np.isnan(best_coarse_iou(np.zeros((9, 9), bool), (3, 3)))


def test_the_middle_is_the_middle():
    gaussian = centred_gaussian()
    np.testing.assert_array_equal(gaussian, gaussian[::-1, ::-1])
    # A standard deviation, a fifth of the side, from the middle
    at = GRID_PX // 2 + round(GRID_PX / 5)
    assert gaussian[GRID_PX // 2, at] == pytest.approx(np.exp(-0.5), abs=0.02)


def test_edges_are_where_grey_changes():
    step = np.zeros((8, 8), np.float32)
    step[:, 4:] = 10
    found = edges(step)
    assert (found[:, 3:5] > 0).all()
    assert not found[:, :3].any()
    assert not found[:, 5:].any()


def test_the_grid_keeps_the_mean_grey_level():
    pixels = np.random.default_rng(0).integers(0, 2**16, (2 * GRID_PX, 3 * GRID_PX)).astype(np.uint16)
    assert on_grid(pixels).mean() == pytest.approx(pixels.mean(), rel=1e-4)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
def test_superpixels_drawn_by_lot_cover_what_was_asked_and_any_may_be_drawn(share):
    labels = np.add.outer(np.arange(20) // 2 * 10, np.arange(20) // 2)
    drawn = np.array(
        [superpixels_by_lot(labels, share, np.random.default_rng(seed)) > 0 for seed in range(200)]
    )
    assert drawn.mean(axis=1) == pytest.approx(np.full(200, share), abs=0.01)
    # Each of a hundred, within five standard deviations of a share of 200 draws
    assert drawn.mean(axis=0) == pytest.approx(
        np.full(100, share), abs=5 * (share * (1 - share) / 200) ** 0.5
    )
