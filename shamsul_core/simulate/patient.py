"""Who is before the detector, and how: size, breath, smooth deformation, pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.simulate.ct import LUNG_LEFT, LUNG_RIGHT, LUNGS
from shamsul_core.simulate.projection import Pose, Rays, rays_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.ct import Ct

_ABOVE_APEX_MM = 18.0
# Of the smooth deformation
_SWAY_MM = 4.0
# Places over the picture between which it is interpolated
_SWAYS = 5


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A variation of the chest.

    Parameters
    ----------
    width, height, depth
        Factors of its size; ``height`` is mostly breath.
    raised
        mm by which the right and the left half of the diaphragm stand higher.
    sway
        float32, 2 × places × places: smooth displacement in mm, to the left and up.
    pose
        How the patient stands before source and detector.
    """

    width: float
    height: float
    depth: float
    raised: tuple[float, float]
    sway: npt.NDArray[np.float32]
    pose: Pose

    def rays(self, ct: Ct, shape: tuple[int, int]) -> Rays:
        """Return the rays to H × W pixels as they go through the CT that this patient is a deformation of."""
        rays = rays_of(self.pose, shape)
        x, _, z = self.pose.centre
        rows, columns = shape
        sway = [cv2.resize(shift, (columns, rows), interpolation=cv2.INTER_CUBIC) for shift in self.sway]
        squeezed = Rays(
            rays.slope_x / self.width,
            rays.slope_z / self.height,
            x + (rays.at_x - x) / self.width,
            z + (rays.at_z - z) / self.height,
            rays.stretch * np.float32(self.depth),
            rays.pixel_mm,
        )
        return squeezed.moved(np.asarray(sway[0]), np.asarray(sway[1]) - self._raise(ct, squeezed))

    def _raise(self, ct: Ct, rays: Rays) -> npt.NDArray[np.float32]:
        """Return how far up the diaphragm stands, mm, H × W: most at the domes, nothing at the apices and far below."""
        middle_y = self.pose.centre[1]
        x, z = rays.at_x + middle_y * rays.slope_x, rays.at_z + middle_y * rays.slope_z
        total = np.zeros(x.shape, np.float32)
        for raised, lung in zip(self.raised, (LUNG_RIGHT, LUNG_LEFT), strict=True):
            _, dome_x, dome_z = dome(ct, lung)
            total += np.float32(raised) * np.exp(-(((x - dome_x) / 55) ** 2) - ((z - dome_z) / 70) ** 2)
        return total


def dome(ct: Ct, lung: tuple[int, ...]) -> tuple[float, float, float]:
    """Return the depth, x and z in mm of the middle of a lung's base."""
    places = np.argwhere(ct.where(*lung)[::4, ::4, ::4]) * 4
    low, high = np.percentile(places[:, 1], [2, 98])
    base = places[places[:, 1] < low + 0.25 * (high - low)]
    x, y, z = ct.millimetres(base.mean(axis=0))
    return float(y), float(x), float(z)


def draw_patient(ct: Ct, random: np.random.Generator, *, is_pa: bool) -> Patient:
    """Return a random patient; an AP portable one lies or sits, turned further and closer to the source."""
    places = np.argwhere(ct.where(*LUNGS)[::4, ::4, ::4]) * 4
    low, high = (ct.millimetres(corner) for corner in (places.min(axis=0), places.max(axis=0)))
    height = random.uniform(1.1, 1.28) if is_pa else random.uniform(0.98, 1.18)
    width = random.uniform(0.94, 1.06)
    spread = 1.0 if is_pa else 2.0
    # The picture ends a little above the apices and a little below the costophrenic angles
    top, bottom = high[2] + _ABOVE_APEX_MM / height, low[2] + random.uniform(8, 28)
    pose = Pose(
        centre=(
            float((low[0] + high[0]) / 2 + random.normal(0, 3)),
            float((low[1] + high[1]) / 2),
            float((top + bottom) / 2),
        ),
        is_pa=is_pa,
        source_mm=1800.0 if is_pa else float(random.uniform(1000, 1300)),
        gap_mm=float(random.uniform(140, 170)),
        turn=float(random.normal(0, 2 * spread)),
        tilt=float(random.normal(0 if is_pa else 4, 2 * spread)),
        roll=float(random.normal(0, 1.2 * spread)),
    )
    magnified = pose.source_mm / (pose.source_mm - pose.gap_mm)
    tall = (top - bottom) * height * magnified
    wide = (high[0] - low[0]) * width * magnified * random.uniform(1.16, 1.28)
    sway = random.normal(0, _SWAY_MM, (2, _SWAYS, _SWAYS)).astype(np.float32)
    return Patient(
        width=width,
        height=height,
        depth=float(random.uniform(0.85, 1.15)),
        raised=(float(random.normal(0, 4)), float(random.normal(0, 4))),
        sway=sway,
        pose=replace(pose, field_mm=(float(tall), float(wide))),
    )
