"""Where the organs stand in the chest, for what is placed and deformed by them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.simulate.chest import SIDES, Side

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest

    Point = npt.NDArray[np.float64]

_AORTA = 52
# Liver, and spleen and stomach: what the diaphragm's halves lie on
_UNDER: dict[Side, tuple[int, ...]] = {"right": (5,), "left": (1, 6)}
_DIAPHRAGM_MM = 5.0


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Points and planes of the chest in mm: x from the patient's right, y from the back, z from the feet.

    Parameters
    ----------
    low, high
        float64, 3: corners of the box around both lungs.
    middle, apex
        x of the midline; z of the apices, the mean of both.
    apices
        x, y, z of each lung's apex, right and left.
    domes
        x, y, z of the middle of each half of the diaphragm.
    heart
        float64, 2 × 3: corners of the box around the heart.
    arch
        x, y, z of the aortic arch's left end, the knob.
    """

    low: Point
    high: Point
    middle: float
    apex: float
    apices: dict[Side, Point]
    domes: dict[Side, Point]
    heart: Point
    arch: Point

    @property
    def back(self) -> float:
        """Y of the lungs' back."""
        return float(self.low[1])

    @property
    def front(self) -> float:
        """Y of the lungs' front."""
        return float(self.high[1])


@lru_cache(maxsize=2)
def landmarks(chest: Chest) -> Landmarks:
    """Return the landmarks of a chest."""
    lungs = {side: chest.millimetres(np.argwhere(chest.lungs[side])) for side in SIDES}
    both = np.concatenate([*lungs.values()])
    heart = chest.millimetres(np.argwhere(chest.heart))
    aorta = chest.millimetres(np.argwhere(chest.region(_AORTA)))
    high = aorta[aorta[:, 2] > aorta[:, 2].max() - 25]
    middle = (lungs["right"][:, 0].max() + lungs["left"][:, 0].min()) / 2
    return Landmarks(
        both.min(axis=0),
        both.max(axis=0),
        float(middle),
        float(np.mean([points[:, 2].max() for points in lungs.values()])),
        {side: _apex(points) for side, points in lungs.items()},
        {side: _dome(chest, side) for side in SIDES},
        np.array([heart.min(axis=0), heart.max(axis=0)]),
        high[high[:, 0].argmax()],
    )


def _apex(lung: Point) -> Point:
    return np.asarray(lung[lung[:, 2] > lung[:, 2].max() - 25].mean(axis=0))


def _dome(chest: Chest, side: Side) -> Point:
    """Return the middle of the highest two centimetres of what is under a half of the diaphragm, at their top."""
    under = chest.millimetres(np.argwhere(chest.region(*_UNDER[side])))
    top = under[:, 2].max()
    x, y, _ = under[under[:, 2] > top - 20].mean(axis=0)
    return np.array([x, y, top + _DIAPHRAGM_MM])
