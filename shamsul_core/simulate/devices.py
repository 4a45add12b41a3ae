"""Support devices: lines, tubes, a pacemaker, electrodes, laid through the patient as curves with a width.

The path of a ray through a straight round wire is a chord, so that devices need no voxels: their curves are projected,
and each pixel gets the chord at its distance from the curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from shamsul_core.simulate.projection import on_detector

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest
    from shamsul_core.simulate.projection import Image, Rays

    Points = npt.NDArray[np.float64]
    Maker = Callable[[Chest, np.random.Generator], "list[Wire]"]

_CAVA, _CAVA_BELOW, _VEIN_RIGHT, _VEIN_LEFT, _TRACHEA, _OESOPHAGUS, _STOMACH, _HEART = (
    62,
    63,
    60,
    59,
    16,
    15,
    6,
    51,
)
# Pixels of the drawing for each of the detector
_FINE = 2


@dataclass(frozen=True, eq=False)
class Wire:
    """A round wire, tube wall or disc.

    Parameters
    ----------
    points
        float64, n × 3, x, y, z in mm, close together.
    radius_mm
        Of its cross-section.
    attenuation
        How much a mm of it absorbs.
    is_filled
        Whether the points are the outline of a flat plate, `radius_mm` half as thick.
    is_drawn
        Whether an expert would outline it.
    """

    points: Points
    radius_mm: float
    attenuation: float
    is_filled: bool = False
    is_drawn: bool = True


def wires(
    chest: Chest, random: np.random.Generator, *, is_pa: bool, never: Maker | None = None
) -> list[Wire]:
    """Return a random set of devices, none of one kind: those of intensive care mostly on portable radiographs."""
    shares: dict[Maker, float] = {
        central_line: 0.3 if is_pa else 0.55,
        endotracheal_tube: 0.03 if is_pa else 0.4,
        nasogastric_tube: 0.08 if is_pa else 0.35,
        pacemaker: 0.4 if is_pa else 0.12,
        chest_tube: 0.15 if is_pa else 0.2,
        electrodes: 0.25 if is_pa else 0.65,
    }
    shares = {make: share for make, share in shares.items() if make is not never}
    chosen = [make for make, share in shares.items() if random.random() < share]
    if not chosen:
        chosen = [
            list(shares)[
                int(random.choice(len(shares), p=np.array(list(shares.values())) / sum(shares.values())))
            ]
        ]
    return [wire for make in chosen for wire in make(chest, random)]


def central_line(chest: Chest, random: np.random.Generator) -> list[Wire]:
    """Return a catheter from a neck or collar vein to the lower superior vena cava."""
    cava = chest.course(_CAVA)[::-1]
    is_right = random.random() < 0.7
    vein = chest.course(_VEIN_RIGHT if is_right else _VEIN_LEFT)[::-1]
    entry = vein[0] + (-8 if is_right else 10, -4, 0)
    neck = entry + (random.normal(-6 if is_right else 6, 5), random.normal(-6, 4), random.uniform(28, 45))
    # From under the collar bone
    if random.random() < 0.4:
        neck = entry + ((-55 if is_right else 55) + random.normal(0, 6), 14, random.uniform(-6, 10))
    end = int(len(cava) * random.uniform(0.55, 1.0))
    path = np.concatenate(
        [[neck, (neck + entry) / 2 + random.normal(0, 2, 3)], vein[::6], cava[2 : end + 3 : 6]]
    )
    return [Wire(_smooth(path), 1.1, 0.24)]


def endotracheal_tube(chest: Chest, random: np.random.Generator) -> list[Wire]:
    """Return a tube in the trachea, its end some cm above the carina, with the opaque stripe in its wall."""
    trachea = chest.course(_TRACHEA)
    last = random.uniform(20, 55)
    path = trachea[trachea[:, 2] > trachea[0, 2] + last]
    path = np.concatenate([path[::8], [path[-1] + (0, -6, 25), path[-1] + (0, -10, 60)]])
    course = _smooth(path)
    wall = [Wire(course + (side * 4.2, 0, 0), 0.8, 0.08, is_drawn=False) for side in (-1, 1)]
    return [*wall, Wire(course + (2.5, 0, 0), 0.8, 0.3), Wire(course, 4.6, 0.002)]


def nasogastric_tube(chest: Chest, random: np.random.Generator) -> list[Wire]:
    """Return a tube down the oesophagus that turns to the left into the stomach."""
    gullet = chest.course(_OESOPHAGUS)[::-1]
    stomach = chest.millimetres(np.argwhere(chest.region(_STOMACH))).mean(axis=0)
    above = gullet[0] + np.array([[0, 0, 60.0], [0, 0, 25.0]])
    end = stomach + random.normal(0, 8, 3)
    path = np.concatenate(
        [above, gullet[4::14], [(gullet[-1] + end) / 2 + (6, 8, -4), end, end + (18, 4, -18)]]
    )
    return [Wire(_smooth(path), 1.7, 0.12)]


def pacemaker(chest: Chest, random: np.random.Generator) -> list[Wire]:
    """Return a generator under the skin of the upper chest, with one or two leads to the right heart."""
    is_left = random.random() < 0.85
    vein = chest.course(_VEIN_LEFT if is_left else _VEIN_RIGHT)[::-1]
    cava, heart = chest.course(_CAVA)[::-1], chest.millimetres(np.argwhere(chest.heart))
    low, high = heart.min(axis=0), heart.max(axis=0)
    side = 1 if is_left else -1
    lung = chest.millimetres(np.argwhere(chest.lungs["left" if is_left else "right"]))
    outer = np.percentile(lung[:, 0], 72 if is_left else 28)
    front = lung[:, 1].max() - 12
    middle = np.array(
        [outer + random.normal(0, 5), front, np.percentile(lung[:, 2], 90) + random.normal(0, 6)]
    )
    turned = random.uniform(-0.5, 0.5)
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    across, up = 25 * _squared(np.cos(angle)), 21 * _squared(np.sin(angle))
    plate = middle + np.stack(
        [
            across * np.cos(turned) - up * np.sin(turned),
            0 * angle,
            across * np.sin(turned) + up * np.cos(turned),
        ],
        axis=1,
    )
    parts = [Wire(plate, 3.5, 0.16, is_filled=True)]
    tips = [low + (high - low) * (0.72, 0.75, 0.10)]
    if random.random() < 0.6:
        tips.append(low + (high - low) * (0.22, 0.65, 0.62))
    for tip in tips:
        start = middle + (-side * 18, 0, random.uniform(8, 16))
        loop = middle + (-side * random.uniform(28, 36), -4, random.uniform(18, 30))
        atrium = low + (high - low) * (0.16, 0.55, 0.35)
        path = [start, loop, *vein[2::9], *cava[3::9]]
        path += [atrium] if tip[2] < atrium[2] else [low + (high - low) * (0.12, 0.55, 0.30)]
        course = _smooth(np.array([*path, tip + random.normal(0, 3, 3)]))
        parts += [Wire(course, 1.0, 0.3), Wire(course[-9:], 1.5, 0.5)]
    return parts


def chest_tube(chest: Chest, random: np.random.Generator) -> list[Wire]:
    """Return a drain from the side wall to the apex or the base, with its stripe."""
    is_left = random.random() < 0.5
    lung = chest.millimetres(np.argwhere(chest.lungs["left" if is_left else "right"]))
    low, high = lung.min(axis=0), lung.max(axis=0)
    side = 1 if is_left else -1
    wall = high[0] if is_left else low[0]
    entry_z = low[2] + (high[2] - low[2]) * random.uniform(0.35, 0.55)
    outside = np.array([wall + side * 45, (low[1] + high[1]) / 2, entry_z - random.uniform(25, 45)])
    entry = np.array([wall + side * 4, (low[1] + high[1]) / 2, entry_z])
    apex = np.array(
        [
            (low[0] + high[0]) / 2 + side * random.uniform(-5, 18),
            low[1] + 50,
            high[2] - random.uniform(18, 50),
        ]
    )
    path = np.array([outside, entry, (entry + apex) / 2 + (side * random.uniform(12, 26), -8, 6), apex])
    course = _smooth(path)
    return [Wire(course, 4.0, 0.012), Wire(course + (2.2 * side, 0, 0), 0.8, 0.3)]


def electrodes(chest: Chest, random: np.random.Generator) -> list[Wire]:
    """Return three to five electrodes on the skin of the chest, their wires leading down or to the side."""
    both = chest.lungs["right"] | chest.lungs["left"]
    lung = chest.millimetres(np.argwhere(both))
    low, high = lung.min(axis=0), lung.max(axis=0)
    spots = [(0.12, 0.88), (0.9, 0.86), (0.08, 0.22), (0.93, 0.2), (0.6, 0.45)]
    parts = []
    leave_at = random.uniform(0.2, 0.8)
    for across, up in random.permutation(spots)[: int(random.integers(3, 6))]:
        at = (
            low
            + (high - low) * (across + random.normal(0, 0.05), 1.0, up + random.normal(0, 0.05))
            + (0, 15, 0)
        )
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        ring = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)
        parts += [
            Wire(at + 8 * ring, 0.5, 0.03, is_filled=True, is_drawn=False),
            Wire(at + 2.6 * ring, 1.2, 0.20, is_filled=True),
        ]
        away = low + (high - low) * (leave_at + random.normal(0, 0.08), 1.0, -0.35) + (0, 15, 0)
        bend = (at + away) / 2 + random.normal(0, 30, 3) * (1, 0, 1)
        path = np.array([at, at + random.normal(0, 12, 3) * (1, 0, 1) + (0, 0, -14), bend, away])
        parts.append(Wire(_smooth(path), 0.8, 0.16))
    return parts


def draw(devices: list[Wire], rays: Rays) -> tuple[Image, npt.NDArray[np.bool_]]:
    """Return the devices' line integrals and the shadow of what an expert would outline, both H × W."""
    height, width = rays.at_x.shape
    total, mask = np.zeros((height, width), np.float32), np.zeros((height, width), bool)
    for wire in devices:
        places = on_detector(wire.points, rays)
        radius = wire.radius_mm / float(np.median(places[:, 2]))
        chord, touched = _chord(places[:, 1::-1], radius, (height, width), is_filled=wire.is_filled)
        thick = chord * np.float32(np.median(places[:, 2]))
        if wire.is_filled:
            thick = touched * np.float32(2 * wire.radius_mm)
        total += np.float32(wire.attenuation) * thick
        if wire.is_drawn:
            mask |= touched > 0.2
    return total, mask


