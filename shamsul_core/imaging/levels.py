"""From values to grey levels, and what any picture of a radiograph must keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from shamsul_core.imaging.refusals import refuse

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_SIDE_PX = 8000
MOST_PIXELS = 40_000_000
"""A detector of 43 cm with pixels of 0.07 mm."""

_SHARE_CLIPPED_PERCENT = 0.05
_COLOUR_SPREAD = 24


def check_size(height: int, width: int) -> None:
    """Refuse a picture larger than any radiograph, by its sides in pixels, before it is decoded.

    Raises
    ------
    RefusedError
        If it is larger than `MOST_SIDE_PX` on a side, or than `MOST_PIXELS`.
    """
    if max(height, width) > MOST_SIDE_PX or height * width > MOST_PIXELS:
        refuse(f"it is too large ({width} × {height} pixels) for a chest radiograph")


def values_range(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return the lowest and the highest of values, but for the outermost 0.05 % at each end: dead pixels, markers, burnt-in text."""
    low, high = np.percentile(values, [_SHARE_CLIPPED_PERCENT, 100 - _SHARE_CLIPPED_PERCENT])
    return (float(low), float(high)) if high > low else (float(values.min()), float(values.max()))


def stretched(
    values: npt.NDArray[np.float32], low: float, high: float, depth: type[np.uint8 | np.uint16]
) -> npt.NDArray[Any]:
    """Return grey levels of a depth: `low` and what is below is black, `high` and what is above is white."""
    if not high > low:
        return np.zeros(values.shape, depth)
    most = np.iinfo(depth).max
    return np.asarray(np.clip((values - low) * (most / (high - low)) + 0.5, 0, most), depth)


def luminance(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the luminance (ITU-R BT.601) of colours, H × W × 3."""
    return np.array(Image.fromarray(colours).convert("L"), np.uint8)


def deep_luminance(colours: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the luminance (ITU-R BT.601) of colours of any depth, H × W × 3, in their own range."""
    return np.asarray(colours.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))


def spread_of_colours(colours: npt.NDArray[np.uint8]) -> float:
    """Return the share of pixels that are coloured by more than a compression's noise, 0 to 1."""
    spread = colours.max(axis=2) - colours.min(axis=2)
    return float(np.mean(spread > _COLOUR_SPREAD))
