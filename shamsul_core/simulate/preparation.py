"""From the scan to the chest that radiographs are made of: what stands in a radiograph's way is taken out of it.

A CT is taken lying, with the arms above the head and contrast medium in the veins; a radiograph mostly upright, with the
arms at the sides and without. The bones of the shoulders and the gas of stomach and bowel, which differ from patient to
patient, are taken out and drawn anew for each of them, see `shoulders` and `abdomen`; the neck, where the scan ends, goes on.

Arrays are X × Y × Z from the right, the back and the feet until `prepared` turns them into coronal slabs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    import numpy.typing as npt

    Volume = npt.NDArray[np.float32]
    Labels = npt.NDArray[np.uint8]
    Region = npt.NDArray[np.bool_]

WATER = 0.0195
"""Attenuation of water per mm at the beam's effective energy, about 65 keV."""

BONE_FROM = 1.13 * WATER
"""Attenuation per mm from which a voxel is bone: more than soft tissue has without contrast medium."""

LUNG_LEFT, LUNG_RIGHT = (10, 11), (12, 13, 14)
LUNGS = (*LUNG_LEFT, *LUNG_RIGHT)
_BONES = (*range(25, 51), *range(69, 79), *range(92, 119))
_SHOULDERS = (*range(69, 75),)
_VERTEBRAE = (*range(25, 49),)
_TRACHEA = 16
_FIRST_RIGHT_RIB = 104
# Hounsfield units: no soft tissue is denser without contrast medium
_CONTRAST_FROM = 60
_SOFT, _FAT = 35, -30
_GAS_BELOW = -250
_BONE_FROM, _RIB = 130, 260
_HIGHEST = 1100
# Beside labelled bone: contrast medium on its way through the veins of the shoulder
_VEIN_FROM = 400
# Slices of 2.5 mm are sharpened across by so much of their second difference: about their own profile's loss
_SHARPENED = 0.35
# Rows of 1.25 mm that the volume goes on below and above the scan
BELOW, ABOVE = 40, 56
_NECK_MM = 58.0
_TRAPEZIUS_MM, _DEEPEST_MM = 95.0, 145.0


def prepared(
    hounsfield: Volume, labels: Labels, spacing: tuple[float, ...]
) -> tuple[npt.NDArray[np.float16], Labels, tuple[float, float, float]]:
    """Return the body's attenuation per mm in coronal slabs, K × Z × X, the labels and mm between slabs, rows, columns.

    Parameters
    ----------
    hounsfield, labels
        X × Y × Z: the scan, and TotalSegmentator's structures.
    spacing
        mm along X, Y and Z.
    """
    body = _body(hounsfield)
    labelled = np.isin(labels, _BONES)
    # A vein full of contrast medium lies on the first right rib
    stained = ndimage.binary_dilation(labels == _FIRST_RIGHT_RIB, iterations=4)
    hounsfield = np.where(stained, np.minimum(hounsfield, _RIB), hounsfield)
    bone = labelled | (ndimage.binary_dilation(labelled, iterations=2) & (hounsfield < _VEIN_FROM))
    units = np.where(body, np.clip(hounsfield, -1000, _HIGHEST), -1000)
    units = np.where(bone, units, np.minimum(units, _CONTRAST_FROM))
    # Undiluted contrast medium streaks across the shoulder
    streaks = ndimage.binary_dilation((hounsfield > _VEIN_FROM) & body & ~bone, iterations=3) & ~bone
    units = np.where(streaks & (units > _FAT), _FAT, units)
    units = np.where(_arms_up(labels) & (units > _SOFT), _SOFT, units)
    units = np.where(_gas(hounsfield, labels, body), _SOFT, units)
    # Bone attenuates more at these energies than its Hounsfield units, measured at higher ones, say
    relative = 1 + units / 1000 + 0.8 * np.maximum(units - _BONE_FROM, 0) / 1000
    slabs = _in_slabs(relative.astype(np.float32) * np.float32(WATER), axis=1)
    second = ndimage.convolve1d(slabs, [1, -2, 1], axis=2, mode="nearest")
    # Rows from 2.5 to 1.25 mm, cubic, so that the slices do not show
    lines = (slabs - _SHARPENED * second).reshape(
        -1, slabs.shape[2]
    )  # along two axes a quarter of the work of three
    finer = ndimage.zoom(lines, (1, 2), order=3, mode="nearest", grid_mode=True)
    finer = finer.reshape(*slabs.shape[:2], -1)
    order = (1, 2, 0)
    attenuation = np.ascontiguousarray(np.maximum(finer, 0).transpose(order))
    seen = np.ascontiguousarray(np.repeat(labels[:, ::2], 2, axis=2).transpose(order))
    step = (2 * spacing[1], spacing[2] / 2, spacing[0])
    # Slabs behind and before the body are empty
    first, last = np.flatnonzero(attenuation.max(axis=(1, 2)) > 0.5 * WATER)[[0, -1]]
    first -= first % 2
    attenuation, seen = attenuation[first : last + 1], seen[first : last + 1]
    longer = np.concatenate([attenuation[:, BELOW - 1 :: -1], attenuation, _neck(attenuation, seen)], axis=1)
    return (
        _shoulders_down(longer, step).astype(np.float16),
        np.pad(seen, ((0, 0), (BELOW, ABOVE), (0, 0))),
        step,
    )


