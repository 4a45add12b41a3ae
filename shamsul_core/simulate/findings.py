"""Findings put into the chest, each as the Fleischner Society's glossary describes it.

Hansell et al., *Fleischner Society: Glossary of Terms for Thoracic Imaging*, Radiology 246 (2008). A finding is a
weight for each place of a box: how far the tissue there is replaced by what the finding is made of, or how much is
added to it. Where an expert would draw it is a region of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from shamsul_core.simulate.chest import SIDES
from shamsul_core.simulate.ct import WATER

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest, Region, Side, Volume

    Box = tuple[slice, slice, slice]

SOFT = 1.04 * WATER


@dataclass(frozen=True, eq=False)
class Finding:
    """Something put into the chest's volume.

    Parameters
    ----------
    box
        Where it is, in the chest's slabs, rows and columns.
    weight
        float32, 0..1, the shape of the box.
    attenuation
        Per mm: of what replaces the tissue.
    region
        bool, the shape of the box: what an expert would outline.
    is_added
        Whether `attenuation` is added to the tissue rather than put in its place.
    drawn_from_mm
        So much of the region a ray must pass before an expert would draw it there.
    """

    box: Box
    weight: Volume
    attenuation: float
    region: Region
    is_added: bool = False
    drawn_from_mm: float = 6.0


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
    return Finding(box, weight.astype(np.float32), SOFT, full > 0.5, drawn_from_mm=18.0)


def lung_lesion(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return one to three nodules or masses with soft margins, in the lung."""
    findings = []
    for _ in range(int(random.choice([1, 1, 1, 2, 3]))):
        side = SIDES[int(random.integers(2))]
        radius = (6 + 19 * severity) * random.uniform(0.8, 1.15)
        centre = _place(chest, side, random, at_least_mm=min(8, 0.5 * radius))
        box, distance = _ball(chest, centre, radius * 1.7, random)
        lumpy = radius * (1 + 0.16 * _texture(distance.shape, 4, random))
        weight = 1 / (1 + np.exp((distance - lumpy) / (0.8 + 0.06 * radius)))
        inside = ndimage.gaussian_filter(chest.lungs[side][box].astype(np.float32), 0.7)
        findings.append(
            Finding(box, weight * inside, SOFT, (weight > 0.5) & (inside > 0.3), drawn_from_mm=3.0)
        )
    return findings


