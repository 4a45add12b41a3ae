"""Signs that have nothing to do with a disease, as a planted shortcut needs them: how each comes into the picture.

A device lies in the patient and is projected as all devices are. All others are of the finished picture, after noise and
window, as a burnt-in text is: with and without them every other pixel is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.cohort.counterfactual import CHANGED_FROM
from shamsul_core.simulate.devices import chest_tube, pacemaker

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from shamsul_core.simulate.devices import Maker
    from shamsul_core.simulate.radiograph import Simulated

    Pixels = npt.NDArray[np.uint8]
    Mask = npt.NDArray[np.bool_]
    Draw = Callable[[Pixels, np.random.Generator], Pixels]

_PLAIN = cv2.FONT_HERSHEY_SIMPLEX
_BOLD = cv2.FONT_HERSHEY_DUPLEX
_TAG = ("ST. MARY", "ICU  BED 4")
_DARKER = 1.45


@dataclass(frozen=True, kw_only=True)
class Sign:
    """How a sign comes into the picture: either `make` or `draw`.

    Parameters
    ----------
    make
        Lays it through the patient.
    draw
        Returns a finished picture, uint8, H × W, with it.
    is_everywhere
        Whether it is in no place that could be outlined.
    """

    make: Maker | None = None
    draw: Draw | None = None
    is_everywhere: bool = False

    def on(self, simulated: Simulated, random: Callable[[], np.random.Generator]) -> Simulated:
        """Return a radiograph and its counterfactuals with what is drawn on the finished picture.

        Parameters
        ----------
        random
            Returns the numbers that the place follows from, the same at every call.
        """
        draw = self.draw
        if draw is None:
            return simulated

        def drawn(picture: Pixels) -> Pixels:
            return draw(picture, random())

        without = {name: drawn(picture) for name, picture in simulated.without.items()}
        return replace(
            simulated, pixels=drawn(simulated.pixels), healthy=drawn(simulated.healthy), without=without
        )

    def mask(self, with_it: Pixels, without: Pixels) -> Mask | None:
        """Return where two pictures, uint8, H × W, differ by what a reader begins to see; ``None`` of what is everywhere."""
        if self.is_everywhere:
            return None
        return np.asarray(np.abs(with_it.astype(np.int16) - without) > CHANGED_FROM)


def _side_marker(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Return a picture with another site's marker: a frame with R and the technician's initials, by the right shoulder.

    Every radiograph has an L or R of lead already, wherever the technician put it. In DeGrave's case the hospitals'
    markers differed in style and place; so this one is of its own style and always in the same corner, but for some mm.
    """
    height, width = picture.shape
    scale = height / 512
    top = round((0.2 + random.uniform(-0.01, 0.01)) * height)
    left = round((0.02 + random.uniform(0, 0.015)) * width)
    layer = np.zeros_like(picture)
    thick = max(1, round(2 * scale))
    bottom_right = (left + round(44 * scale), top + round(54 * scale))
    cv2.rectangle(layer, (left, top), bottom_right, 245, thick)
    at = (left + round(12 * scale), top + round(28 * scale))
    cv2.putText(layer, "R", at, _BOLD, 0.95 * scale, 255, thick, cv2.LINE_AA)
    below = (left + round(8 * scale), top + round(47 * scale))
    cv2.putText(layer, "KM", below, _PLAIN, 0.62 * scale, 235, max(1, round(scale)), cv2.LINE_AA)
    return np.maximum(picture, layer)


def _corner_tag(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Return a picture with a site's label burnt into the lower left corner: light text on a black box."""
    del random  # a machine puts it, always into the same place
    height, width = picture.shape
    scale = height / 512
    tall, wide = round(46 * scale), min(width, round(118 * scale))
    tagged = picture.copy()
    tagged[height - tall :, :wide] = 8
    for line, text in enumerate(_TAG):
        at = (round(6 * scale), height - tall + round((18 + 19 * line) * scale))
        cv2.putText(tagged, text, at, _PLAIN, 0.5 * scale, 240, max(1, round(scale)), cv2.LINE_AA)
    return tagged


def _collimation_edge(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Return a picture whose left border a shutter kept from being exposed: a bright strip, askew, its edge blurred."""
    height, width = picture.shape
    edge = random.uniform(0.04, 0.065) * width
    slope = np.tan(np.deg2rad(random.uniform(-1.2, 1.2)))
    rows, columns = np.mgrid[:height, :width]
    inwards = columns + 0.5 - edge - slope * (rows - height / 2)
    # The focal spot's penumbra
    covered = 1 / (1 + np.exp(inwards / (0.004 * width)))
    mixed = picture + covered * (232.0 - picture)
    return np.asarray(np.rint(mixed), np.uint8)


def _exposure(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Return a picture with a darker display curve, as another maker's processing has it."""
    del random
    levels = np.rint(255 * (np.arange(256) / 255) ** _DARKER).astype(np.uint8)
    return levels[picture]


SIGNS = {
    "side marker": Sign(draw=_side_marker),
    "chest tube": Sign(make=chest_tube),
    "pacemaker": Sign(make=pacemaker),
    "corner tag": Sign(draw=_corner_tag),
    "exposure": Sign(draw=_exposure, is_everywhere=True),
    "collimation edge": Sign(draw=_collimation_edge),
}
"""Every sign by its name."""
