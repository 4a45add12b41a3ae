"""IoU and hit, as CheXlocalize's ``eval.py`` computes them, at the radiograph's full resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.segmentation import resize

if TYPE_CHECKING:
    from shamsul_core.heatmap import FloatArray
    from shamsul_core.segmentation import Mask


def iou(mask: Mask, expert: Mask) -> float:
    r"""Return the intersection over the union of two masks.

    .. math:: |A \cap B| / |A \cup B|

    Parameters
    ----------
    mask, expert
        bool, H × W.

    Returns
    -------
    float
        0..1, in the true-positive slice: NaN where either mask is empty.

    Raises
    ------
    ValueError
        If the masks differ in size.

    Examples
    --------
    >>> iou(np.array([[True, True]]), np.array([[True, False]]))
    0.5
    """
    _check_sizes(mask.shape, expert.shape)
    if not mask.any() or not expert.any():
        return float("nan")
    return int(np.count_nonzero(mask & expert)) / int(np.count_nonzero(mask | expert))


def full_slice(iou: float, mask_area: float, expert_area: float) -> float:
    """Return the IoU in the full slice: 0 where exactly one mask is empty, NaN only where both are.

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


def _check_sizes(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    if one != other:
        message = f"masks of different sizes: {one} and {other}"
        raise ValueError(message)
