"""Who is before the detector, and how: size, breath, shape of the chest, heart and aorta, body, pose.

The shape is a smooth deformation of the rays, so that all organs, findings and devices follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.simulate.habitus import Habitus, Sex, draw_habitus
from shamsul_core.simulate.landmarks import Landmarks, landmarks
from shamsul_core.simulate.projection import Pose, Rays, rays_of
from shamsul_core.simulate.solids import plane

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest
    from shamsul_core.simulate.projection import Image

# Of the smooth deformation that has no name
_SWAY_MM = 4.0
# Places over the picture between which it is interpolated
_SWAYS = 6
_CT_BONE = 1.55
"""The CT's bones absorb so much more than its voxels, in which cortex and marrow are averaged, say of a man of thirty."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a chest differs from the CT's.

    Parameters
    ----------
    bell
        Share by which it is wider at the base, and narrower at the apices.
    slope
        mm by which ribs fall for each mm to the side, more than the CT's.
    curve, curve_at
        Scoliosis: mm to the side, and where its bend is, in radians.
    heart, knob
        mm by which the heart's left border and the aortic knob stand further out.
    apices, diaphragm
        mm by which the right and left apex, and half of the diaphragm, stand higher.
    sway
        float32, 2 × places × places: smooth displacement in mm, to the left and up.
    """

    bell: float
    slope: float
    curve: float
    curve_at: float
    heart: float
    knob: float
    apices: tuple[float, float]
    diaphragm: tuple[float, float]
    sway: npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A variation of the chest.

    Parameters
    ----------
    marks
        Where the CT's organs are.
    width, height, depth
        Factors of its size; ``height`` is mostly breath.
    shape
        How it differs otherwise.
    habitus
        The body around it.
    pose
        How the patient stands before source and detector.
    """

    marks: Landmarks
    width: float
    height: float
    depth: float
    shape: Shape
    habitus: Habitus
    pose: Pose

    @property
    def bone(self) -> float:
        """Factor of what the CT's bones absorb more than soft tissue."""
        return _CT_BONE * self.habitus.density

    def raised(self, right: float, left: float) -> Patient:
        """Return the same patient with the diaphragm's halves so many mm higher."""
        diaphragm = (self.shape.diaphragm[0] + right, self.shape.diaphragm[1] + left)
        return replace(self, shape=replace(self.shape, diaphragm=diaphragm))

    def rays(self, shape: tuple[int, int]) -> Rays:
        """Return the rays to H × W pixels as they go through the CT that this patient is a deformation of."""
        rays = rays_of(self.pose, shape)
        x, _, z = self.pose.centre
        squeezed = Rays(
            rays.slope_x / self.width,
            rays.slope_z / self.height,
            x + (rays.at_x - x) / self.width,
            z + (rays.at_z - z) / self.height,
            rays.stretch * np.float32(self.depth),
            rays.pixel_mm,
        )
        return squeezed.moved(*self._displaced(squeezed))

    def _displaced(self, rays: Rays) -> tuple[Image, Image]:
        """Return how many mm further left and up rays meet the CT, H × W."""
        marks, shape = self.marks, self.shape
        x, z = plane(rays, self.pose.centre[1])
        height, width = x.shape
        left, up = (cv2.resize(shift, (width, height), interpolation=cv2.INTER_CUBIC) for shift in shape.sway)
        aside = x - np.float32(marks.middle)
        tall = marks.high[2] - marks.low[2]
        from_middle = np.clip((z - np.float32(marks.low[2] + 0.5 * tall)) / np.float32(tall), -0.7, 0.7)
        left = left + np.float32(shape.bell) * from_middle * aside
        left = left + np.float32(shape.curve) * np.sin(np.float32(shape.curve_at) + 2.5 * from_middle)
        # Ribs turn about the spine
        up = up + np.float32(shape.slope) * (np.sqrt(aside**2 + 900) - 70)
        for mm, at, reach in (
            (shape.heart, (marks.heart[1, 0], np.mean(marks.heart[:, 2])), (34, 44)),
            (shape.knob, (marks.arch[0], marks.arch[2]), (20, 24)),
        ):
            left = left - np.float32(mm) * _bump(x, z, (float(at[0]), float(at[1])), reach)
        for mm, apex in zip(shape.apices, marks.apices.values(), strict=True):
            up = up - np.float32(mm) * _bump(x, z, (apex[0], apex[2]), (48, 45))
        for mm, dome in zip(shape.diaphragm, marks.domes.values(), strict=True):
            up = up - np.float32(mm) * _bump(x, z, (dome[0], dome[2] - 20), (55, 70))
        return np.asarray(left, np.float32), np.asarray(up, np.float32)


