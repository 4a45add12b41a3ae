"""What the findings need to know of the chest: its organs on every second voxel, distances, landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from shamsul_core.simulate.preparation import LUNG_LEFT, LUNG_RIGHT, LUNGS

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.ct import Ct

    Volume = npt.NDArray[np.float32]
    Region = npt.NDArray[np.bool_]

Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")
STEP = 2
_HEART, _VEINS, _TRACHEA, _OESOPHAGUS = 51, 53, 16, 15
_MEDIASTINUM = (51, 52, 54, 58, 62)


@dataclass(frozen=True, eq=False)
class Chest:
    """The CT's organs at every second slab, row and column: axes as in `Ct`.

    Parameters
    ----------
    labels
        uint8, K × Z × X: TotalSegmentator's number of the structure at each place, 0 for none.
    spacing
        mm between slabs, rows and columns.
    """

    labels: npt.NDArray[np.uint8]
    spacing: tuple[float, float, float]

    @classmethod
    def of(cls, ct: Ct) -> Chest:
        """Return the chest of a CT."""
        slab, row, column = (STEP * mm for mm in ct.spacing)
        return cls(np.ascontiguousarray(ct.labels[::STEP, ::STEP, ::STEP]), (slab, row, column))

    def region(self, *structures: int) -> Region:
        """Return where these structures are, by TotalSegmentator's numbers: bool, K × Z × X."""
        return np.asarray(np.isin(self.labels, structures))

    @cached_property
    def lungs(self) -> dict[Side, Region]:
        """Both lungs, their vessels among them."""
        return {
            side: _closed(self.region(*lobes), 2)
            for side, lobes in zip(SIDES, (LUNG_RIGHT, LUNG_LEFT), strict=True)
        }

    @cached_property
    def depth_in_lung(self) -> dict[Side, Volume]:
        """How many mm inside its lung a place is, 0 outside."""
        return {
            side: np.asarray(ndimage.distance_transform_edt(lung, self.spacing), np.float32)
            for side, lung in self.lungs.items()
        }

    @cached_property
    def heart(self) -> Region:
        """The heart with its chambers, without the roots of its vessels."""
        return _opened(_closed(self.region(_HEART), 2), 4)

    @cached_property
    def mediastinum(self) -> Region:
        """Heart and great vessels above the diaphragm."""
        region = self.region(*_MEDIASTINUM)
        lowest = np.argwhere(self.region(_HEART))[:, 1].min()
        region[:, :lowest] = False
        return _opened(_closed(region, 4), 3) | self.heart

    @cached_property
    def shadows(self) -> dict[Side, Region]:
        """Where each lung shows, Z × X."""
        return {side: np.asarray(lung.any(axis=0)) for side, lung in self.lungs.items()}

    @cached_property
    def domes(self) -> dict[Side, npt.NDArray[np.float64]]:
        """The height in mm in which the diaphragm shows on each column, X; lung behind it goes further down."""
        domes = {}
        for side, lung in self.lungs.items():
            # Both K × X
            filled = lung.any(axis=1)
            lowest = np.where(filled, lung.argmax(axis=1), -1)
            # Lung begins high where the heart or the front wall is below; the diaphragm is the middle's
            bulk = np.where(lung.sum(axis=1) >= 12, lowest, -1)
            heights = ndimage.median_filter(bulk.max(axis=0).astype(float), 7)
            domes[side] = np.where(filled.any(axis=0), (heights + 0.5) * self.spacing[1], np.inf)
        return domes

    def base(self, side: Side) -> float:
        """Return the height in mm of the diaphragm's dome, away from the heart."""
        heights = self.domes[side]
        finite = heights[np.isfinite(heights)]
        outer = finite[: 2 * len(finite) // 3] if side == "right" else finite[len(finite) // 3 :]
        return float(np.percentile(outer, 75))

    def visible(self, side: Side) -> Region:
        """Return what is not behind the diaphragm, 1 × Z × X."""
        height = (np.arange(self.labels.shape[1]) + 0.5)[None, :, None] * self.spacing[1]
        return np.asarray(height.astype(np.float32) >= self.domes[side][None, None] - 4)

    @cached_property
    def hila(self) -> dict[Side, npt.NDArray[np.float64]]:
        """Where vessels enter each lung, in mm: slab, row, column axes."""
        veins = np.argwhere(self.region(_VEINS))
        middle = veins[:, 2].mean()
        parts = {"right": veins[veins[:, 2] < middle - 8], "left": veins[veins[:, 2] > middle + 8]}
        outwards = {"right": -4.0, "left": 14.0}
        return {side: parts[side].mean(axis=0) * self.spacing + (0, 0, outwards[side]) for side in SIDES}

    def box(self, region: Region, margin: int = 2) -> tuple[slice, slice, slice]:
        """Return the box around a region, so many places wider on every side as far as the chest goes."""
        slices = ndimage.find_objects(region.astype(np.uint8))[0]
        first, second, third = (
            slice(max(0, part.start - margin), min(size, part.stop + margin))
            for part, size in zip(slices, region.shape, strict=True)
        )
        return first, second, third

    def grid(self, box: tuple[slice, slice, slice]) -> tuple[Volume, Volume, Volume]:
        """Return the coordinates in mm along each axis in a box, to be broadcast."""
        axes = [
            ((np.arange(part.start, part.stop) + 0.5) * step).astype(np.float32)
            for part, step in zip(box, self.spacing, strict=True)
        ]
        return axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]

    def course(self, structure: int) -> npt.NDArray[np.float64]:
        """Return the middle of a vessel or tube on each row it passes, from below, n × 3 in mm: x, y, z."""
        places = np.argwhere(self.region(structure))
        middles = [places[places[:, 1] == row].mean(axis=0) for row in np.unique(places[:, 1])]
        return self.millimetres(np.array(middles))

    def millimetres(self, places: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return points x, y, z in mm of places (slab, row, column)."""
        return ((np.asarray(places, np.float64) + 0.5) * self.spacing)[..., [2, 0, 1]]

    @cached_property
    def lobes(self) -> dict[int, Region]:
        """The five lobes by TotalSegmentator's number."""
        return {number: self.region(number) for number in LUNGS}


def _closed(region: Region, steps: int) -> Region:
    return np.asarray(ndimage.binary_closing(region, iterations=steps))


def _opened(region: Region, steps: int) -> Region:
    return np.asarray(ndimage.binary_opening(region, iterations=steps))
