"""What the sampling's error does to a mask and its IoU.

LIME and SHAP estimate each superpixel's relevance with an error that they know. Whether that error matters is seen in the mask:
relevance is drawn anew within it, and the masks of what is drawn are compared with the map's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.heatmap import Heatmap
    from shamsul_core.localisation.segmentation import Mask, SegmentationSettings

DRAWS = 20

STABLE_FROM = 0.8
"""Mean IoU of drawn masks with the map's own from which on its sampling is taken to be enough."""


@dataclass(frozen=True)
class MaskSampling:
    """How far the sampling's error reaches.

    Parameters
    ----------
    stability
        Mean IoU of the drawn masks with the map's own, 0..1.
    iou_low, iou_high
        By how much the drawn masks' IoU differs from that of the map's own, -1..1: the 2.5th and the 97.5th percentile;
        NaN where the truths mark nothing.
    """

    stability: float
    iou_low: float = float("nan")
    iou_high: float = float("nan")


def sample_masks(
    heatmap: Heatmap, settings: SegmentationSettings, truths: Sequence[Mask] = ()
) -> MaskSampling | None:
    """Draw relevance twenty times within its standard error, and make masks of it at the map's own resolution.

    Values are drawn independently of each other, normally distributed with the heatmap's standard error; the same heatmap gives
    the same draws.

    Parameters
    ----------
    settings
        How a heatmap becomes a mask; a cutoff of the probability plays no part.
    truths
        bool, H × W each: what annotators marked.

    Returns
    -------
    MaskSampling or None
        ``None`` where no superpixels were sampled, or the map marks nothing. Of neighbouring places the errors are not
        independent.
    """
    if heatmap.standard_error is None or heatmap.superpixels is None:
        return None
    size = heatmap.relevance.shape
    whole = replace(settings, probability_cutoffs=None)
    own = segment(heatmap, size, whole).mask
    if not own.any():
        return None
    generator = np.random.default_rng(0)
    noise = generator.standard_normal((DRAWS, *heatmap.values.shape), np.float32)
    drawn = [
        segment(replace(heatmap, values=heatmap.values + heatmap.standard_error * one), size, whole).mask
        for one in noise
    ]
    stability = float(np.mean([iou(mask, own) if mask.any() else 0.0 for mask in drawn]))
    small = [
        cv2.resize(truth.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA) >= 0.5
        for truth in truths
    ]
    small = [truth for truth in small if truth.any()]
    if not small:
        return MaskSampling(stability)

    def mean_iou(mask: Mask) -> float:
        return float(np.mean([iou(mask, truth) if mask.any() else 0.0 for truth in small]))

    low, high = np.percentile([mean_iou(mask) for mask in drawn], [2.5, 97.5]) - mean_iou(own)
    return MaskSampling(stability, float(low), float(high))
