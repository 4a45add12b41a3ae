"""A heatmap's mask against the experts' at many thresholds at once, counted rather than drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.heatmap import FloatArray
    from shamsul_core.segmentation import Grey, Mask

CountArray: TypeAlias = npt.NDArray[np.int64]
RatioArray: TypeAlias = npt.NDArray[np.float64]

_LEVELS = 256


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
    def false_negative(self) -> CountArray:
        """Pixels of the experts' mask that each mask leaves out, int64, (n,)."""
        return self.expert_area - self.true_positive

    @property
    def true_negative(self) -> CountArray:
        """Pixels in neither mask, int64, (n,)."""
        return self.area - self.expert_area - self.false_positive

    @property
    def iou(self) -> RatioArray:
        """Intersection over union, float64, (n,); NaN where either mask is empty, as in `localisation.iou`."""
        in_slice = (self.mask_area > 0) & (self.expert_area > 0)
        return _ratio(self.true_positive, np.where(in_slice, self.expert_area + self.false_positive, 0))

    @property
    def precision(self) -> RatioArray:
        """Share of each mask that the experts marked, float64, (n,); NaN where the mask is empty."""
        return _ratio(self.true_positive, self.mask_area)

    @property
    def recall(self) -> RatioArray:
        """Share of the experts' mask that each mask covers, float64, (n,); NaN where the experts' is empty."""
        return _ratio(self.true_positive, np.full_like(self.true_positive, self.expert_area))

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
    _check_sizes(grey.shape, expert.shape)
    above = _above_each_level(grey.ravel())
    true_positive = _above_each_level(grey[expert])
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
        Rising.

    Raises
    ------
    ValueError
        If the sizes differ.
    """
    _check_sizes(scaled.shape, expert.shape)
    levels = np.asarray(thresholds, np.float32)
    inside = scaled[expert]
    above = np.array([np.count_nonzero(scaled > level) for level in levels], np.int64)
    true_positive = np.array([np.count_nonzero(inside > level) for level in levels], np.int64)
    return ThresholdCounts(levels, true_positive, above - true_positive, inside.size, scaled.size)


def _above_each_level(grey: Grey) -> CountArray:
    return grey.size - np.cumsum(np.bincount(grey, minlength=_LEVELS), dtype=np.int64)


def _ratio(count: CountArray, whole: CountArray) -> RatioArray:
    ratio = np.full(count.shape, np.nan)
    np.divide(count, whole, out=ratio, where=whole > 0)
    return ratio


def _check_sizes(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    if one != other:
        message = f"a map and a mask of different sizes: {one} and {other}"
        raise ValueError(message)


def _level_thresholds() -> FloatArray:
    """Return for each grey level t the largest float32 that is not brighter, so that ``>`` it means ``grey > t``."""
    level = np.arange(_LEVELS)
    threshold = ((level + 1) / 255).astype(np.float32)
    while (is_brighter := threshold * 255 >= level + 1).any():
        threshold = np.where(is_brighter, np.nextafter(threshold, np.float32(0)), threshold)
    return np.minimum(threshold, np.float32(1))


LEVEL_THRESHOLDS = _level_thresholds()
"""float32, (256,): ``scaled > LEVEL_THRESHOLDS[t]`` is the same mask as ``grey_levels(scaled) > t``."""
