"""A heatmap's mask against the experts' at many thresholds at once, counted rather than drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from shamsul_core.localisation.overlap import check_sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.heatmap import FloatArray
    from shamsul_core.localisation.segmentation import Grey, Mask

CountArray: TypeAlias = npt.NDArray[np.int64]
RatioArray: TypeAlias = npt.NDArray[np.float64]

_LEVELS = 256
_WHAT = "a map and a mask"


@dataclass(frozen=True, eq=False)
class ThresholdCounts:
    """Pixels of the masks ``map > threshold`` held against the experts' mask.

    Parameters
    ----------
    thresholds
        float32, (n,), rising, of the map scaled to 0..1.
    true_positive, false_positive
        int64, (n,): pixels of each mask inside and outside the experts'.
    expert_area, area
        Pixels of the experts' mask, and of the radiograph.
    """

    thresholds: FloatArray
    true_positive: CountArray
    false_positive: CountArray
    expert_area: int
    area: int

    @property
    def iou(self) -> RatioArray:
        """Intersection over union, float64, (n,); NaN where either mask is empty, as in `localisation.iou`."""
        in_slice = (self.mask_area > 0) & (self.expert_area > 0)
        return _ratio(self.true_positive, np.where(in_slice, self.expert_area + self.false_positive, 0))

    @property
    def best_iou(self) -> tuple[float, float]:
        """The highest IoU that any of the thresholds gives, and the lowest threshold that gives it; NaN if none."""
        ious = self.iou
        if np.isnan(ious).all():
            return float("nan"), float("nan")
        best = int(np.nanargmax(ious))
        return float(ious[best]), float(self.thresholds[best])

    @property
    def average_precision(self) -> float:
        """Precision averaged over recall as the threshold falls, as scikit-learn's `average_precision_score`.

        The lowest level counts as the mask of every pixel. NaN where the experts' mask is empty.
        """
        if not self.expert_area:
            return float("nan")
        inside = np.append(self.true_positive[::-1], self.expert_area)
        precision = _ratio(inside, np.append(self.mask_area[::-1], self.area))
        gained = np.diff(inside, prepend=0)
        return float(np.nansum(np.where(gained > 0, precision * gained, 0)) / self.expert_area)

    @property
    def rank_accuracy(self) -> float:
        """Share inside the experts' mask of as many of the highest pixels as it has; ties count in proportion.

        Relevance rank accuracy (Arras, Osman and Samek, *CLEVR-XAI*, Information Fusion 2022, equation 4). NaN where
        the experts' mask is empty.
        """
        if not self.expert_area:
            return float("nan")
        masks = np.append(self.mask_area[::-1], self.area)
        inside = np.append(self.true_positive[::-1], self.expert_area)
        return float(np.interp(self.expert_area, masks, inside) / self.expert_area)

    @property
    def mask_area(self) -> CountArray:
        """Pixels of each mask, int64, (n,)."""
        return self.true_positive + self.false_positive


def count_levels(grey: Grey, expert: Mask) -> ThresholdCounts:
    """Count at each of the 256 thresholds ``grey > t``, t from 0 to 255, from two histograms.

    Parameters
    ----------
    grey
        uint8, H × W, as `segmentation.grey_levels` gives it.
    expert
        bool, H × W.

    Raises
    ------
    ValueError
        If the sizes differ.

    Examples
    --------
    >>> counts = count_levels(np.array([[9, 5, 5]], np.uint8), np.array([[True, True, False]]))
    >>> counts.iou[[0, 4, 5, 8]].round(2).tolist()
    [0.67, 0.67, 0.5, 0.5]
    """
    check_sizes(grey.shape, expert.shape, _WHAT)
    above = _above_each_level(grey)
    true_positive = _above_each_level(grey, expert)
    return ThresholdCounts(
        LEVEL_THRESHOLDS, true_positive, above - true_positive, int(np.count_nonzero(expert)), grey.size
    )


def count_thresholds(scaled: FloatArray, expert: Mask, thresholds: Sequence[float]) -> ThresholdCounts:
    """Count at a few thresholds ``scaled > t``, compared as `segmentation.segment` compares a given threshold.

    Parameters
    ----------
    scaled
        float32, H × W, from 0 to 1.
    expert
        bool, H × W.
    thresholds
        Of the map scaled to 0..1, rising; compared in float32.

    Raises
    ------
    ValueError
        If the sizes differ.
    """
    check_sizes(scaled.shape, expert.shape, _WHAT)
    levels = np.asarray(thresholds, np.float32)
    inside = scaled[expert]
    above = np.array([np.count_nonzero(scaled > level) for level in levels], np.int64)
    true_positive = np.array([np.count_nonzero(inside > level) for level in levels], np.int64)
    return ThresholdCounts(levels, true_positive, above - true_positive, inside.size, scaled.size)


def count_overlaps(greys: Sequence[Grey]) -> RatioArray:
    """Return how far several methods' masks ``grey > t`` agree at each t from 0 to 255.

    Parameters
    ----------
    greys
        n maps, each uint8, H × W, as `segmentation.grey_levels` gives it.

    Returns
    -------
    ndarray
        IoU of each two masks, float64, (n, n, 256); NaN where either is empty, as in `localisation.iou`.

    Raises
    ------
    ValueError
        If the sizes differ.

    Examples
    --------
    >>> greys = np.array([[9, 5]], np.uint8), np.array([[9, 2]], np.uint8)
    >>> count_overlaps(greys)[0, 1, [0, 4, 9]].tolist()
    [1.0, 0.5, nan]
    """
    areas = [_above_each_level(grey) for grey in greys]
    overlaps = np.full((len(greys), len(greys), _LEVELS), np.nan)
    for i, j in combinations_with_replacement(range(len(greys)), 2):
        check_sizes(greys[i].shape, greys[j].shape, _WHAT)
        # A pixel is in both masks where the darker of its two greys is above t.
        both = areas[i] if i == j else _above_each_level(np.minimum(greys[i], greys[j]))
        in_slice = (areas[i] > 0) & (areas[j] > 0)
        overlaps[i, j] = overlaps[j, i] = _ratio(both, np.where(in_slice, areas[i] + areas[j] - both, 0))
    return overlaps


def _above_each_level(grey: Grey, within: Mask | None = None) -> CountArray:
    """Count the pixels above each level, of all or of those within a mask."""
    counts = np.zeros(_LEVELS, np.int64)
    # OpenCV is five times as fast as `numpy.bincount`; it counts in float32, exact in bands of under 2²⁴ pixels.
    rows = max(1, 2**23 // grey.shape[1])
    for start in range(0, grey.shape[0], rows):
        band = slice(start, start + rows)
        mask = None if within is None else within[band].astype(np.uint8)
        counts += cv2.calcHist([grey[band]], [0], mask, [_LEVELS], [0, _LEVELS]).ravel().astype(np.int64)
    above: CountArray = counts.sum() - np.cumsum(counts)
    return above


def _ratio(count: CountArray, whole: CountArray) -> RatioArray:
    ratio = np.full(count.shape, np.nan)
    np.divide(count, whole, out=ratio, where=whole > 0)
    return ratio


def _level_thresholds() -> FloatArray:
    """Return for each grey level t the largest float32 that is not brighter, so that ``>`` it means ``grey > t``."""
    level = np.arange(_LEVELS)
    threshold = ((level + 1) / 255).astype(np.float32)
    while (is_brighter := threshold * 255 >= level + 1).any():
        threshold = np.where(is_brighter, np.nextafter(threshold, np.float32(0)), threshold)
    return np.minimum(threshold, np.float32(1))


LEVEL_THRESHOLDS = _level_thresholds()
"""float32, (256,): ``scaled > LEVEL_THRESHOLDS[t]`` is the same mask as ``grey_levels(scaled) > t``."""
