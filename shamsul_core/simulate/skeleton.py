"""The bones of the shoulders, which a CT taken with raised arms has elsewhere: clavicles, scapulae, humeri.

Shapes and sizes are those of adults (Gray's Anatomy: a clavicle of about 150 mm, a scapula of 150 by 100 mm, a humeral
head of 46 mm), placed by the lungs' apices as on radiographs with the arms at the sides, or with the hands on the hips and
the shoulders rolled forward, which takes the scapulae out of the lungs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.simulate.solids import CORTEX, SOFT, Tube, along, plate

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.landmarks import Landmarks
    from shamsul_core.simulate.projection import Image, Rays

    Points = npt.NDArray[np.float64]

_BLADE_MM = 2.6
"""Bone that rays pass in a scapula's blade: two cortices, seen at a slant."""


@dataclass(frozen=True, eq=False)
class Shoulder:
    """The bones of one side.

    Parameters
    ----------
    joint
        float64, 3: x, y, z of the shoulder's joint in mm.
    tubes
        Clavicle, humerus, and the scapula's borders, spine and neck.
    blade
        float64, n × 3 in mm: outline of the scapula's thin part.
    """

    joint: Points
    tubes: tuple[Tube, ...]
    blade: Points

    def integral(self, rays: Rays, density: float) -> Image:
        """Return what the bones absorb more than soft tissue, H × W; `density` scales their mineral."""
        total = plate(rays, self.blade) * np.float32(_BLADE_MM * density * (CORTEX - SOFT))
        for tube in self.tubes:
            total += tube.integral(rays, density)
        return np.asarray(total, np.float32)


def draw_shoulder(marks: Landmarks, side: int, random: np.random.Generator, *, is_pa: bool) -> Shoulder:
    """Return the bones of the patient's right (`side` -1) or left (1)."""
    size = random.uniform(0.93, 1.07)
    # Of the shoulder's joint: height over the lungs' apices, and way from the midline
    up = random.normal(-26, 9) if is_pa else random.normal(-20, 12)
    joint = np.array(
        [marks.middle + side * random.normal(150, 6), marks.back + random.normal(72, 8), marks.apex + up]
    )
    edges, blade = _scapula(marks, joint, side, size, random, is_pa=is_pa)
    arm = _humerus(joint, side, size, random, is_pa=is_pa)
    return Shoulder(joint, (_clavicle(marks, joint, side, random), arm, *edges), blade)


def _clavicle(marks: Landmarks, joint: Points, side: int, random: np.random.Generator) -> Tube:
    """Return a clavicle: an S that tapers to its middle, wide at the sternum and flat towards the acromion."""
    medial = np.array(
        [marks.middle + side * random.normal(17, 2), marks.front - 22, marks.apex + random.normal(-42, 6)]
    )
    lateral = joint + (side * random.normal(-6, 3), 20, random.normal(33, 4))
    bow = random.uniform(0.7, 1.3)
    share = np.array([0, 0.12, 0.3, 0.5, 0.7, 0.87, 1.0])[:, None]
    bends = np.array([[0, 0, 0], [0, 5, 4], [0, 13, 6], [0, 7, 3], [0, -12, -3], [0, -18, -4], [0, -10, 0]])
    points, at = along(medial + share * (lateral - medial) + bow * bends)
    radii = 5.0 + 3.4 * np.exp(-at / 0.1) + 2.2 / (1 + np.exp(-(at - 0.82) / 0.04))
    walls = 1.2 + 2.0 * np.exp(-(((at - 0.45) / 0.25) ** 2))
    return Tube(points, _rounded(points, radii) * random.uniform(0.9, 1.1), walls)


