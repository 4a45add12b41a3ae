"""What experts marked of one pathology on other patients' radiographs: where it usually lies, and how a mask fares there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.cohort.annotation import OUTLINED
from shamsul_core.cohort.patients import patient_of
from shamsul_core.imaging.boxes import fill_boxes
from shamsul_core.localisation.baselines import GRID_PX, on_grid
from shamsul_core.localisation.boxes import best_of_each, boxes_around, iou_of_boxes

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.heatmap import FloatArray
    from shamsul_core.imaging.boxes import BoxArray
    from shamsul_core.localisation.scoring import Truth
    from shamsul_core.localisation.segmentation import Mask

FINE_PX = 512
"""Rows and columns on which masks are held against others' marks, whatever the shape of their radiographs."""

_MOST_OTHERS = 100
"""So many others, drawn by lot, are enough for a mean: 36,096 boxes of VinDr-CXR would make a billion pairs."""


@dataclass(frozen=True, eq=False)
class _Mark:
    """What experts marked on one radiograph, on the fine grid: as bits, or as boxes."""

    patient: str
    bits: npt.NDArray[np.uint8] | None
    boxes: BoxArray

    def filled(self) -> Mask:
        if self.bits is not None:
            return np.unpackbits(self.bits).reshape(FINE_PX, FINE_PX).astype(bool)
        return np.asarray(fill_boxes(self.boxes, (FINE_PX, FINE_PX)))


@dataclass(frozen=True, eq=False)
class MarksOfOthers:
    """The marks of one pathology over a cohort, by radiograph, and their sum on the baselines' grid."""

    _marks: dict[str, _Mark] = field(default_factory=dict)
    _total: FloatArray = field(default_factory=lambda: np.zeros((GRID_PX, GRID_PX), np.float32))

    def add(self, image_id: str, truth: Truth) -> None:
        """Take what experts marked on a radiograph, of several the union; nothing marked is left out."""
        if not truth.mask.any():
            return
        height, width = truth.mask.shape
        bits = None
        if truth.kind in OUTLINED or not len(truth.boxes):
            bits = np.packbits(fine(truth.mask))
        scale = np.array([FINE_PX / width, FINE_PX / height] * 2)
        mark = _Mark(patient_of(image_id), bits, truth.boxes * scale)
        self._marks[image_id] = mark
        np.add(self._total, _coarse(mark), out=self._total)

    def location(self, image_id: str) -> FloatArray | None:
        """Return the mean of other patients' marks, float32, 0..1, on the baselines' grid; ``None`` where there are none."""
        patient = patient_of(image_id)
        own = [mark for mark in self._marks.values() if mark.patient == patient]
        count = len(self._marks) - len(own)
        if not count:
            return None
        others = self._total - sum((_coarse(mark) for mark in own), np.float32(0))
        return np.asarray(np.maximum(others, 0) / count, np.float32)

    def others_of(self, image_id: str, random: np.random.Generator) -> Others:
        """Return what other patients have marked, to hold masks against; `random` draws from many."""
        patient = patient_of(image_id)
        others = [mark for mark in self._marks.values() if mark.patient != patient]
        if len(others) > _MOST_OTHERS:
            others = [others[at] for at in random.choice(len(others), _MOST_OTHERS, replace=False)]
        return Others(others)


@dataclass(frozen=True, eq=False)
class Others:
    """Other patients' marks of one pathology, which a patient's masks are held against."""

    _marks: list[_Mark]

    def scores(self, mask: Mask, place: tuple[float, float] | None) -> dict[str, float]:
        """Return how a mask and its map's maximum fare against these marks, as columns of the yardsticks.

        Parameters
        ----------
        mask
            bool, on the fine grid.
        place
            Row and column of the map's maximum as fractions of the radiograph; ``None`` of a map without one.

        Returns
        -------
        dict
            ``others``, ``iou_elsewhere`` (of bounding boxes where these were marked) and ``hit_elsewhere``; NaN where there
            are no others, or the mask is empty.
        """
        row = {
            "others": float(len(self._marks)),
            "iou_elsewhere": float("nan"),
            "hit_elsewhere": float("nan"),
        }
        if not self._marks:
            return row
        if mask.any():
            row["iou_elsewhere"] = float(np.mean(_overlaps(mask, self._marks)))
        if place is not None:
            at = tuple(min(int(share * FINE_PX), FINE_PX - 1) for share in place)
            row["hit_elsewhere"] = float(np.mean([_holds(mark, *at) for mark in self._marks]))
        return row


def fine(mask: Mask) -> Mask:
    """Return a mask H × W on the fine grid: what fills half of a place and more."""
    small = cv2.resize(mask.astype(np.float32), (FINE_PX, FINE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small >= 0.5)


def _coarse(mark: _Mark) -> FloatArray:
    return on_grid(mark.filled())


def _overlaps(mask: Mask, others: list[_Mark]) -> list[float]:
    bits, area = np.packbits(mask), np.count_nonzero(mask)
    boxes = boxes_around(mask) if any(mark.bits is None for mark in others) else None
    ious = []
    for mark in others:
        if mark.bits is None:
            ious.append(float(best_of_each(iou_of_boxes(boxes, mark.boxes)).mean()))  # type: ignore[arg-type]
            continue
        both = int(np.bitwise_count(bits & mark.bits).sum())
        ious.append(both / (area + int(np.bitwise_count(mark.bits).sum()) - both))
    return ious


def _holds(mark: _Mark, row: int, column: int) -> bool:
    if mark.bits is None:
        x0, y0, x1, y1 = mark.boxes.T
        return bool(((x0 <= column) & (column < x1) & (y0 <= row) & (row < y1)).any())
    at = row * FINE_PX + column
    return bool(mark.bits[at // 8] >> (7 - at % 8) & 1)