def _bump(x: Image, z: Image, at: tuple[float, float], reach: tuple[float, float]) -> Image:
    """Return 1 at a place and nothing beyond its reach in mm."""
    return np.asarray(
        np.exp(-(((x - np.float32(at[0])) / reach[0]) ** 2) - ((z - np.float32(at[1])) / reach[1]) ** 2)
    )


def draw_patient(chest: Chest, random: np.random.Generator, *, is_pa: bool, sex: Sex, age: int) -> Patient:
    """Return a random patient of that sex and age; an AP portable one lies or sits, turned further, closer to the source.

    Chests are 285 mm wide inside in men and 255 mm in women, give or take 6 %, and the lungs are seen for some 0.7 to 0.9
    of that from apex to dome, less where a patient cannot stand and breathe in (Bellemare et al., *Sex differences in
    thoracic dimensions*, Am. J. Respir. Crit. Care Med. 168, 2003).
    """
    marks = landmarks(chest)
    width = float((1.14 if sex == "Male" else 1.03) * np.clip(random.normal(1, 0.055), 0.88, 1.12))
    breath = random.normal(1.06, 0.07) if is_pa else random.normal(0.97, 0.07)
    height = float(width * np.clip(breath, 0.84, 1.2))
    spread = 1.0 if is_pa else 1.8
    above, below = random.uniform(22, 58) if is_pa else random.uniform(5, 55), random.uniform(-8, 30)
    top, bottom = marks.high[2] + above / height, marks.low[2] - below / height
    pose = Pose(
        centre=(
            float((marks.low[0] + marks.high[0]) / 2 + random.normal(0, 4)),
            float((marks.low[1] + marks.high[1]) / 2),
            float((top + bottom) / 2),
        ),
        is_pa=is_pa,
        source_mm=1800.0 if is_pa else float(random.uniform(1000, 1300)),
        gap_mm=float(random.uniform(140, 170)),
        turn=float(random.normal(0, 2.2 * spread)),
        tilt=float(random.normal(0 if is_pa else 4, 2.5 * spread)),
        roll=float(random.normal(0, 1.2 * spread)),
    )
    magnified = pose.source_mm / (pose.source_mm - pose.gap_mm)
    tall = (top - bottom) * height * magnified
    wide = (marks.high[0] - marks.low[0]) * width * magnified * random.uniform(1.2, 1.45)
    # Detectors are 350 × 430 or 430 × 430 mm
    wide = float(np.clip(wide, 0.82 * tall, 1.28 * tall))
    habitus = draw_habitus(marks, random, is_pa=is_pa, sex=sex, age=age)
    return Patient(
        marks=marks,
        width=width,
        height=height,
        depth=float(random.uniform(0.85, 1.15)),
        shape=_draw_shape(random, age),
        habitus=habitus,
        pose=replace(pose, field_mm=(float(tall), wide)),
    )


def _draw_shape(random: np.random.Generator, age: int) -> Shape:
    """Return a random shape; with age the aorta winds and widens, the heart grows and the spine bends."""
    old = max(0.0, age - 45) / 45
    return Shape(
        bell=float(random.normal(0, 0.07)),
        slope=float(random.normal(0, 0.08)),
        curve=float(random.normal(0, 1.3 + 2 * old)),
        curve_at=float(random.uniform(-np.pi, np.pi)),
        heart=float(random.normal(-3 + 6 * old, 5)),
        knob=float(random.normal(-1 + 8 * old, 3)),
        # The CT's patient leans
        apices=(float(random.normal(12, 4)), float(random.normal(0, 4))),
        diaphragm=(float(random.normal(4, 7)), float(random.normal(0, 7))),
        sway=random.normal(0, _SWAY_MM, (2, _SWAYS, _SWAYS)).astype(np.float32),
    )
