"""What an expert would outline of a finding: where it begins to be seen, smooth, one region a lesion.

The basis is the difference of two pictures of the same patient, exposure and noise, with the finding and without. Of an
enlarged organ experts outline the whole of it, which is the projection of a region of the chest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy import ndimage

from shamsul_core.cohort.counterfactual import CHANGED_FROM

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.simulate.projection import Image

    Mask = npt.NDArray[np.bool_]

_EDGE_SHARE = 0.1
"""A reader draws the edge of a plain finding, not its faint foot: at this share of its strongest part."""

_SMOOTH_MM, _ROUND_MM = 2.0, 4.0
_SPECK_MM2, _HOLE_MM2 = 60.0, 400.0
_SMALL_SHARE = 0.08
_DEVICE_MARGIN_MM = 1.5
_GAP_MM = 1.6


def outlined(difference: Image, pixel_mm: float, *, lesions: int, is_denser: bool) -> Mask:
    """Return what an expert outlines of a finding.

    Parameters
    ----------
    difference
        Grey levels, H × W: the picture with the finding less the picture without.
    pixel_mm
        Side of a pixel at the detector.
    lesions
        At most so many regions are drawn, the largest.
    is_denser
        Whether it makes the picture brighter: processing darkens what surrounds a bright spot, which is not the finding.
    """
    shown = cv2.GaussianBlur(np.asarray(difference, np.float32), (0, 0), max(_SMOOTH_MM / pixel_mm, 0.3))
    shown = shown if is_denser else -shown
    strong = shown[shown > CHANGED_FROM]
    if not strong.size:
        return np.zeros(difference.shape, bool)
    return _drawn(
        shown > max(CHANGED_FROM, _EDGE_SHARE * float(np.percentile(strong, 98))), pixel_mm, lesions
    )


def outlined_organ(silhouette: Mask, pixel_mm: float) -> Mask:
    """Return what an expert outlines of an organ whose shadow this is."""
    return _drawn(silhouette, pixel_mm, 1)


def outlined_devices(silhouette: Mask, pixel_mm: float) -> Mask:
    """Return the bands that an expert draws along lines and tubes, a few mm wide, without specks."""
    # None where a pixel is wider than it
    margin = int(_DEVICE_MARGIN_MM / pixel_mm)
    band = cv2.dilate(silhouette.astype(np.uint8), _disc(margin)) > 0
    return _largest(_filled(band, 10 / pixel_mm**2), 10 / pixel_mm**2, None)


def seen(difference: Image, pixel_mm: float) -> Mask:
    """Return where a thin thing is seen or goes on for a little while: what the belly or the spine hides nobody draws.

    Parameters
    ----------
    difference
        Grey levels, H × W: the picture with it less the picture without.
    pixel_mm
        Side of a pixel at the detector.
    """
    shown = np.abs(cv2.GaussianBlur(np.asarray(difference, np.float32), (0, 0), 1.0)) > CHANGED_FROM
    return cv2.dilate(shown.astype(np.uint8), _disc(max(1, round(_GAP_MM / pixel_mm)))) > 0


def _drawn(region: Mask, pixel_mm: float, lesions: int) -> Mask:
    """Return a region as a hand draws it: gaps closed, corners round, specks and small holes gone."""
    radius = max(1, round(_ROUND_MM / pixel_mm))
    closed = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, _disc(radius))
    rounded = cv2.GaussianBlur(closed.astype(np.float32), (0, 0), 0.6 * radius + 0.3) > 0.5
    filled = _filled(np.asarray(rounded), _HOLE_MM2 / pixel_mm**2)
    return _largest(filled, _SPECK_MM2 / pixel_mm**2, lesions)


def _largest(mask: Mask, at_least_px: float, most: int | None) -> Mask:
    """Return the largest regions of a mask; those that are much smaller than the first, or specks, are left out."""
    numbers, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return mask
    areas = np.bincount(numbers.ravel())[1:]
    order = np.argsort(-areas, kind="stable")[:most]
    least = max(at_least_px, _SMALL_SHARE * areas.max() if most is not None else 0)
    kept = [number + 1 for number in order if areas[number] >= least] or [int(order[0]) + 1]
    return np.isin(numbers, kept)


def _filled(mask: Mask, largest_px: float) -> Mask:
    """Return a mask without the holes up to this size."""
    numbers, count = ndimage.label(~mask)
    areas = np.bincount(numbers.ravel(), minlength=count + 1)
    is_hole = areas <= largest_px
    is_hole[0] = False
    return np.asarray(mask | is_hole[numbers])


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2), np.uint8)
