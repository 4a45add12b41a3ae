"""Air and fluid in the pleural space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from shamsul_core.simulate.chest import SIDES
from shamsul_core.simulate.findings.finding import Finding
from shamsul_core.simulate.findings.places import lowest_mm, random_sides
from shamsul_core.simulate.preparation import WATER

if TYPE_CHECKING:
    from shamsul_core.simulate.chest import Chest


def pneumothorax(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return air without markings, most of it at the apex and the side, beyond a thin visceral line."""
    side = SIDES[int(random.integers(2))]
    box = chest.box(chest.lungs[side])
    _, row, column = chest.grid(box)
    lung = chest.lungs[side][box]
    # The edge of the collapsed lung is tangential to the rays, so that it shows as a line
    depth = ndimage.distance_transform_edt(chest.shadows[side], chest.spacing[1:])[box[1], box[2]][None]
    hilum = chest.hila[side]
    low, high = lowest_mm(chest, side), float(row.max())
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
        Finding(box, air, 0.0),
        Finding(box, (0.07 * line).astype(np.float32), WATER, is_added=True, lesions=0),
    ]


def pleural_effusion(chest: Chest, random: np.random.Generator, severity: float) -> list[Finding]:
    """Return fluid at one or both bases that climbs the wall as a meniscus and blunts the angle."""
    findings = []
    for side in random_sides(random, both=0.4):
        box = chest.box(chest.lungs[side])
        _, row, column = chest.grid(box)
        lung = chest.lungs[side][box]
        low = lowest_mm(chest, side)
        level = low + (14 + 120 * severity**1.2) * random.uniform(0.85, 1.1)
        columns = (np.flatnonzero(chest.shadows[side].any(axis=0)) + 0.5) * chest.spacing[2]
        inwards = column - columns[0] if side == "right" else columns[-1] - column
        climb = (18 + 26 * severity) * np.exp(-np.maximum(inwards, 0) / 16)
        climb = climb + 8 * np.exp(-chest.depth_in_lung[side][box] / 6) + random.normal(0, 0.04) * inwards
        fluid = lung / (1 + np.exp(np.clip((row - level - climb) / 2.6, -30, 30)))
        findings.append(Finding(box, fluid.astype(np.float32), 1.01 * WATER))
    return findings
