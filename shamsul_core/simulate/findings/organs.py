"""Heart and mediastinum made larger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from shamsul_core.simulate.findings.finding import SOFT, Finding

if TYPE_CHECKING:
    from shamsul_core.simulate.chest import Chest, Region


def cardiomegaly(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return a heart displaced outwards: more to the left and down than to the right."""
    grow = (1.18 + 0.42 * severity) * random.uniform(0.97, 1.03)
    return [_grown(chest, chest.heart, grow, top_grows=0.7, shift=0.22 * (grow - 1))]


def enlarged_cardiomediastinum(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return a widened mediastinum, the heart as it was."""
    wider = (1.22 + 0.4 * severity) * random.uniform(0.97, 1.03)
    return [_grown(chest, chest.mediastinum, wider, top_grows=1.3, shift=random.normal(0, 0.02))]


def _grown(chest: Chest, organ: Region, wider: float, *, top_grows: float, shift: float) -> Finding:
    """Return an organ made wider about its middle, at its top so much more or less, as far as it grows into lung."""
    box = chest.box(organ, margin=24)
    inner = ndimage.gaussian_filter(organ[box].astype(np.float32), 1.5)
    places = np.argwhere(organ[box])
    middle, low, high = places.mean(axis=0), places.min(axis=0), places.max(axis=0)
    slab, row, column = np.meshgrid(
        *(np.arange(side, dtype=np.float32) for side in inner.shape), indexing="ij"
    )
    from_below = np.clip((row - low[1]) / (high[1] - low[1]), 0, 1)
    grow = 1 + (wider - 1) * (1 + (top_grows - 1) * from_below)
    source = [
        middle[0] + (slab - middle[0]) / (1 + 0.5 * (grow - 1)),
        row + 0.06 * (wider - 1) * (high[1] - low[1]),
        middle[2] + (column - middle[2] - shift * (high[2] - low[2])) / grow,
    ]
    grown = ndimage.map_coordinates(inner, source, order=1)
    lung = (chest.lungs["right"] | chest.lungs["left"])[box]
    full = np.maximum(grown, inner)
    weight = np.clip((full - 0.25) * 2, 0, 1) * ndimage.gaussian_filter(lung.astype(np.float32), 0.6)
    return Finding(box, weight.astype(np.float32), SOFT, organ=full > 0.5)