def lung_opacity(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return a hazy opacity in a segment, through which vessels show."""
    lobe, box, distance, radius = _in_a_lobe(chest, random, 28 + 22 * severity)
    weight = (
        np.exp(-((distance / radius) ** 2)) * _soft(lobe) * (1 + 0.35 * _texture(distance.shape, 3, random))
    )
    weight = np.clip(weight, 0, 1).astype(np.float32)
    return [
        Finding(
            box, weight, (0.20 + 0.42 * severity) * WATER, weight > 0.33, is_added=True, drawn_from_mm=14.0
        )
    ]


def consolidation(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return a dense opacity that keeps to its lobe, with air bronchograms."""
    lobe, box, distance, radius = _in_a_lobe(chest, random, 26 + 24 * severity)
    edge = radius * (1 + 0.22 * _texture(distance.shape, 5, random))
    weight = _soft(lobe) / (1 + np.exp((distance - edge) / 3.5))
    region = weight > 0.5
    side: Side = "right" if box[2].start < chest.labels.shape[2] // 2 else "left"
    weight = 0.85 * weight * (1 - _bronchi(chest, box, side, random))
    return [Finding(box, weight.astype(np.float32), SOFT, region, drawn_from_mm=12.0)]


def edema(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return perihilar haze of both lungs, vessels redistributed to the upper lobes, septal lines at the bases."""
    findings = []
    lean = random.normal(0, 0.12)
    for side, sign in zip(SIDES, (1, -1), strict=True):
        box = chest.box(chest.lungs[side])
        slab, row, column = chest.grid(box)
        hilum = chest.hila[side]
        distance = np.sqrt(
            ((slab - hilum[0]) / 1.3) ** 2 + ((row - hilum[1]) / 1.35) ** 2 + (column - hilum[2]) ** 2
        )
        lung = chest.lungs[side][box]
        reach = 42 + 22 * severity
        haze = np.exp(-((distance / reach) ** 2)) * (1 + 0.45 * _texture(distance.shape, 3, random))
        haze = np.clip(haze, 0, 1) * _soft(lung)
        vessels = _branches(chest, box, side, random, upper=True, count=int(5 + 7 * severity))
        lines = _septal_lines(chest, box, side, random, count=int(4 + 10 * severity))
        strength = (0.17 + 0.26 * severity) * (1 + sign * lean)
        weight = np.clip(strength * haze + 0.5 * vessels * _soft(lung) + 0.45 * lines, 0, 1)
        findings.append(
            Finding(
                box,
                weight.astype(np.float32),
                WATER,
                (haze > 0.42) & chest.visible(side, box) & ~chest.central_shadow[box[1], box[2]],
                is_added=True,
                drawn_from_mm=16.0,
            )
        )
    return findings


def atelectasis(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return bands at one or both bases; the volume lost shows as a raised diaphragm (`Patient.raised`)."""
    findings = []
    for side in _sides(random, both=0.3):
        box = chest.box(chest.lungs[side])
        slab, row, column = chest.grid(box)
        lung, depth = chest.lungs[side][box], chest.depth_in_lung[side][box]
        above = row - np.minimum(chest.domes[side], chest.base(side) + 12)[None, None, box[2]]
        total = np.zeros(lung.shape, np.float32)
        for _ in range(int(random.integers(1, 3 + round(2 * severity)))):
            middle = np.argwhere(lung & (depth > 6) & (np.abs(above - random.uniform(8, 45)) < 5))
            if not len(middle):
                continue
            at = (middle[random.integers(len(middle))] + [part.start for part in box] + 0.5) * chest.spacing
            tilt, lean = random.normal(0, 0.22), random.normal(0, 0.15)
            height = (row - at[1]) - tilt * (column - at[2]) - lean * (slab - at[0])
            long = np.exp(
                -(((column - at[2]) / (22 + 16 * severity)) ** 4)
                - ((slab - at[0]) / (26 + 20 * severity)) ** 4
            )
            thick = 2.2 + 3.5 * severity * random.uniform(0.5, 1)
            total = np.maximum(total, np.exp(-((height / thick) ** 2)) * long)
        crowding = np.exp(-((np.maximum(above, 0) / 22) ** 2)) * (1 + 0.4 * _texture(lung.shape, 3, random))
        crowding = np.clip(crowding, 0, 1) * (0.05 + 0.2 * severity)
        weight = np.clip(0.75 * total + crowding, 0, 1) * _soft(lung)
        wide = ndimage.grey_dilation(total, size=(1, 5, 1))
        crowded = crowding > 0.55 * (0.05 + 0.2 * severity) if severity > 0.4 else np.zeros(lung.shape, bool)
        region = lung & ((wide > 0.4) | crowded) & (above > -4)
        findings.append(
            Finding(box, weight.astype(np.float32), 0.9 * SOFT, region, is_added=True, drawn_from_mm=16.0)
        )
    return findings


def pneumothorax(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return air without markings, most of it at the apex and the side, beyond a thin visceral line."""
    side = SIDES[int(random.integers(2))]
    box = chest.box(chest.lungs[side])
    _, row, column = chest.grid(box)
    lung = chest.lungs[side][box]
    # The edge of the collapsed lung is tangential to the rays, so that it shows as a line
    depth = ndimage.distance_transform_edt(chest.shadows[side], chest.spacing[1:])[box[1], box[2]][None]
    hilum = chest.hila[side]
    low, high = _low(chest, side), float(row.max())
    outward = (hilum[2] - column) if side == "right" else (column - hilum[2])
    # Wide at the apex and along the side wall, nothing towards the mediastinum and at the base
    apex = np.clip((row - low) / (high - low), 0, 1) ** 1.3
    lateral = 1 / (1 + np.exp(-(outward - 8) / 7))
    width = (7 + 38 * severity) * (0.25 + 0.9 * apex) * np.maximum(lateral, apex**7)
    inner = depth - width
    air = lung / (1 + np.exp(np.clip(inner / 0.9, -30, 30)))
    air = (air * (width > 2.5)).astype(np.float32)
    line = np.exp(-(((inner - 1.2) / 1.3) ** 2)) * lung * (width > 2.5)
    return [
        Finding(box, air, 0.0, (air > 0.5) & chest.visible(side, box), drawn_from_mm=10.0),
        Finding(box, (0.07 * line).astype(np.float32), WATER, np.zeros(lung.shape, bool), is_added=True),
    ]


def pleural_effusion(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return fluid at one or both bases that climbs the wall as a meniscus and blunts the angle."""
    findings = []
    for side in _sides(random, both=0.4):
        box = chest.box(chest.lungs[side])
        _, row, column = chest.grid(box)
        lung = chest.lungs[side][box]
        low = _low(chest, side)
        level = low + (14 + 120 * severity**1.2) * random.uniform(0.85, 1.1)
        columns = (np.flatnonzero(chest.shadows[side].any(axis=0)) + 0.5) * chest.spacing[2]
        inwards = column - columns[0] if side == "right" else columns[-1] - column
        climb = (18 + 26 * severity) * np.exp(-np.maximum(inwards, 0) / 16)
        climb = climb + 8 * np.exp(-chest.depth_in_lung[side][box] / 6) + random.normal(0, 0.04) * inwards
        fluid = lung / (1 + np.exp(np.clip((row - level - climb) / 2.6, -30, 30)))
        # Over the diaphragm, and beside the heart no deeper than the dome
        deepest = np.minimum(chest.domes[side][box[2]], chest.base(side)) - 5
        region = (fluid > 0.5) & (row >= deepest[None, None])
        findings.append(Finding(box, fluid.astype(np.float32), 1.01 * WATER, region, drawn_from_mm=12.0))
    return findings


MAKERS: dict[str, Callable[[Chest, np.random.Generator, float], list[Finding]]] = {
    "Enlarged Cardiomediastinum": enlarged_cardiomediastinum,
    "Cardiomegaly": cardiomegaly,
    "Lung Lesion": lung_lesion,
    "Lung Opacity": lung_opacity,
    "Edema": edema,
    "Consolidation": consolidation,
    "Atelectasis": atelectasis,
    "Pneumothorax": pneumothorax,
    "Pleural Effusion": pleural_effusion,
}
"""How each finding in the volume is made; devices are lines, see `devices`."""


def _sides(random: np.random.Generator, both: float) -> tuple[Side, ...]:
    return SIDES if random.random() < both else (SIDES[int(random.integers(2))],)


def _low(chest: Chest, side: Side) -> float:
    """Return the height in mm of the costophrenic angle at the side."""
    lung = chest.lungs[side]
    columns = np.flatnonzero(lung.any(axis=(0, 1)))
    outer = columns[:12] if side == "right" else columns[-12:]
    rows = np.flatnonzero(lung[:, :, outer].any(axis=(0, 2)))
    return float((rows.min() + 0.5) * chest.spacing[1])


def _in_view(chest: Chest, side: Side) -> Region:
    """Return what is not behind the diaphragm, 1 × Z × X."""
    shape = chest.labels.shape
    return chest.visible(side, (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2])))


def _soft(region: Region) -> Volume:
    return np.asarray(ndimage.gaussian_filter(region.astype(np.float32), 0.9), np.float32)


def _texture(shape: tuple[int, ...], grain: int, random: np.random.Generator) -> Volume:
    """Return a smooth random field of about unit spread."""
    coarse = random.normal(size=tuple(max(2, side // grain + 2) for side in shape)).astype(np.float32)
    factors = [side / small for side, small in zip(shape, coarse.shape, strict=True)]
    return np.asarray(
        ndimage.zoom(coarse, factors, order=1, grid_mode=True, mode="nearest") * 1.4, np.float32
    )


def _place(
    chest: Chest, side: Side, random: np.random.Generator, at_least_mm: float
) -> npt.NDArray[np.float64]:
    """Return a random place in a lung, so far from its surface, in mm along the chest's axes."""
    places = np.argwhere((chest.depth_in_lung[side] > at_least_mm) & _in_view(chest, side))
    return np.asarray((places[random.integers(len(places))] + 0.5) * chest.spacing)


def _ball(
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


def _in_a_lobe(chest: Chest, random: np.random.Generator, radius: float) -> tuple[Region, Box, Volume, float]:
    """Return a lobe within a box around a random place in it, and the distance from that place."""
    number = list(chest.lobes)[int(random.integers(len(chest.lobes)))]
    side: Side = "left" if number < 12 else "right"
    deep = np.argwhere(chest.lobes[number] & (chest.depth_in_lung[side] > 8) & _in_view(chest, side))
    centre = np.asarray((deep[random.integers(len(deep))] + 0.5) * chest.spacing)
    radius *= random.uniform(0.85, 1.15)
    box, distance = _ball(chest, centre, 1.9 * radius, random)
    return chest.lobes[number][box], box, distance, radius


def _tubes(chest: Chest, box: Box, paths: list[npt.NDArray[np.float64]], radii: list[float]) -> Volume:
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


def _walk(
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


def _bronchi(chest: Chest, box: Box, side: Side, random: np.random.Generator) -> Volume:
    """Return air-filled bronchi that branch from the hilum into the box."""
    middle = np.array([(part.start + part.stop) / 2 for part in box]) * chest.spacing
    start = chest.hila[side]
    paths, radii = [], []
    for _ in range(int(random.integers(5, 9))):
        aim = middle + random.normal(0, 16, 3) - start
        path = _walk(start, aim, float(np.linalg.norm(aim)) + random.uniform(5, 25), random)
        paths.append(path)
        radii.append(1.5)
        fork = path[int(len(path) * random.uniform(0.55, 0.8))]
        paths.append(_walk(fork, aim / np.linalg.norm(aim) + random.normal(0, 0.4, 3), 28, random))
        radii.append(1.1)
    return _tubes(chest, box, paths, radii)


def _branches(
    chest: Chest, box: Box, side: Side, random: np.random.Generator, *, upper: bool, count: int
) -> Volume:
    """Return vessels from the hilum, wide in the upper lobe where pressure redistributes blood."""
    paths, radii = [], []
    out = -1.0 if side == "right" else 1.0
    for _ in range(count):
        up = random.uniform(0.4, 1.6) * (1 if upper else -1)
        heading = np.array([random.normal(0, 0.5), up, out * random.uniform(0.3, 1.0)])
        paths.append(_walk(chest.hila[side], heading, random.uniform(45, 85), random))
        radii.append(random.uniform(1.2, 2.0))
    return _tubes(chest, box, paths, radii)


def _septal_lines(chest: Chest, box: Box, side: Side, random: np.random.Generator, count: int) -> Volume:
    """Return Kerley's B lines: short, thin, horizontal, at the side of the bases, reaching the pleura."""
    lung = chest.lungs[side]
    low = _low(chest, side)
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
        paths.append(_walk(start, heading, random.uniform(10, 20), random))
    return _tubes(chest, box, paths, [0.7] * len(paths))