def _chord(points: Points, radius: float, shape: tuple[int, int], *, is_filled: bool) -> tuple[Image, Image]:
    """Return each pixel's way through a wire of a radius in pixels, and what share of the pixel it covers."""
    height, width = shape
    fine = [np.rint((points + 0.5) * _FINE * 16).astype(np.int32)]
    canvas = np.zeros((height * _FINE, width * _FINE), np.uint8)
    if is_filled:
        cv2.fillPoly(canvas, fine, 255, shift=4)
        touched = np.asarray(canvas, np.float32) / 255
    else:
        cv2.polylines(canvas, fine, isClosed=False, color=255, thickness=1, shift=4)
        touched = np.zeros(canvas.shape, np.float32)
    if is_filled:
        cover = cv2.resize(touched, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(cover), np.asarray(cover)
    distance = cv2.distanceTransform(255 - canvas, cv2.DIST_L2, 5) / _FINE
    wide = max(radius, 0.5 / _FINE)
    chord = 2 * np.sqrt(np.maximum(wide**2 - np.minimum(distance, 1e6) ** 2, 0))
    # A wire thinner than a pixel keeps its cross-section
    chord *= radius**2 / wide**2
    soft = cv2.resize(np.asarray(chord, np.float32), (width, height), interpolation=cv2.INTER_AREA)
    cover = cv2.resize((distance <= wide).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(soft, np.float32), np.asarray(cover, np.float32)


def _smooth(path: Points) -> Points:
    """Return a smooth curve through points, a point about every mm and a half."""
    keep = np.concatenate([[True], np.linalg.norm(np.diff(path, axis=0), axis=1) > 1])
    path = path[keep]
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    return np.asarray(CubicSpline(along, path)(np.arange(0, along[-1], 1.5)))


def _squared(circle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a sine or cosine as it runs about a rounded rectangle."""
    return np.asarray(np.sign(circle) * np.abs(circle) ** 0.6)
