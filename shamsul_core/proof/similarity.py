"""How alike two maps are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from shamsul_core.proof.catalogue import RANK_CORRELATION, SSIM

if TYPE_CHECKING:
    from shamsul_core.heatmap import FloatArray, Heatmap


def on_input(heatmap: Heatmap, size_px: int) -> FloatArray:
    """Return a heatmap's relevance on the network's input, float32, size × size, of what the network sees alone."""
    places = heatmap.values if heatmap.superpixels is None else heatmap.values[heatmap.superpixels]
    if places.shape == (size_px, size_px):
        return places
    how = cv2.INTER_LINEAR if heatmap.superpixels is None else cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(places, (size_px, size_px), interpolation=how), np.float32)


def similarities(first: FloatArray, second: FloatArray) -> dict[str, float]:
    """Return `rank_correlation` and `ssim` of two maps h × w, by the names of their figures."""
    return {RANK_CORRELATION: rank_correlation(first, second), SSIM: ssim(first, second)}


def rank_correlation(first: FloatArray, second: FloatArray) -> float:
    """Return Spearman's rank correlation over the places of two maps.

    Returns
    -------
    float
        -1..1. A map that is the same everywhere has no order to keep: 0 with any other, NaN where both are.

    Examples
    --------
    >>> rank_correlation(np.array([[1.0, 2.0, 3.0]], np.float32), np.array([[1.0, 5.0, 9.0]], np.float32))
    1.0
    """
    flat = [one.max() == one.min() for one in (first, second)]
    if any(flat):
        return float("nan") if all(flat) else 0.0
    # Rounded: ranks of large maps sum to 1 less a last digit
    return round(float(spearmanr(first.ravel(), second.ravel()).statistic), 9)


def ssim(first: FloatArray, second: FloatArray) -> float:
    """Return the structural similarity of two maps, each over its largest absolute value (Wang et al. 2004).

    As Quantus has it: windows of 7 × 7, the range from the least to the greatest value of both. NaN where both are the
    same everywhere.
    """
    one, other = _over_largest(first), _over_largest(second)
    span = float(max(one.max(), other.max()) - min(one.min(), other.min()))
    if span == 0:
        return float("nan")
    return float(structural_similarity(one, other, data_range=span))


def _over_largest(values: FloatArray) -> FloatArray:
    largest = float(np.abs(values).max())
    return values / np.float32(largest) if largest > 0 else values
