r"""X-rays through the chest: line integrals of attenuation along the rays from a point to a flat detector.

The chest is a stack of coronal slabs. The ray to a detector pixel meets the plane of slab k in a point whose
coordinates are linear in the slab's depth,

.. math:: x_k = s_x + (y_k - s_y) \frac{d_x - s_x}{d_y - s_y},

with the source s and the pixel d in the patient's coordinates. The integral is the sum over slabs of what bilinear
interpolation finds there, times the path through a slab: exact for a slab that is constant in depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Image = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Pose:
    """How the patient stands before source and detector, in mm and degrees.

    Parameters
    ----------
    centre
        The point of the patient, x, y, z in mm, that the central ray goes through.
    is_pa
        Whether the source is behind the patient and the detector at the chest; otherwise the other way round (AP).
    source_mm
        Distance from source to detector.
    gap_mm
        Distance from `centre` to the detector.
    turn, tilt, roll
        Degrees by which the patient is turned about the axis from feet to head, about that from right to left, and in the picture's plane.
    field_mm
        Height and width of the detector's part that is read out.
    """

    centre: tuple[float, float, float]
    is_pa: bool = True
    source_mm: float = 1800.0
    gap_mm: float = 150.0
    turn: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0
    field_mm: tuple[float, float] = (350.0, 350.0)


@dataclass(frozen=True, eq=False)
class Rays:
    """The rays of a pose to H × W pixels.

    Parameters
    ----------
    slope_x, slope_z
        float32, H × W: how far a ray goes to the patient's left and to the head for each mm to the front.
    at_x, at_z
        float32, H × W: where in mm it would meet the patient's back plane (y = 0).
    stretch
        float32, H × W: its length over its way from back to front.
    pixel_mm
        Side of a pixel at the detector.
    """

    slope_x: Image
    slope_z: Image
    at_x: Image
    at_z: Image
    stretch: Image
    pixel_mm: float

    def moved(self, x: Image, z: Image) -> Rays:
        """Return rays that meet the patient so many mm further left and up: a smooth deformation of the patient."""
        return Rays(self.slope_x, self.slope_z, self.at_x + x, self.at_z + z, self.stretch, self.pixel_mm)

    def coarser(self, by: int) -> Rays:
        """Return every `by`-th ray, in the middle of the pixels it stands for."""
        size = (self.at_x.shape[1] // by, self.at_x.shape[0] // by)
        parts = (self.slope_x, self.slope_z, self.at_x, self.at_z, self.stretch)
        slope_x, slope_z, at_x, at_z, stretch = (
            np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32) for part in parts
        )
        return Rays(slope_x, slope_z, at_x, at_z, stretch, self.pixel_mm * by)


def rays_of(pose: Pose, shape: tuple[int, int]) -> Rays:
    """Return the rays to a detector of H × W pixels, the picture as it is read: the patient's right on its left."""
    height, width = shape
    side = 1.0 if pose.is_pa else -1.0
    pixel = pose.field_mm[0] / height
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    across = (columns + 0.5 - width / 2) * pixel
    up = (height / 2 - rows - 0.5) * pixel
    rotation = Rotation.from_euler("yxz", [pose.roll, pose.tilt, pose.turn], degrees=True)
    source = rotation.apply([0.0, -side * (pose.source_mm - pose.gap_mm), 0.0]) + pose.centre
    along, depth, upward = (rotation.apply(axis) for axis in np.eye(3))
    detector = pose.centre + across[..., None] * along + side * pose.gap_mm * depth + up[..., None] * upward
    way = detector - source
    slope_x, slope_z = way[..., 0] / way[..., 1], way[..., 2] / way[..., 1]
    at_x, at_z = source[0] - source[1] * slope_x, source[2] - source[1] * slope_z
    stretch = np.sqrt(1 + slope_x**2 + slope_z**2)
    single = [np.asarray(part, np.float32) for part in (slope_x, slope_z, at_x, at_z, stretch)]
    return Rays(single[0], single[1], single[2], single[3], single[4], pixel)


def project(
    slabs: Iterable[tuple[int, Image]],
    spacing: tuple[float, float, float],
    rays: Rays,
    *,
    extend: bool = True,
) -> Image:
    """Return the line integrals, float32, H × W.

    Parameters
    ----------
    slabs
        Index and content, Z × X, of each slab; those left out are empty.
    spacing
        mm between slabs, rows (from the feet up) and columns (from the right).
    extend
        Whether slabs go on beyond their borders, mirrored; otherwise nothing is there.
    """
    thick, row, column = spacing
    total = np.zeros(rays.at_x.shape, np.float32)
    base_x, base_z = rays.at_x / column - 0.5, rays.at_z / row - 0.5
    step_x, step_z = rays.slope_x / column, rays.slope_z / row
    border = cv2.BORDER_REFLECT_101 if extend else cv2.BORDER_CONSTANT
    for index, slab in slabs:
        depth = np.float32((index + 0.5) * thick)
        total += cv2.remap(
            slab, base_x + depth * step_x, base_z + depth * step_z, cv2.INTER_LINEAR, borderMode=border
        )
    return np.asarray(total * rays.stretch * np.float32(thick))


def on_detector(points: npt.NDArray[np.float64], rays: Rays) -> npt.NDArray[np.float64]:
    """Return where points in the patient, n × 3 in mm, show: row and column of pixels, n × 2, and the mm of a pixel there.

    The rays are searched for the one that meets the point; they are smooth, so that a few steps suffice.
    """
    height, width = rays.at_x.shape
    places = np.stack([np.full(len(points), height / 2), np.full(len(points), width / 2)], axis=1)
    scale = np.full(len(points), rays.pixel_mm)
    for _ in range(12):
        x, z = _met(rays, places, points[:, 1])
        right = _met(rays, places + (0.0, 4.0), points[:, 1])[0]
        below = _met(rays, places + (4.0, 0.0), points[:, 1])[1]
        # Where a patient's shape squeezes one axis more than the other, each has its own step
        least = 0.25 * rays.pixel_mm
        scale, fall = np.maximum((right - x) / 4, least), np.maximum((z - below) / 4, least)
        places += np.stack([(z - points[:, 2]) / fall, (points[:, 0] - x) / scale], axis=1)
    return np.concatenate([places, scale[:, None]], axis=1)


def _met(
    rays: Rays, places: npt.NDArray[np.float64], depth: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return x and z in mm where rays (row, column) meet a depth; beyond the detector as its border goes on."""
    height, width = rays.at_x.shape
    inside = np.clip(places, 2, (height - 3, width - 3))

    def look(part: Image) -> npt.NDArray[np.float64]:
        columns, rows = inside[:, 1].astype(np.float32), inside[:, 0].astype(np.float32)
        values = cv2.remap(part, columns[None], rows[None], cv2.INTER_LINEAR)[0]
        return np.asarray(values, np.float64)

    beyond = (places - inside) * rays.pixel_mm
    x = look(rays.at_x) + depth * look(rays.slope_x) + beyond[:, 1]
    z = look(rays.at_z) + depth * look(rays.slope_z) - beyond[:, 0]
    return x, z
