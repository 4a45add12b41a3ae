"""What differs between people beyond the lungs: fat, arms, breasts, gas, the mineral of the bones.

All of it is drawn for each patient and added to the line integrals of the CT, which end before the arms do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from shamsul_core.simulate.preparation import WATER
from shamsul_core.simulate.processing import blurred
from shamsul_core.simulate.skeleton import Shoulder, draw_shoulder
from shamsul_core.simulate.solids import SOFT, ellipsoid, plane

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.landmarks import Landmarks
    from shamsul_core.simulate.projection import Image, Rays

    Points = npt.NDArray[np.float64]

Sex = Literal["Male", "Female"]
_FLANK_FROM_MM = np.float32(130)
_WALL_MM = 1.3
_MARGIN_MM = 0.6
"""Half of what a bone's margin and a focal spot of 1 mm blur into."""

_FAT = 0.93 * WATER
_BREAST = 0.97 * WATER
"""Fat and gland, about half of each."""


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """A body's centre x, y, z and half axes in mm, and how far it leans to the left in the coronal plane, in radians."""

    centre: tuple[float, float, float]
    axes: tuple[float, float, float]
    lean: float = 0.0

    def chord(self, rays: Rays) -> Image:
        """Return rays' way through it in mm, H × W."""
        return ellipsoid(rays, self.centre, self.axes, self.lean)


@dataclass(frozen=True, eq=False)
class Breast:
    """A breast on the chest wall: round below, running out above.

    Parameters
    ----------
    centre
        x, y, z in mm.
    across, up, down
        Half its width, and how far it reaches, in mm.
    thick
        mm that rays pass at its middle.
    """

    centre: tuple[float, float, float]
    across: float
    up: float
    down: float
    thick: float

    def chord(self, rays: Rays) -> Image:
        """Return rays' way through it in mm, H × W."""
        x, z = plane(rays, self.centre[1])
        above = z - np.float32(self.centre[2])
        part = above / np.where(above > 0, np.float32(self.up), np.float32(self.down))
        square = ((x - np.float32(self.centre[0])) / np.float32(self.across)) ** 2 + part**2
        inside = np.maximum(1 - square, 0)
        # Steep below, where the fold is; nothing to be seen of where it begins above
        upper = np.clip(above / np.float32(self.up), 0, 1)
        return np.asarray(np.float32(self.thick) * inside ** (0.6 + 1.6 * upper), np.float32)


@dataclass(frozen=True, eq=False)
class Gas:
    """Gas in stomach or bowel, above a level of fluid where the patient stands: the level's z in mm."""

    body: Ellipsoid
    level: float

    def chord(self, rays: Rays) -> Image:
        """Return rays' way through it in mm, H × W."""
        _, z = plane(rays, self.body.centre[1])
        return np.asarray(self.body.chord(rays) / (1 + np.exp(np.clip((self.level - z) / 0.8, -20, 20))))


@dataclass(frozen=True, eq=False)
class Habitus:
    """A patient's body beyond the CT.

    Parameters
    ----------
    density
        Mineral of the bones, about 1 in young men.
    fat_mm
        Of what is under the skin, before and behind together, more than the CT's patient has.
    side_mm
        Half the trunk's width.
    middle, shoulder_z
        x of the midline and z of the joints of the shoulders in mm.
    shoulders, limbs, breasts, gases
        What is beside, on and in it.
    """

    density: float
    fat_mm: float
    side_mm: float
    middle: float
    depth: float
    shoulder_z: float
    shoulders: tuple[Shoulder, Shoulder]
    limbs: tuple[Ellipsoid, ...]
    breasts: tuple[Breast, ...]
    gases: tuple[Gas, ...]

    def clothe(self, chest: Image, rays: Rays) -> Image:
        """Return the line integrals of the whole patient, from those of the CT, both float32, H × W."""
        x, z = plane(rays, self.depth)
        aside = (x - np.float32(self.middle)) / np.float32(self.side_mm)
        round_ = np.sqrt(np.maximum(1 - aside**2, 0))
        # The trunk up to the armpits
        trunk = round_ * np.clip((np.float32(self.shoulder_z - 25) - z) / 70, 0, 1)
        soft = chest + np.float32(_FAT * self.fat_mm) * trunk
        # Flanks wider than the CT's; the lungs end before them
        flank = trunk * np.clip((np.abs(x - np.float32(self.middle)) - _FLANK_FROM_MM) / 14, 0, 1)
        soft = _joined(soft, np.float32(SOFT * 150) * flank)
        for limb in self.limbs:
            soft = _joined(soft, np.float32(SOFT) * limb.chord(rays))
        for breast in self.breasts:
            soft = soft + np.float32(_BREAST) * breast.chord(rays)
        if self.gases:
            # Loops lie side by side; their walls are soft
            gas = np.maximum.reduce([gas.chord(rays) for gas in self.gases])
            soft = soft - np.minimum(np.float32(SOFT) * blurred(gas, _WALL_MM / rays.pixel_mm), 0.7 * soft)
        bones = sum(shoulder.integral(rays, self.density) for shoulder in self.shoulders)
        return np.asarray(soft + blurred(np.asarray(bones), _MARGIN_MM / rays.pixel_mm), np.float32)


