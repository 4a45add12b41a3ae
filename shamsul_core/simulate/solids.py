"""Line integrals through bodies that need no voxels: ellipsoids, tubes that taper, thin plates.

A patient's bones differ from the next one's, and a voxel of a mm would blur their cortex; so they are drawn for each
patient along the rays, as sharp as the detector sees them. All lengths are in mm, points are x, y, z as in `Ct`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import KDTree

from shamsul_core.simulate.preparation import WATER
from shamsul_core.simulate.projection import on_detector

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.projection import Image, Rays

    Points = npt.NDArray[np.float64]

SOFT = 1.04 * WATER
CORTEX = 0.055
"""Attenuation per mm of cortical bone at about 65 keV (NIST, ICRU-44: 0.315 and 0.223 cm²/g at 60 and 80 keV, 1.92 g/cm³)."""

MARROW = 0.034
"""Of trabecular bone with its marrow."""

# Pixels of a plate's drawing for each of the detector
_FINE = 2


@dataclass(frozen=True, eq=False)
class Tube:
    """A long bone: round across, its cortex a wall about trabecular bone.

    Parameters
    ----------
    points
        float64, n × 3: its axis, a point about every mm.
    radii, walls
        float64, n: outer radius and thickness of the cortex at each.
    """

    points: Points
    radii: Points
    walls: Points

    def integral(self, rays: Rays, density: float) -> Image:
        """Return what it absorbs more than soft tissue in its place, H × W; `density` scales its mineral."""
        chord, inner = chords(self, rays)
        cortex, marrow = (max(0.0, density * (one - SOFT)) for one in (CORTEX, MARROW))
        return np.asarray(cortex * chord - (cortex - marrow) * inner, np.float32)


def along(knots: npt.ArrayLike, step: float = 1.0) -> tuple[Points, Points]:
    """Return a smooth curve through knots (n × 3), a point about every `step` mm, and each one's share of its length."""
    path = np.asarray(knots, np.float64)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    share = np.linspace(0, 1, max(2, int(length[-1] / step) + 1))
    return np.asarray(CubicSpline(length / length[-1], path)(share)), share


def chords(tube: Tube, rays: Rays) -> tuple[Image, Image]:
    """Return rays' way in mm through a tube and through what its walls enclose, both H × W.

    That of a ray across a cylinder at each pixel's distance from the projected axis. The ends are cut square, with rims
    rounded over some mm.
    """
    height, width = rays.at_x.shape
    places = on_detector(tube.points, rays)
    scale = places[:, 2:3]
    axis, mm = places[:, :2] * scale, float(scale.mean())
    outer, inner = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    reach = float(tube.radii.max()) + 2 * mm
    low = np.floor((places[:, :2].min(axis=0)) - reach / mm).astype(int)
    high = np.ceil((places[:, :2].max(axis=0)) + reach / mm).astype(int) + 1
    (top, left), (bottom, right) = np.clip(low, 0, (height, width)), np.clip(high, 0, (height, width))
    if top >= bottom or left >= right:
        return outer, inner
    rows, columns = np.mgrid[top:bottom, left:right]
    pixels = np.stack([rows, columns], axis=-1).reshape(-1, 2) * mm
    far, nearest = KDTree(axis * (mm / scale)).query(pixels, distance_upper_bound=reach)
    near = np.isfinite(far)
    far, nearest, pixels = far[near], nearest[near], pixels[near]
    radius, wall = tube.radii[nearest], tube.walls[nearest]
    # The edge of a pixel at the edge of the bone is shared between both
    square = 1 - np.clip(_beyond(axis * (mm / scale), pixels, nearest) / 2.5, 0, 1) ** 2
    region = (slice(top, bottom), slice(left, right))
    for image, within in ((outer, radius), (inner, np.maximum(radius - wall, 0))):
        part = np.zeros(near.shape, np.float32)
        part[near] = 2 * np.sqrt(np.maximum(within**2 - far**2, 0)) * np.sqrt(square)
        image[region] = part.reshape(rows.shape)
    return outer, inner


def _beyond(axis: Points, pixels: Points, nearest: npt.NDArray[np.intp]) -> Points:
    """Return how many mm each pixel lies beyond the end of an axis that it is nearest to, 0 elsewhere."""
    beyond = np.zeros(len(pixels))
    for end, other in ((0, min(4, len(axis) - 1)), (len(axis) - 1, max(0, len(axis) - 5))):
        heading = axis[end] - axis[other]
        heading = heading / max(float(np.linalg.norm(heading)), 1e-6)
        at = nearest == end
        beyond[at] = np.maximum((pixels[at] - axis[end]) @ heading, 0)
    return beyond


def ellipsoid(rays: Rays, centre: npt.ArrayLike, axes: npt.ArrayLike, lean: float = 0.0) -> Image:
    """Return rays' way in mm through an ellipsoid, H × W.

    Parameters
    ----------
    centre, axes
        x, y, z and the half axes along them.
    lean
        Radians by which it is turned in the coronal plane: positive ones bring its top to the patient's left.
    """
    x0, y0, z0 = np.asarray(centre, np.float32)
    a, b, c = np.asarray(axes, np.float32)
    cos, sin = np.float32(np.cos(lean)), np.float32(np.sin(lean))
    from_x, from_z = rays.at_x + y0 * rays.slope_x - x0, rays.at_z + y0 * rays.slope_z - z0
    p, q = (from_x * cos - from_z * sin) / a, (from_x * sin + from_z * cos) / c
    u, v = (rays.slope_x * cos - rays.slope_z * sin) / a, (rays.slope_x * sin + rays.slope_z * cos) / c
    square, half = u * u + v * v + 1 / (b * b), u * p + v * q
    root = np.maximum(half * half - square * (p * p + q * q - 1), 0)
    return np.asarray(2 * np.sqrt(root) / square * rays.stretch, np.float32)


def plane(rays: Rays, depth: float) -> tuple[Image, Image]:
    """Return where rays meet the coronal plane at a depth (y): x and z in mm, H × W."""
    deep = np.float32(depth)
    return rays.at_x + deep * rays.slope_x, rays.at_z + deep * rays.slope_z


def plate(rays: Rays, outline: Points) -> Image:
    """Return which share of each pixel the projection of an outline (n × 3) covers, H × W."""
    height, width = rays.at_x.shape
    places = on_detector(outline, rays)[:, 1::-1]
    canvas = np.zeros((height * _FINE, width * _FINE), np.uint8)
    cv2.fillPoly(canvas, [np.rint((places + 0.5) * _FINE * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)
