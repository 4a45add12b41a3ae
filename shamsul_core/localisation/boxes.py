"""A method's mask against boxes that experts drew: bounding boxes around it, as the authors of ChestX-ray8 compare them.

Wang et al., *ChestX-ray8*, CVPR 2017, section 4.2 and Table 4: boxes are put around the isolated regions of the
thresholded map; a box that experts drew is located where one of them overlaps it by a threshold or more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from pycocotools import mask as coco_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from shamsul_core.imaging.boxes import BoxArray
    from shamsul_core.localisation.segmentation import Mask

WANG_THRESHOLDS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""From which overlap on a box counts as located, a column each in Table 4."""


def boxes_around(mask: Mask) -> BoxArray:
    """Return a box around each isolated region of a mask; regions that touch at a corner are one.

    Parameters
    ----------
    mask
        bool, H × W.

    Returns
    -------
    numpy.ndarray
        float64, n × 4: x0, y0, x1, y1 in pixels, edges.

    Examples
    --------
    >>> boxes_around(np.array([[1, 1, 0, 0], [0, 0, 0, 1]], bool)).tolist()
    [[0.0, 0.0, 2.0, 1.0], [3.0, 1.0, 4.0, 2.0]]
    """
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    left, top, width, height = statistics[1:, :4].T.astype(np.float64)
    return np.stack([left, top, left + width, top + height], axis=1)


def iou_of_boxes(detected: BoxArray, marked: BoxArray) -> npt.NDArray[np.float64]:
    """Return the intersection over the union of each two boxes, by pycocotools.

    Parameters
    ----------
    detected, marked
        float64, n × 4 and m × 4: x0, y0, x1, y1.

    Returns
    -------
    numpy.ndarray
        float64, n × m, 0..1.

    Examples
    --------
    >>> iou_of_boxes(np.array([[0.0, 0, 2, 1]]), np.array([[1.0, 0, 3, 1], [0, 0, 2, 1]])).round(3).tolist()
    [[0.333, 1.0]]
    """
    return _overlaps(detected, marked, is_of_detected=False)


def iobb(detected: BoxArray, marked: BoxArray) -> npt.NDArray[np.float64]:
    """Return the intersection over the detected box alone, as `iou_of_boxes` does the IoU.

    Examples
    --------
    >>> iobb(np.array([[0.0, 0, 2, 1]]), np.array([[1.0, 0, 9, 9]])).tolist()
    [[0.5]]
    """
    return _overlaps(detected, marked, is_of_detected=True)


def best_of_each(overlaps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for each of m marked boxes the highest overlap with any of n detected ones, float64, (m,); 0 without any."""
    return np.asarray(overlaps.max(axis=0, initial=0.0), np.float64)


def localisation_accuracy(
    best: npt.NDArray[np.float64], thresholds: Sequence[float] = WANG_THRESHOLDS
) -> dict[float, float]:
    """Return the share of marked boxes that are located, by the threshold of the overlap.

    Parameters
    ----------
    best
        Highest overlap with each marked box, IoU or IoBB, float64; NaN is left out.
    thresholds
        From which overlap on a box counts.

    Examples
    --------
    >>> localisation_accuracy(np.array([0.3, 0.1, 0.0, 0.9]))
    {0.1: 0.75, 0.25: 0.5, 0.5: 0.25, 0.75: 0.25, 0.9: 0.25}
    """
    known = best[~np.isnan(best)]
    return {
        threshold: float((known >= threshold).mean()) if known.size else float("nan")
        for threshold in thresholds
    }


def _overlaps(detected: BoxArray, marked: BoxArray, *, is_of_detected: bool) -> npt.NDArray[np.float64]:
    if not len(detected) or not len(marked):
        return np.zeros((len(detected), len(marked)))
    # Of a "crowd" pycocotools divides by the area of the detected box alone
    crowds = [int(is_of_detected)] * len(marked)
    return np.asarray(coco_mask.iou(_sized(detected), _sized(marked), crowds), np.float64)


def _sized(boxes: BoxArray) -> BoxArray:
    return np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
