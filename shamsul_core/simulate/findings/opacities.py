"""What makes lung denser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from shamsul_core.simulate.chest import SIDES
from shamsul_core.simulate.findings.branches import branches, bronchi, septal_lines
from shamsul_core.simulate.findings.finding import SOFT, Finding
from shamsul_core.simulate.findings.places import (
    ball_around,
    ball_in_a_lobe,
    random_place,
    random_sides,
    softened,
    texture,
)
from shamsul_core.simulate.preparation import WATER

if TYPE_CHECKING:
    from shamsul_core.simulate.chest import Chest, Side


def lung_lesion(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return one to three nodules or masses with soft margins, in the lung."""
    findings = []
    for _ in range(int(random.choice([1, 1, 1, 2, 3]))):
        side = SIDES[int(random.integers(2))]
        radius = (6 + 19 * severity) * random.uniform(0.8, 1.15)
        centre = random_place(chest, side, random, at_least_mm=min(8, 0.5 * radius))
        box, distance = ball_around(chest, centre, radius * 1.7, random)
        lumpy = radius * (1 + 0.16 * texture(distance.shape, 4, random))
        weight = 1 / (1 + np.exp((distance - lumpy) / (0.8 + 0.06 * radius)))
        inside = ndimage.gaussian_filter(chest.lungs[side][box].astype(np.float32), 0.7)
        findings.append(Finding(box, weight * inside, SOFT))
    return findings


def lung_opacity(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return a hazy opacity in a segment, through which vessels show."""
    lobe, box, distance, radius = ball_in_a_lobe(chest, random, 28 + 22 * severity)
    weight = (
        np.exp(-((distance / radius) ** 2)) * softened(lobe) * (1 + 0.35 * texture(distance.shape, 3, random))
    )
    weight = np.clip(weight, 0, 1).astype(np.float32)
    return [Finding(box, weight, (0.20 + 0.42 * severity) * WATER, is_added=True)]


def consolidation(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return a dense opacity that keeps to its lobe, with air bronchograms."""
    lobe, box, distance, radius = ball_in_a_lobe(chest, random, 26 + 24 * severity)
    edge = radius * (1 + 0.22 * texture(distance.shape, 5, random))
    weight = softened(lobe) / (1 + np.exp((distance - edge) / 3.5))
    side: Side = "right" if box[2].start < chest.labels.shape[2] // 2 else "left"
    weight = 0.85 * weight * (1 - bronchi(chest, box, side, random))
    return [Finding(box, weight.astype(np.float32), SOFT)]


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
        haze = np.exp(-((distance / reach) ** 2)) * (1 + 0.45 * texture(distance.shape, 3, random))
        haze = np.clip(haze, 0, 1) * softened(lung)
        vessels = branches(chest, box, side, random, upper=True, count=int(5 + 7 * severity))
        lines = septal_lines(chest, box, side, random, count=int(4 + 10 * severity))
        strength = (0.17 + 0.26 * severity) * (1 + sign * lean)
        weight = np.clip(strength * haze + 0.5 * vessels * softened(lung) + 0.45 * lines, 0, 1)
        findings.append(Finding(box, weight.astype(np.float32), WATER, is_added=True))
    return findings


def atelectasis(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return bands at one or both bases; the volume lost shows as a raised diaphragm (`Patient.raised`)."""
    findings = []
    for side in random_sides(random, both=0.3):
        box = chest.box(chest.lungs[side])
        slab, row, column = chest.grid(box)
        lung, depth = chest.lungs[side][box], chest.depth_in_lung[side][box]
        above = row - np.minimum(chest.domes[side], chest.base(side) + 12)[None, None, box[2]]
        total = np.zeros(lung.shape, np.float32)
        bands = int(random.integers(1, 3 + round(2 * severity)))
        for _ in range(bands):
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
        crowding = np.exp(-((np.maximum(above, 0) / 22) ** 2)) * (1 + 0.4 * texture(lung.shape, 3, random))
        crowding = np.clip(crowding, 0, 1) * (0.05 + 0.2 * severity)
        weight = np.clip(0.75 * total + crowding, 0, 1) * softened(lung)
        findings.append(Finding(box, weight.astype(np.float32), 0.9 * SOFT, is_added=True, lesions=bands))
    return findings
