"""From line integrals to the grey picture: scatter, blur, noise, response, processing, window, marker.

What a finding changes must stay where it is: scatter and window are those of the chest without it, and so is what the
processing does over more than some mm, see `processing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.simulate.processing import Processing, blurred, draw_processing, process

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[np.floating]

_SCATTER_MM = 25.0
_SCATTER_FOLLOWS = 0.6
_BODY_FROM = 0.4
"""Line integral from which there is a body: 20 mm of soft tissue."""

# Of the display's curve, in shares of the window: its slope, its middle, and where black and white are
_STEEP, _MIDDLE, _ENDS = 3.4, 0.5, (-0.16, 1.14)
_MARKERS = ("L", "R")


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """How the picture was taken and processed.

    Parameters
    ----------
    photons
        How many arrive in a pixel of 1 mm² behind nothing.
    scatter
        Scattered radiation over what came straight, behind a thick chest.
    blur_mm
        Standard deviation of the detector's point spread function.
    contrast, brightness
        Of the display: the steepness of its curve, and the shade of the middle.
    processing
        What the system does to the film before that.
    marker
        ``"L"`` or ``"R"``, on that side of the patient, and where: row and column as shares of the picture.
    projection
        Written beside the marker, or nothing.
    seed
        The same seed gives the same noise.
    """

    photons: float
    scatter: float
    blur_mm: float
    contrast: float
    brightness: float
    processing: Processing
    marker: str
    marker_at: tuple[float, float]
    projection: str
    seed: int


def draw_exposure(random: np.random.Generator, *, is_pa: bool) -> Exposure:
    """Return a random exposure; portable ones scatter more."""
    marker = str(random.choice(_MARKERS))
    column = random.uniform(0.02, 0.05) if marker == "R" else random.uniform(0.9, 0.93)
    return Exposure(
        photons=float(random.uniform(3e5, 7e5)),
        scatter=float(random.uniform(0.3, 0.6) if is_pa else random.uniform(0.5, 0.9)),
        blur_mm=float(random.uniform(0.22, 0.38)),
        contrast=float(random.uniform(0.9, 1.15)),
        brightness=float(random.normal(0.0, 0.035)),
        processing=draw_processing(random),
        marker=marker,
        marker_at=(float(random.uniform(0.06, 0.14)), float(column)),
        projection="" if is_pa or random.random() < 0.4 else str(random.choice(["AP", "PORT", "AP PORT"])),
        seed=int(random.integers(2**31)),
    )


def expose(healthy: Image, diseased: Image, exposure: Exposure, pixel_mm: float) -> npt.NDArray[np.uint8]:
    """Return the picture, uint8, H × W, bright where much is absorbed.

    Parameters
    ----------
    healthy, diseased
        float32, H × W: line integrals without and with the findings.
    pixel_mm
        Side of a pixel at the detector in mm.
    """
    straight, clean = np.exp(-diseased), np.exp(-healthy)
    scattered = exposure.scatter * blurred(clean, _SCATTER_MM / pixel_mm)
    # What a finding takes from the straight radiation it takes from the scattered, too, which comes from around it
    around = scattered * (straight / clean) ** _SCATTER_FOLLOWS
    arrived = blurred(straight, exposure.blur_mm / pixel_mm) + around
    noise = np.random.default_rng(exposure.seed).standard_normal(diseased.shape, np.float32)
    noise = blurred(noise, 0.5)
    relative = noise / np.sqrt(exposure.photons * pixel_mm**2 * arrived)
    film: Image = -np.log(np.maximum(arrived, 1e-5)) + relative
    film, plain = process(film, np.asarray(-np.log(clean + scattered)), exposure.processing, pixel_mm)
    low, high = np.percentile(plain[::4, ::4][healthy[::4, ::4] > _BODY_FROM], [3, 97])
    # From the lungs' dark grey to the light grey of the belly and the spine
    share = (film - low) / (high - low)
    steep = _STEEP * exposure.contrast
    curve = 1 / (1 + np.exp(-steep * (share - _MIDDLE - exposure.brightness)))
    bottom, top = (1 / (1 + np.exp(-steep * (end - _MIDDLE))) for end in _ENDS)
    picture = np.clip((curve - bottom) / (top - bottom), 0, 1)
    return _marked(np.asarray(np.rint(255 * picture), np.uint8), exposure)


def _marked(picture: npt.NDArray[np.uint8], exposure: Exposure) -> npt.NDArray[np.uint8]:
    """Put the lead letter, and what is written beside it, into the picture."""
    height, width = picture.shape
    scale = height / 512
    row, column = (int(share * side) for share, side in zip(exposure.marker_at, picture.shape, strict=True))
    aside = np.zeros_like(picture)
    thick = max(1, round(2 * scale))
    cv2.putText(
        aside, exposure.marker, (column, row), cv2.FONT_HERSHEY_DUPLEX, 0.8 * scale, 255, thick, cv2.LINE_AA
    )
    if exposure.projection:
        (wide, _), _ = cv2.getTextSize(exposure.projection, cv2.FONT_HERSHEY_SIMPLEX, 0.4 * scale, 1)
        left = min(max(2, column - wide // 3), width - wide - 2)
        cv2.putText(
            aside, exposure.projection, (left, row + int(18 * scale)), cv2.FONT_HERSHEY_SIMPLEX, 0.4 * scale, 235,
            max(1, round(scale)), cv2.LINE_AA,
        )  # fmt: skip
    return np.maximum(picture, aside)
