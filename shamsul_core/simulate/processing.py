"""What a digital system does to the film before it is shown: latitude compressed, detail enhanced, band by band.

As in multi-frequency processing (Vuylsteke and Schoeters, *Multiscale image contrast amplification (MUSICA)*, SPIE 2167,
1994; Stahl et al., *Digital radiography: enhancement by multi-frequency processing*, Eur. Radiol. 10, 2000) the film is
taken apart into bands of Gaussians and each is amplified less, the stronger it is already, so that faint vessels gain
more than the edge of the heart, which would get a halo.

What a finding changes must stay where it is. So only narrow bands are those of the picture with the findings; what wide
ones gain is taken from the chest without them, and is the same with a finding as without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[np.floating]

_NARROW_MM = (0.35, 0.7, 1.4, 2.8)
"""Standard deviations between which narrow bands lie; what is finer than the first is left as it is."""

_WIDE_MM = (2.8, 7.0, 16.0, 36.0)
# Film densities (natural logarithm) that a band's amplitude is weighed against
_AMPLITUDE = 0.06
_WIDE_AMPLITUDE = 0.5
# Over which what is dense is told
_CALM_MM = 6.0


@dataclass(frozen=True, kw_only=True)
class Processing:
    """How strongly a system processes.

    Parameters
    ----------
    latitude
        0..1: what is left of differences wider than some cm, and so of the film's range.
    detail
        By how much each narrow band is amplified where it is faint, the finest first.
    structure
        By how much wide bands (ribs, heart, diaphragm) are amplified where they are faint.
    compression
        0..1: how much less a strong band is amplified; 0 amplifies all alike.
    dense
        0..1: share of the amplification that is left where most is absorbed, and the film is mostly noise.
    """

    latitude: float
    detail: tuple[float, float, float]
    structure: float
    compression: float
    dense: float


def draw_processing(random: np.random.Generator) -> Processing:
    """Return a random system's processing."""
    finest = random.uniform(2.4, 3.4)
    return Processing(
        latitude=float(random.uniform(0.5, 0.8)),
        detail=(float(finest), float(finest * random.uniform(1.1, 1.35)), float(random.uniform(1.2, 1.7))),
        structure=float(random.uniform(1.0, 1.4)),
        compression=float(random.uniform(0.15, 0.4)),
        dense=float(random.uniform(0.35, 0.6)),
    )


def process(film: Image, healthy: Image, processing: Processing, pixel_mm: float) -> tuple[Image, Image]:
    """Return film and healthy film after processing, float32, H × W, in densities.

    Parameters
    ----------
    film, healthy
        float32, H × W: logarithm of what the detector absorbed less, with findings and noise, and without either.
    pixel_mm
        Side of a pixel at the detector.
    """
    wide = processing.latitude * healthy
    level = healthy
    calm = _calm(healthy, processing, pixel_mm)
    for sigma in _WIDE_MM[::-1]:
        smooth = blurred(healthy, sigma / pixel_mm)
        if level is not healthy:
            band = smooth - level
            wide = wide + _gain(band, processing.structure, _WIDE_AMPLITUDE, processing) * calm * band
            wide = wide - processing.latitude * band
        level = smooth
    # A finding is as conspicuous as the organs, and fluid no whiter than the belly
    pass_on = np.sqrt(processing.latitude) * (film - healthy)
    return (
        _detailed(film, wide + pass_on, calm, processing, pixel_mm),
        _detailed(healthy, wide, calm, processing, pixel_mm),
    )


def _calm(healthy: Image, processing: Processing, pixel_mm: float) -> Image:
    """Return which share of the amplification is left at each place: all in the lungs, least behind spine and liver."""
    level = blurred(healthy, _CALM_MM / pixel_mm)
    thin, thick = np.percentile(level[::4, ::4], [35, 90])
    share = np.clip((level - thin) / max(thick - thin, 1e-3), 0, 1)
    return np.asarray(1 - (1 - processing.dense) * share, np.float32)


def _detailed(film: Image, base: Image, calm: Image, processing: Processing, pixel_mm: float) -> Image:
    """Return a film whose narrow bands are amplified, on a base that has them at the latitude's scale."""
    total = base
    finer = film
    for sigma, gain in zip(_NARROW_MM, (processing.detail[0], *processing.detail), strict=True):
        smooth = blurred(film, sigma / pixel_mm)
        band = finer - smooth
        total = total + (_gain(band, gain, _AMPLITUDE, processing) * calm - processing.latitude) * band
        finer = smooth
    return np.asarray(total, np.float32)


def _gain(band: Image, faint: float, amplitude: float, processing: Processing) -> Image:
    """Return a band's amplification: `faint` where there is little of it, falling with a power of its amplitude."""
    power = np.float32(-0.5 * processing.compression)
    return np.asarray(np.float32(faint) * (1 + (band / np.float32(amplitude)) ** 2) ** power, np.float32)


def blurred(image: Image, sigma: float) -> Image:
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
