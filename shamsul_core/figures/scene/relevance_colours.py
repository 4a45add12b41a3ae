"""Colours of relevance: what speaks against, what speaks towards, and zero is transparent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ColourTable = npt.NDArray[np.uint8]
"""uint8, 255 × 4 (red, green, blue, opacity); row ``q + 127`` is the colour of the relevance ``q / 127`` of the greatest.
Opacity is 0 at zero relevance and grows with its size."""

Stops = tuple[tuple[int, int, int], ...]
"""sRGB from the faintest to the strongest relevance, at even steps; colours run evenly between them in OKLab."""

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


@dataclass(frozen=True, kw_only=True)
class ColourMap:
    """Colours of relevance that a reader can choose.

    Parameters
    ----------
    key
        What the choice is remembered by.
    title
        As the reader sees it.
    help
        What it is for.
    against, towards
        Stops of either side; no stops leave that side transparent.
    """

    key: str
    title: str
    help: str
    against: Stops
    towards: Stops

    @property
    def table(self) -> ColourTable:
        """The colour of each step of relevance."""
        strength = np.arange(1, 128) / 127
        opacity = np.rint(255 * strength**_FADE).astype(np.uint8)[:, None]
        against, towards = (
            np.hstack([_along(stops, strength), opacity]) if stops else np.zeros((127, 4), np.uint8)
            for stops in (self.against, self.towards)
        )
        return np.concatenate([against[::-1], np.zeros((1, 4), np.uint8), towards])


COLOUR_MAPS = (
    # The pair differs in blue and yellow, which colour-blind readers tell apart, and both sides grow lighter by the
    # same amount, so that neither looks the stronger.
    ColourMap(
        key="blue-orange",
        title="Blue and orange",
        help="Evidence for and against, equally strong; safe for colour-blind readers",
        against=((20, 66, 176), (84, 170, 255)),
        towards=((150, 52, 0), (255, 146, 30)),
    ),
    # The faintest "towards" is lighter than the strongest "against".
    ColourMap(
        key="dark-light",
        title="Dark and light",
        help="Evidence for and against, distinguishable in greyscale too",
        against=((36, 44, 130), (76, 98, 224)),
        towards=((196, 158, 66), (255, 246, 160)),
    ),
    # Lightness rises evenly, as in matplotlib's magma.
    ColourMap(
        key="towards",
        title="Evidence for only",
        help="Evidence against is not shown",
        against=(),
        towards=((92, 24, 120), (226, 90, 84), (255, 228, 120)),
    ),
)
"""Those to choose from; the first is shown at first."""


def oklab(srgb: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return OKLab (lightness 0..1, green to red, blue to yellow) of sRGB 0..255, both ... × 3."""
    share = np.asarray(srgb, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T)


def _srgb(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    linear = np.clip((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T, 0, 1)
    share = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * share), dtype=np.uint8)


def _along(stops: Stops, strength: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    at, colours = np.linspace(0, 1, len(stops)), oklab(stops)
    return _srgb(np.stack([np.interp(strength, at, channel) for channel in colours.T], axis=1))
