"""Maps that know nothing of the network, and the best that a map of few places could do: what a score is held against.

Where a pathology usually lies, the middle of the picture, superpixels drawn by lot, edges and grey levels (as Adebayo et al.
2018 hold saliency against an edge detector): each is a map like a method's, made into a mask and scored like it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.localisation.segmentation import grey_levels, resize
from shamsul_core.localisation.thresholds import count_levels

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.heatmap import FloatArray
    from shamsul_core.localisation.segmentation import Mask

LOCATION, CENTRE, BY_LOT, EDGES, GREY = (
    f"baseline {name}" for name in ("location", "centre", "superpixels", "edges", "grey level")
)
BASELINES = {
    LOCATION: "Location",
    CENTRE: "Centre",
    BY_LOT: "Superpixels by lot",
    EDGES: "Edges",
    GREY: "Grey level",
}
"""Titles of the baselines by their names, which no method has, in the order shown."""

LOCATION_ALONE = "Location alone"
"""What a score of the baseline *location* is called beside a method's."""

MEANINGS = {
    LOCATION: "the mean of what experts marked of this pathology on other patients' radiographs",
    CENTRE: "a Gaussian in the middle of every radiograph, its standard deviation a fifth of each side",
    BY_LOT: "the run's superpixels, drawn by lot until they are as large as what the experts marked",
    EDGES: "the radiograph's gradient (Sobel)",
    GREY: "the radiograph's grey levels",
}
GRID_PX = 224
"""Rows and columns of a baseline's map, as many as most networks see."""

_SPREAD = 0.2


def centred_gaussian() -> FloatArray:
    """Return a Gaussian in the middle, float32, 1 at most; a fifth of each side is its standard deviation."""
    away = ((np.arange(GRID_PX) + 0.5) / GRID_PX - 0.5) / _SPREAD
    across = np.exp(-(away**2) / 2)
    return np.outer(across, across).astype(np.float32)


def on_grid(pixels: npt.NDArray[np.uint8 | np.uint16 | np.bool_]) -> FloatArray:
    """Return a radiograph or mask H × W averaged over the grid, float32, in its own grey levels or shares."""
    small = cv2.resize(pixels.astype(np.float32), (GRID_PX, GRID_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def edges(grey: FloatArray) -> FloatArray:
    """Return the length of a picture's gradient (Sobel's), float32, its shape.

    >>> edges(np.array([[0, 0, 8, 8]] * 3, np.float32))[1]
    array([ 0., 32., 32.,  0.], dtype=float32)
    """
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(across, down), np.float32)


def superpixels_by_lot(
    superpixels: npt.NDArray[np.integer], share: float, random: np.random.Generator
) -> FloatArray:
    """Return which superpixels are drawn, one value each, float32: 0, or from 1 up in the order drawn.

    Parameters
    ----------
    superpixels
        Labels 0..n-1, h × w.
    share
        Of the area that is to be covered as nearly as whole superpixels can, 0..1; one is drawn in any case.
    """
    areas = np.bincount(superpixels.ravel())
    order = random.permutation(len(areas))
    covered = np.cumsum(areas[order]) / superpixels.size
    count = int(np.argmin(np.abs(covered - share))) + 1
    drawn = np.zeros(len(areas), np.float32)
    # The first is the maximum, where the map points; the others are as good as it for the mask
    drawn[order[:count]] = 1 + np.linspace(1e-3, 0, count)
    return drawn


def best_coarse_iou(expert: Mask, places: tuple[int, int]) -> float:
    """Return the highest IoU that any threshold gives a coarse map of the experts' mask itself.

    The mask is averaged over the places of such a map and brought back to its size bilinearly, as a network's map is: what a
    map that knew the answer would reach. NaN for an empty mask.

    Parameters
    ----------
    expert
        bool, H × W.
    places
        Rows and columns of the map.
    """
    if not expert.any():
        return float("nan")
    coarse = cv2.resize(expert.astype(np.float32), places[::-1], interpolation=cv2.INTER_AREA)
    height, width = expert.shape
    full = resize(np.asarray(coarse, np.float32), (height, width))
    return float(count_levels(grey_levels(full / full.max()), expert).best_iou[0])


def best_superpixel_iou(expert: Mask, superpixels: npt.NDArray[np.integer]) -> float:
    """Return the highest IoU that any choice of superpixels has with the experts' mask; NaN for an empty one.

    The best choice is found among those that take the superpixels in the order of their share inside the mask: to exchange
    one for another of a smaller share never gains.

    Parameters
    ----------
    expert
        bool, H × W.
    superpixels
        Labels 0..n-1, h × w, of the same extent.
    """
    if not expert.any():
        return float("nan")
    labels = cv2.resize(
        superpixels.astype(np.float32), expert.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT
    ).astype(np.intp)
    areas = np.bincount(labels.ravel())
    inside = np.bincount(labels[expert], minlength=len(areas))
    order = np.argsort(-inside / np.maximum(areas, 1), kind="stable")
    both, chosen = np.cumsum(inside[order]), np.cumsum(areas[order])
    return float((both / (chosen + np.count_nonzero(expert) - both)).max())
