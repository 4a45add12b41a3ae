"""Colours of relevance: blue speaks against, orange towards, and zero is transparent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

AGAINST = ((20, 66, 176), (84, 170, 255))
TOWARDS = ((150, 52, 0), (255, 146, 30))
"""sRGB at the faintest and at the strongest relevance. The pair differs in blue and yellow, which colour-blind readers
tell apart, and both sides grow lighter by the same amount, so that neither looks the stronger."""

_FADE = 0.7
"""Exponent of the opacity: below 1 so that half the greatest relevance is still plain over a bright heart."""

# Björn Ottosson's OKLab (2020), in which equal steps look equal.
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def relevance_colours() -> npt.NDArray[np.uint8]:
    """Return the colour of each step of relevance.

    Returns
    -------
    ndarray
        uint8, 255 × 4 (red, green, blue, opacity); row ``q + 127`` is the colour of the relevance ``q / 127`` of the
        greatest one. Colours run evenly in OKLab; opacity is 0 at zero relevance and grows with its size.
    """
    strength = np.arange(1, 128) / 127
    against, towards = (_between(*ends, strength) for ends in (AGAINST, TOWARDS))
    opacity = np.rint(255 * strength**_FADE).astype(np.uint8)[:, None]
    zero = np.zeros((1, 4), np.uint8)
    return np.concatenate([np.hstack([against, opacity])[::-1], zero, np.hstack([towards, opacity])])


def oklab(srgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return OKLab (lightness 0..1, green to red, blue to yellow) of sRGB 0..255, both ... × 3."""
    share = np.asarray(srgb, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T)


def _srgb(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    linear = np.clip((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T, 0, 1)
    share = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * share), dtype=np.uint8)


def _between(
    faint: tuple[int, int, int], strong: tuple[int, int, int], strength: npt.NDArray[np.float64]
) -> npt.NDArray[np.uint8]:
    low, high = oklab(faint), oklab(strong)
    return _srgb(low + strength[:, None] * (high - low))