def _joined(one: Image, other: Image) -> Image:
    """Return the line integrals of two bodies that lie in one another: the longer way, with a soft seam."""
    return np.asarray(0.5 * (one + other + np.sqrt((one - other) ** 2 + 0.12 * one * other)), np.float32)


def draw_habitus(
    marks: Landmarks, random: np.random.Generator, *, is_pa: bool, sex: Sex, age: int
) -> Habitus:
    """Return a random body of that sex and age."""
    is_woman = sex == "Female"
    weight = float(np.clip(random.normal(0, 1), -1.8, 2.6))
    shoulders = tuple(draw_shoulder(marks, side, random, is_pa=is_pa) for side in (-1, 1))
    joints = [(float(one.joint[0]), float(one.joint[1]), float(one.joint[2])) for one in shoulders]
    limbs = [
        limb
        for joint, side in zip(joints, (-1, 1), strict=True)
        for limb in _limbs(joint, side, weight, random)
    ]
    return Habitus(
        density=mineral(sex, age) * float(random.normal(1, 0.08)),
        fat_mm=float(max(0.0, 14 + 20 * weight)),
        side_mm=float(152 + 14 * weight + random.normal(0, 5)),
        middle=marks.middle,
        depth=float((marks.low[1] + marks.high[1]) / 2),
        shoulder_z=float(np.mean([joint[2] for joint in joints])),
        shoulders=(shoulders[0], shoulders[1]),
        limbs=tuple(limbs),
        breasts=_breasts(marks, weight, age, random, is_pa=is_pa) if is_woman else (),
        gases=_gases(marks, random, is_upright=is_pa or random.random() < 0.4),
    )


def mineral(sex: Sex, age: int) -> float:
    """Return the bones' mineral, 1 at thirty in men: it is lost slowly, in women faster from the menopause on.

    Looker et al., *Lumbar spine and proximal femur bone mineral density*, NHANES 2005-08 (NCHS, 2012): some 10 % in men and
    25 % in women from their thirties to their eighties at the hip.
    """
    lost = 0.0025 * max(0, age - 30)
    if sex == "Female":
        return 0.95 - lost - 0.004 * max(0, age - 50)
    return 1.0 - lost


def _limbs(
    joint: tuple[float, float, float], side: int, weight: float, random: np.random.Generator
) -> tuple[Ellipsoid, ...]:
    """Return a shoulder's muscle and an upper arm."""
    x, y, z = joint
    thick = 44 + 5 * weight
    away = random.uniform(0.1, 0.35)
    return (
        Ellipsoid((x + side * 14, y + 4, z - 12), (1.25 * thick, 1.25 * thick, 1.5 * thick), side * 0.15),
        Ellipsoid((x - side * 26, y, z + 4), (74.0, 62.0, 40.0 + 3 * weight), side * 0.35),
        Ellipsoid(
            (x + side * (34 + 120 * np.sin(away)), y + 4, z - 125), (thick, thick, 175.0), -side * away
        ),
    )


def _breasts(
    marks: Landmarks, weight: float, age: int, random: np.random.Generator, *, is_pa: bool
) -> tuple[Breast, ...]:
    """Return both breasts; lying or with age they reach lower and to the sides."""
    size = float(np.clip(random.normal(1, 0.22) + 0.16 * weight, 0.5, 1.7))
    sag = 0.25 * max(0, age - 40) + (0 if is_pa else 8)
    height = float(np.mean([dome[2] for dome in marks.domes.values()])) + random.normal(24, 12) - sag
    apart = random.normal(84, 6) + (0 if is_pa else 8)
    return tuple(
        Breast(
            (marks.middle + side * apart, marks.front + 15, height + random.normal(0, 4)),
            across=58 * size**0.5 * random.uniform(0.95, 1.05),
            up=85 * size**0.5,
            down=52 * size**0.5,
            # Pressed against the detector
            thick=(26 if is_pa else 32) * size,
        )
        for side in (-1, 1)
    )


def _gases(marks: Landmarks, random: np.random.Generator, *, is_upright: bool) -> tuple[Gas, ...]:
    """Return the stomach's bubble, mostly, and sometimes gas in the bowel beneath the diaphragm."""
    gases = []
    x, y, z = marks.domes["left"]
    if random.random() < 0.75:
        wide, tall = random.uniform(18, 42), random.uniform(12, 30)
        centre = (x + random.normal(-14, 9), y + 25, z - tall - random.uniform(5, 14))
        level = centre[2] - tall * (random.uniform(-0.4, 0.7) if is_upright else 2)
        gases.append(
            Gas(Ellipsoid(centre, (wide, random.uniform(12, 30), tall), random.normal(0, 0.25)), level)
        )
    # Loops of the colon, their haustra side by side
    for side, share in ((1, 0.5), (-1, 0.06)):
        if random.random() < share:
            at = np.array(
                [marks.middle + side * random.uniform(62, 105), marks.front - 45, z - random.uniform(28, 60)]
            )
            for _ in range(int(random.integers(2, 6))):
                axes = random.uniform(8, 17, 3)
                gases.append(
                    Gas(
                        Ellipsoid((at[0], at[1], at[2]), (axes[0], axes[1], axes[2]), random.normal(0, 0.6)),
                        -1e3,
                    )
                )
                at = at + (random.normal(0, 12), 0, random.normal(-9, 8))
    return tuple(gases)
