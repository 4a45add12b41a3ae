"""A map and its mask against the experts' mask at the radiograph's full resolution.

IoU and hit are as CheXlocalize's ``eval.py`` computes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.localisation.segmentation import resize

if TYPE_CHECKING:
    from shamsul_core.heatmap import FloatArray
    from shamsul_core.localisation.segmentation import Mask


@dataclass(frozen=True)
class Overlap:
    """Pixels of two masks, and what is made of them: NaN where it divides by nothing.

    IoU and Dice are those of the true-positive slice, NaN where either mask is empty.

    Parameters
    ----------
    both, only_mask, only_expert, neither
        Pixels in both masks, in one and not the other, and in none: true and false positives, false and true
        negatives of the method.

    Examples
    --------
    >>> counts = overlap(np.array([[True, True, False]]), np.array([[True, False, False]]))
    >>> counts.iou, round(counts.dice, 2), counts.precision, counts.recall, counts.specificity
    (0.5, 0.67, 0.5, 1.0, 0.5)
    """

    both: int
    only_mask: int
    only_expert: int
    neither: int

    @property
    def iou(self) -> float:
        r"""Intersection over union (Jaccard), :math:`|A \cap B| / |A \cup B|`."""
        return self._in_slice(_ratio(self.both, self.both + self.only_mask + self.only_expert))

    @property
    def dice(self) -> float:
        r"""Dice's coefficient (Sørensen's, F1), :math:`2 |A \cap B| / (|A| + |B|)`."""
        return self._in_slice(_ratio(2 * self.both, 2 * self.both + self.only_mask + self.only_expert))

    @property
    def precision(self) -> float:
        """Share of the mask that the experts marked."""
        return _ratio(self.both, self.both + self.only_mask)

    @property
    def recall(self) -> float:
        """Share of the experts' mask that the mask covers (sensitivity)."""
        return _ratio(self.both, self.both + self.only_expert)

    @property
    def specificity(self) -> float:
        """Share of what the experts left out that the mask leaves out, too."""
        return _ratio(self.neither, self.neither + self.only_mask)

    def _in_slice(self, value: float) -> float:
        empty = not self.both + self.only_mask or not self.both + self.only_expert
        return float("nan") if empty else value


def overlap(mask: Mask, expert: Mask) -> Overlap:
    """Count the pixels of two masks, bool, H × W.

    Raises
    ------
    ValueError
        If the masks differ in size.
    """
    check_sizes(mask.shape, expert.shape, "masks")
    both = int(np.count_nonzero(mask & expert))
    of_mask, of_expert = int(np.count_nonzero(mask)), int(np.count_nonzero(expert))
    return Overlap(both, of_mask - both, of_expert - both, mask.size - of_mask - of_expert + both)


def iou(mask: Mask, expert: Mask) -> float:
    """Return the intersection over the union of two masks, see `Overlap.iou`.

    Raises
    ------
    ValueError
        If the masks differ in size.

    Examples
    --------
    >>> iou(np.array([[True, True]]), np.array([[True, False]]))
    0.5
    """
    return overlap(mask, expert).iou


def full_slice(iou: float, mask_area: float, expert_area: float) -> float:
    """Return the IoU in the full slice: 0 where exactly one mask is empty, NaN only where both are.

    Parameters
    ----------
    iou
        In the true-positive slice, see `Overlap.iou`.
    mask_area, expert_area
        In pixels.

    Examples
    --------
    >>> full_slice(float("nan"), 0, 12)
    0.0
    """
    return 0.0 if (mask_area == 0) != (expert_area == 0) else iou


def hit(relevance: FloatArray, expert: Mask) -> float:
    """Return whether the map's maximum lies inside the expert's mask: the pointing game.

    Parameters
    ----------
    relevance
        float32, as the method gave it, with its sign: h × w, or resized to H × W already.
    expert
        bool, H × W.

    Returns
    -------
    float
        1 or 0 for the first maximum of the map resized to H × W, NaN where the expert's mask is empty.
    """
    if not expert.any():
        return float("nan")
    height, width = expert.shape
    full = relevance if relevance.shape == expert.shape else resize(relevance, (height, width))
    return float(expert.flat[np.argmax(full)])


def mass_accuracy(full: FloatArray, expert: Mask) -> float:
    """Return the share of the positive relevance that lies inside the experts' mask.

    Relevance mass accuracy (Arras, Osman and Samek, *CLEVR-XAI*, Information Fusion 2022, equation 3).

    Parameters
    ----------
    full
        float32, H × W, signed.
    expert
        bool, H × W.

    Returns
    -------
    float
        0..1, NaN where nothing is positive or the experts' mask is empty.

    Examples
    --------
    >>> mass_accuracy(np.array([[3.0, 1.0, -5.0]], np.float32), np.array([[True, False, False]]))
    0.75
    """
    _, positive = cv2.threshold(full, 0, 0, cv2.THRESH_TOZERO)
    total = cv2.sumElems(positive)[0]
    area = int(np.count_nonzero(expert))
    if total <= 0 or not area:
        return float("nan")
    return float(cv2.mean(positive, expert.view(np.uint8))[0] * area / total)


def density(full: FloatArray, region: Mask) -> float:
    """Return the share of the positive relevance inside a region over the region's share of the area.

    Parameters
    ----------
    full
        float32, H × W, signed.
    region
        bool, H × W.

    Returns
    -------
    float
        From 0; 1 is what chance gives, or relevance that is the same everywhere. NaN as of `mass_accuracy`.

    Examples
    --------
    >>> density(np.array([[3.0, 1.0, -5.0, 0.0]], np.float32), np.array([[True, False, False, False]]))
    3.0
    """
    return mass_accuracy(full, region) / max(float(region.mean()), 1 / region.size)


def distance_of_maximum(full: FloatArray, expert: Mask) -> float:
    """Return how far the map's first maximum is from the experts' mask, over the radiograph's diagonal.

    Parameters
    ----------
    full
        float32, H × W, signed.
    expert
        bool, H × W.

    Returns
    -------
    float
        0 inside the mask, less than 1 elsewhere, NaN where the experts' mask is empty.

    Examples
    --------
    >>> relevance = np.zeros((3, 4), np.float32)
    >>> relevance[0, 3] = 1
    >>> distance_of_maximum(relevance, np.arange(12).reshape(3, 4) == 0)  # 3 pixels of a diagonal of 5
    0.6
    """
    if not expert.any():
        return float("nan")
    row, column = np.unravel_index(np.argmax(full), full.shape)
    if expert[row, column]:
        return 0.0
    borders, _ = cv2.findContours(expert.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    nearest = min(np.hypot(*(border[:, 0] - (column, row)).T).min() for border in borders)
    return float(nearest / np.hypot(*full.shape))


def _ratio(count: int, whole: int) -> float:
    return count / whole if whole else float("nan")


def check_sizes(first: tuple[int, ...], second: tuple[int, ...], what: str) -> None:
    """Refuse what is to be compared pixel by pixel and differs in size.

    Raises
    ------
    ValueError
        If the sizes differ; `what` says of what they are.
    """
    if first != second:
        message = f"{what} of different sizes: {first} and {second}"
        raise ValueError(message)
