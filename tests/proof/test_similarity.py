"""How alike two maps are, as Quantus has it, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.heatmap import Heatmap
from shamsul_core.proof.similarity import on_input, rank_correlation, ssim
from tests.proof.quantus_references import FIRST, SECOND, references


def test_both_are_quantus():
    theirs = references()
    assert rank_correlation(FIRST, SECOND) == pytest.approx(theirs["spearman"])
    assert ssim(FIRST, SECOND) == pytest.approx(theirs["ssim"], abs=1e-6)


def test_a_map_is_wholly_like_itself_whatever_its_unit():
    assert rank_correlation(FIRST, 7 * FIRST) == 1
    assert ssim(FIRST, 7 * FIRST) == pytest.approx(1)
    assert rank_correlation(FIRST, -FIRST) == -1


def test_a_map_without_any_order_keeps_nothing():
    flat = np.zeros_like(FIRST)
    assert rank_correlation(FIRST, flat) == 0
    assert np.isnan(rank_correlation(flat, flat))
    assert np.isnan(ssim(flat, flat))


def test_superpixels_and_coarse_maps_come_to_the_networks_input():
    labels = np.repeat(np.arange(2), 4)[None].repeat(8, 0)
    about = {"method": "m", "pathology": "p", "output": "logit"}
    cut = Heatmap(values=np.array([3.0, -1.0], np.float32), superpixels=labels, **about)
    assert on_input(cut, 8).tolist() == [[3.0] * 4 + [-1.0] * 4] * 8
    coarse = Heatmap(values=np.array([[0.0, 4.0]], np.float32).repeat(2, 0), **about)
    # Halfway between two middles lies half of both, and clamped at the edges
    assert on_input(coarse, 4)[0].tolist() == [0, 1, 3, 4]