def _arms_up(labels: Labels) -> Region:
    """Return where the bones of the raised shoulders are, and what they blur into."""
    return np.asarray(ndimage.binary_dilation(np.isin(labels, _SHOULDERS), iterations=3))


def _gas(hounsfield: Volume, labels: Labels, body: Region) -> Region:
    """Return where gas is in stomach and bowel: air below the lungs' bases that is in neither lung nor airway."""
    lungs = np.isin(labels, LUNGS)
    lungs |= ndimage.binary_dilation(lungs, iterations=4) | (labels == _TRACHEA)
    # Over each place, whether lung is above it: air over the domes belongs to it
    under = np.flip(np.maximum.accumulate(np.flip(lungs, axis=2), axis=2), axis=2)
    gas = body & (hounsfield < _GAS_BELOW) & under & ~lungs
    gas[..., hounsfield.shape[2] // 2 :] = False
    return np.asarray(ndimage.binary_dilation(gas, iterations=2) & (hounsfield < _SOFT))


def _neck(attenuation: Volume, labels: Labels) -> Volume:
    """Return the rows above the scan, K × ABOVE × X: its last row with the vertebrae below it, mirrored, and the windpipe."""
    top = attenuation[:, -1]
    body = ndimage.binary_fill_holes(top > 0.5 * WATER)
    holes, _ = ndimage.label(ndimage.binary_opening(body & (top < 0.4 * WATER), iterations=2))
    windpipe = holes == np.bincount(holes.ravel())[1:].argmax() + 1
    filled = np.where(body & (top < 0.5 * WATER), WATER, top)
    rows = []
    for index in range(ABOVE):
        spine = ndimage.binary_dilation(np.isin(labels[:, -1 - index], _VERTEBRAE), iterations=2)
        soft = ndimage.gaussian_filter(filled, 0.6 * index)
        row = np.where(spine, np.maximum(attenuation[:, -1 - index], WATER), soft)
        rows.append(np.where(windpipe, 0, row))
    return np.asarray(np.stack(rows, axis=1), np.float32)


def _shoulders_down(volume: Volume, step: tuple[float, float, float]) -> Volume:
    """Return the volume with nothing above a neck and the shoulders' slope to both sides of it.

    The trapezius is thick below and thins out towards its upper edge, as the side of an ellipse does.
    """
    slabs, rows, columns = ((np.arange(side) + 0.5) * mm for side, mm in zip(volume.shape, step, strict=True))
    body = np.argwhere(volume[:, -ABOVE] > 0.5 * WATER) * (step[0], step[2])
    middle_y, middle_x = (body.min(axis=0) + body.max(axis=0)) / 2
    aside = np.abs(columns - middle_x)
    out = np.maximum(aside - _NECK_MM, 0)
    edge = rows[-ABOVE] + 30 - 0.28 * out - 15 * (1 - np.exp(-out / 15))
    edge += 220 * np.maximum(1 - (aside / _NECK_MM) ** 2, 0)
    below = np.clip((edge[None] - rows[:, None]) / _TRAPEZIUS_MM, 0, 1)
    half = _DEEPEST_MM * np.sqrt(1 - (1 - below) ** 2)
    inside = (half[None] - np.abs(slabs - middle_y)[:, None, None]) / step[0] + 0.5
    return np.asarray(volume * np.clip(inside, 0, 1), np.float32)


def _in_slabs(volume: Volume, axis: int) -> Volume:
    """Return the mean of every two neighbours along an axis of even length."""
    even, odd = (volume.take(range(start, volume.shape[axis], 2), axis) for start in (0, 1))
    return np.asarray((even + odd) / 2, np.float32)


def _body(hounsfield: Volume) -> Region:
    """Return the patient with the air inside: the largest thing in the volume, slice by slice without holes."""
    dense = ndimage.binary_opening(hounsfield > -400, iterations=2)
    parts, _ = ndimage.label(dense)
    largest = np.bincount(parts.ravel())[1:].argmax() + 1
    body = ndimage.binary_dilation(parts == largest, iterations=2)
    for index in range(body.shape[2]):
        body[..., index] = ndimage.binary_fill_holes(body[..., index])
    return np.asarray(body)
