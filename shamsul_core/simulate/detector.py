"""From line integrals to the grey picture: scatter, blur, noise, response, window, marker.

What a finding changes must stay where it is: scatter and window are those of the chest without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[np.floating]

_SCATTER_MM = 25.0
_SCATTER_FOLLOWS = 0.6
_SCREEN_MM = 12.0
_EDGE_MM = 1.6
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
    detail, edges
        Strength of the unsharp masks, a wide and a narrow one.
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
    detail: float
    edges: float
    marker: str
    marker_at: tuple[float, float]
    projection: str
    seed: int


def draw_exposure(random: np.random.Generator, *, is_pa: bool) -> Exposure:
    """Return a random exposure; portable ones scatter more."""
    marker = str(random.choice(_MARKERS))
    column = random.uniform(0.02, 0.05) if marker == "R" else random.uniform(0.9, 0.93)
    return Exposure(
        photons=float(random.uniform(1.5e5, 4e5)),
        scatter=float(random.uniform(0.3, 0.6) if is_pa else random.uniform(0.5, 0.9)),
        blur_mm=float(random.uniform(0.15, 0.3)),
        contrast=float(random.uniform(0.9, 1.15)),
        brightness=float(random.normal(0.0, 0.035)),
        detail=float(random.uniform(0.5, 0.9)),
        edges=float(random.uniform(0.9, 1.6)),
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
    scattered = exposure.scatter * _blurred(clean, _SCATTER_MM / pixel_mm)
    # What a finding takes from the straight radiation it takes from the scattered, too, which comes from around it
    around = scattered * (straight / clean) ** _SCATTER_FOLLOWS
    arrived = _blurred(straight, exposure.blur_mm / pixel_mm) + around
    noise = np.random.default_rng(exposure.seed).standard_normal(diseased.shape, np.float32)
    noise = _blurred(noise, 0.5)
    relative = noise / np.sqrt(exposure.photons * pixel_mm**2 * arrived)
    film = -np.log(np.maximum(arrived, 1e-5)) + relative
    plain = -np.log(clean + scattered)
    film = film + exposure.detail * (film - _blurred(film, _SCREEN_MM / pixel_mm))
    film = film + exposure.edges * (film - _blurred(film, _EDGE_MM / pixel_mm))
    low, high = np.percentile(plain[::4, ::4], [2, 98])
    # From the lungs' dark grey to the light grey of the belly and the spine
    share = (film - low) / (high - low)
    curve = 1 / (1 + np.exp(-4.2 * exposure.contrast * (share - 0.55 - exposure.brightness)))
    bottom, top = (1 / (1 + np.exp(-4.2 * exposure.contrast * (end - 0.55))) for end in (-0.08, 1.12))
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


def _blurred(image: Image, sigma: float) -> Image:
    """Return an image smoothed with a Gaussian of so many pixels; a wide one on a smaller copy."""
    if sigma < 0.1:
        return image
    shrink = int(sigma // 4)
    if shrink < 2:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
    height, width = image.shape
    small = cv2.resize(image, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
