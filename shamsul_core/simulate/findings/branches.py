"""Tubes that wind through the lung: bronchi, vessels, septal lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from shamsul_core.simulate.findings.places import lowest_mm

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest, Side, Volume
    from shamsul_core.simulate.findings.finding import Box


def tubes(chest: Chest, box: Box, paths: list[npt.NDArray[np.float64]], radii: list[float]) -> Volume:
    """Return how far each place lies in tubes along paths (n × 3, mm along the chest's axes), 0..1."""
    shape = tuple(part.stop - part.start for part in box)
    total = np.zeros(shape, np.float32)
    for path, radius in zip(paths, radii, strict=True):
        places = path / chest.spacing - [part.start for part in box]
        index = np.rint(places - 0.5).astype(int)
        inside = ((index >= 0) & (index < shape)).all(axis=1)
        seeds = np.zeros(shape, np.float32)
        seeds[tuple(index[inside].T)] = 1
        sigma = [max(0.35, radius / step) for step in chest.spacing]
        spread = ndimage.gaussian_filter(seeds, sigma, truncate=2.5)
        if spread.max() > 0:
            total = np.maximum(total, np.clip(1.6 * spread / spread.max(), 0, 1))
    return total


def winding_path(
    start: npt.NDArray[np.float64],
    heading: npt.NDArray[np.float64],
    length: float,
    random: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Return a gently winding path from a place, a point every mm."""
    direction = heading / np.linalg.norm(heading)
    points = [start]
    for _ in range(int(length)):
        direction = direction + random.normal(0, 0.045, 3)
        direction /= np.linalg.norm(direction)
        points.append(points[-1] + direction)
    return np.array(points)


def bronchi(chest: Chest, box: Box, side: Side, random: np.random.Generator) -> Volume:
    """Return air-filled bronchi that branch from the hilum into the box."""
    middle = np.array([(part.start + part.stop) / 2 for part in box]) * chest.spacing
    start = chest.hila[side]
    paths, radii = [], []
    for _ in range(int(random.integers(5, 9))):
        aim = middle + random.normal(0, 16, 3) - start
        path = winding_path(start, aim, float(np.linalg.norm(aim)) + random.uniform(5, 25), random)
        paths.append(path)
        radii.append(1.5)
        fork = path[int(len(path) * random.uniform(0.55, 0.8))]
        paths.append(winding_path(fork, aim / np.linalg.norm(aim) + random.normal(0, 0.4, 3), 28, random))
        radii.append(1.1)
    return tubes(chest, box, paths, radii)


def branches(
    chest: Chest, box: Box, side: Side, random: np.random.Generator, *, upper: bool, count: int
) -> Volume:
    """Return vessels from the hilum, wide in the upper lobe where pressure redistributes blood."""
    paths, radii = [], []
    out = -1.0 if side == "right" else 1.0
    for _ in range(count):
        up = random.uniform(0.4, 1.6) * (1 if upper else -1)
        heading = np.array([random.normal(0, 0.5), up, out * random.uniform(0.3, 1.0)])
        paths.append(winding_path(chest.hila[side], heading, random.uniform(45, 85), random))
        radii.append(random.uniform(1.2, 2.0))
    return tubes(chest, box, paths, radii)


def septal_lines(chest: Chest, box: Box, side: Side, random: np.random.Generator, count: int) -> Volume:
    """Return Kerley's B lines: short, thin, horizontal, at the side of the bases, reaching the pleura."""
    lung = chest.lungs[side]
    low = lowest_mm(chest, side)
    paths = []
    inward = 1.0 if side == "right" else -1.0
    for _ in range(count):
        row = int((low + random.uniform(10, 60)) / chest.spacing[1])
        across = np.argwhere(lung[:, row].any(axis=0)).ravel()
        if not len(across):
            continue
        column = across[0] if side == "right" else across[-1]
        deep = np.flatnonzero(lung[:, row, column])
        start = (np.array([random.choice(deep), row, column]) + 0.5) * chest.spacing
        heading = np.array([random.normal(0, 0.1), random.normal(0, 0.08), inward])
        paths.append(winding_path(start, heading, random.uniform(10, 20), random))
    return tubes(chest, box, paths, [0.7] * len(paths))