def _humerus(joint: Points, side: int, size: float, random: np.random.Generator, *, is_pa: bool) -> Tube:
    """Return a humerus: its head a hollow ball, its neck, its shaft with a thick cortex."""
    away = random.uniform(0.1, 0.5) if is_pa else random.uniform(0.0, 0.35)
    down = np.array([side * np.sin(away), 0.0, -np.cos(away)])
    across = np.array([side * np.cos(away), 0.0, np.sin(away)])
    head = joint + (side * 27 * size, 4, 4)
    radius = 23.0 * size
    # Through the ball along the arm, from its top; the greater tubercle stands out to the side
    knots = [
        head + radius * 0.97 * across * 0.1 - down * radius * 0.96,
        head + 4 * across,
        head + 26 * down + 7 * across,
    ]
    points, _ = along([*knots, head + 60 * down + 9 * across, head + 260 * down + 10 * across])
    deep = (points - head) @ down
    ball = np.sqrt(np.maximum(radius**2 - deep**2, 0))
    shaft = 11.5 * size + 11 * size * np.exp(-np.maximum(deep - 8, 0) / 22)
    radii = np.where(deep < 8, ball, np.maximum(np.where(deep < radius, ball, 0), shaft))
    walls = np.clip(1.2 + (deep - 20) / 22, 1.2, 4.2)
    return Tube(points, radii, walls)


def _scapula(
    marks: Landmarks, joint: Points, side: int, size: float, random: np.random.Generator, *, is_pa: bool
) -> tuple[tuple[Tube, ...], Points]:
    """Return a scapula's thick parts and the outline of its blade."""
    turned = np.deg2rad(random.normal(14, 6) if is_pa else random.normal(0, 7))
    narrow = random.uniform(0.62, 0.8) if is_pa else random.uniform(0.85, 1.0)
    behind = marks.back - 12

    def place(out: float, up: float) -> Points:
        # From the joint: mm to the side and up, turned so that the lower angle swings out
        out, up = out * narrow * size, up * size
        swung = out * np.cos(turned) - up * np.sin(turned), up * np.cos(turned) + out * np.sin(turned)
        return np.array([joint[0] + side * swung[0], behind, joint[2] + swung[1]])

    neck, lower_lip = place(-10, 4), place(-8, -14)
    top, upper_angle, inner, lower_angle = place(-38, 26), place(-84, 34), place(-98, 0), place(-80, -112)
    acromion = joint + (side * random.normal(16, 3), -14, 27)
    coracoid = joint + (side * -14, 30, random.normal(10, 3))
    outline = np.concatenate(
        [
            along([neck, top, upper_angle], 3)[0],
            along([upper_angle, inner, place(-94, -60), lower_angle], 3)[0][1:],
            along([lower_angle, place(-42, -62), lower_lip], 3)[0][1:],
        ]
    )

    def border(knots: list[Points], radii: tuple[float, float, float], wall: float) -> Tube:
        points, at = along(knots)
        radius = np.interp(at, [0, 0.5, 1], radii) * size
        return Tube(points, _rounded(points, radius), np.full(len(at), wall))

    edges = (
        border([lower_lip, place(-42, -62), lower_angle], (5.0, 3.4, 2.6), 1.7),
        border([upper_angle, inner, place(-94, -60), lower_angle], (1.8, 1.6, 2.0), 0.7),
        border([neck, top, upper_angle], (2.6, 1.5, 1.5), 0.7),
        border([place(-92, 2), place(-50, 18), joint + (side * -6, -25, 24), acromion], (1.6, 3.6, 5.8), 1.1),
        border(
            [joint + (side * -4, 8, 17), joint + (side * -7, 8, 0), joint + (side * -4, 8, -17)],
            (4.5, 7.0, 4.5),
            1.3,
        ),
        border([place(-18, 16), coracoid + (0, -6, 7), coracoid], (5.5, 5.0, 5.0), 1.3),
    )
    return edges, outline


def _rounded(points: Points, radii: Points) -> Points:
    """Return a bone's radii, smaller over the last mm before both ends, where its corners are round."""
    from_end = np.minimum(
        np.linalg.norm(points - points[0], axis=1), np.linalg.norm(points - points[-1], axis=1)
    )
    return np.asarray(radii * (1 - 0.6 * np.exp(-from_end / 1.6)))
