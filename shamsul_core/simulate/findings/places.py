"""Where in the chest a finding is, and of what shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from shamsul_core.simulate.chest import SIDES

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest, Region, Side, Volume
    from shamsul_core.simulate.findings.finding import Box


def random_sides(random: np.random.Generator, both: float) -> tuple[Side, ...]:
    """Return one side or, with this probability, both."""
    return SIDES if random.random() < both else (SIDES[int(random.integers(2))],)


def lowest_mm(chest: Chest, side: Side) -> float:
    """Return the height in mm of the costophrenic angle at the side."""
    lung = chest.lungs[side]
    columns = np.flatnonzero(lung.any(axis=(0, 1)))
    outer = columns[:12] if side == "right" else columns[-12:]
    rows = np.flatnonzero(lung[:, :, outer].any(axis=(0, 2)))
    return float((rows.min() + 0.5) * chest.spacing[1])


def softened(region: Region) -> Volume:
    """Return a region with a soft edge, 0..1."""
    return np.asarray(ndimage.gaussian_filter(region.astype(np.float32), 0.9), np.float32)


def texture(shape: tuple[int, ...], grain: int, random: np.random.Generator) -> Volume:
    """Return a smooth random field of about unit spread."""
    coarse = random.normal(size=tuple(max(2, side // grain + 2) for side in shape)).astype(np.float32)
    factors = [side / small for side, small in zip(shape, coarse.shape, strict=True)]
    return np.asarray(
        ndimage.zoom(coarse, factors, order=1, grid_mode=True, mode="nearest") * 1.4, np.float32
    )


def random_place(
    chest: Chest, side: Side, random: np.random.Generator, at_least_mm: float
) -> npt.NDArray[np.float64]:
    """Return a random place in a lung, so far from its surface, in mm along the chest's axes."""
    places = np.argwhere((chest.depth_in_lung[side] > at_least_mm) & chest.visible(side))
    return np.asarray((places[random.integers(len(places))] + 0.5) * chest.spacing)


def ball_around(
    chest: Chest, centre: npt.NDArray[np.float64], reach: float, random: np.random.Generator
) -> tuple[Box, Volume]:
    """Return the box around a place and the distance from it in mm, stretched a little along random axes."""
    sides = [
        slice(max(0, int((middle - reach) / step)), min(size, int((middle + reach) / step) + 2))
        for middle, step, size in zip(centre, chest.spacing, chest.labels.shape, strict=True)
    ]
    box = (sides[0], sides[1], sides[2])
    stretch = random.uniform(0.8, 1.2, 3)
    parts = [
        ((axis - middle) / by) ** 2 for axis, middle, by in zip(chest.grid(box), centre, stretch, strict=True)
    ]
    return box, np.asarray(np.sqrt(parts[0] + parts[1] + parts[2]), np.float32)


def ball_in_a_lobe(
    chest: Chest, random: np.random.Generator, radius: float
) -> tuple[Region, Box, Volume, float]:
    """Return a lobe within a box around a random place in it, and the distance from that place."""
    number = list(chest.lobes)[int(random.integers(len(chest.lobes)))]
    side: Side = "left" if number < 12 else "right"
    deep = np.argwhere(chest.lobes[number] & (chest.depth_in_lung[side] > 8) & chest.visible(side))
    centre = np.asarray((deep[random.integers(len(deep))] + 0.5) * chest.spacing)
    radius *= random.uniform(0.85, 1.15)
    box, distance = ball_around(chest, centre, 1.9 * radius, random)
    return chest.lobes[number][box], box, distance, radius
