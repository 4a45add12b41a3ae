"""What is put into the chest's volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shamsul_core.simulate.preparation import WATER

if TYPE_CHECKING:
    from shamsul_core.simulate.chest import Region, Volume

Box = tuple[slice, slice, slice]
SOFT = 1.04 * WATER
"""Attenuation of soft tissue per mm."""


@dataclass(frozen=True, eq=False)
class Finding:
    """Something put into the chest's volume.

    Parameters
    ----------
    box
        Where it is, in the chest's slabs, rows and columns.
    weight
        float32, 0..1, the shape of the box.
    attenuation
        Per mm: of what replaces the tissue.
    is_added
        Whether `attenuation` is added to the tissue rather than put in its place.
    lesions
        How many separate things it is; 0 of what goes with another finding and is not outlined for itself.
    organ
        bool, the shape of the box: the enlarged organ whose whole shadow experts outline, not only what changed of it.
    """

    box: Box
    weight: Volume
    attenuation: float
    is_added: bool = False
    lesions: int = 1
    organ: Region | None = None
