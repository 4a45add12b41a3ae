"""A case's radiograph, and where a shortcut is planted the same with its sign the other way round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.files.atomic import write_atomically
from shamsul_core.simulate.radiograph import simulate_radiograph
from shamsul_core.simulate.signs import SIGNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from shamsul_core.simulate.chest import Chest
    from shamsul_core.simulate.ct import Ct
    from shamsul_core.simulate.labels import Case
    from shamsul_core.simulate.radiograph import Simulated
    from shamsul_core.simulate.shortcuts import Shortcut

    Pixels = npt.NDArray[np.uint8]
    Mask = npt.NDArray[np.bool_]

JPEG_QUALITY = 92


@dataclass(frozen=True, eq=False)
class Planted:
    """A radiograph, and its counterpart where a shortcut is planted and truth is wanted.

    Parameters
    ----------
    simulated
        The radiograph and its truth, with the sign where the case has it.
    other
        uint8, H × W: the same patient, findings, exposure and noise, with the sign where the case has none, and the
        other way round.
    mask
        bool, H × W: where the sign is, or would be; ``None`` of a sign that is everywhere.
    """

    simulated: Simulated
    other: Pixels | None = None
    mask: Mask | None = None

    def keep(self, picture: Path, mask_file: Path) -> None:
        """Write the counterpart and the mask, where there are such, to files that `read_sign` reads."""
        if self.other is None:
            return
        picture.parent.mkdir(parents=True, exist_ok=True)
        if self.mask is not None:
            _, png = cv2.imencode(".png", np.where(self.mask, 255, 0).astype(np.uint8))
            write_atomically(mask_file, png.tobytes())
        write_atomically(picture, as_jpeg(self.other))


def simulate_case(
    ct: Ct,
    chest: Chest,
    case: Case,
    shortcut: Shortcut | None,
    random: Callable[[int], np.random.Generator],
    *,
    size_px: int,
    with_truth: bool,
) -> Planted:
    """Return a case's radiograph, with the sign of a shortcut where the case has it.

    Parameters
    ----------
    shortcut
        By default there is none. A device of its sign's kind is there only as the sign, for chance would blur the
        association.
    random
        The case's random numbers of each kind, the same at every call: 2 the radiograph's, 4 the sign's place. So a
        radiograph is the same whether or not there is a shortcut, but for the sign.
    size_px, with_truth
        See `simulate_radiograph`.
    """
    sign = None if shortcut is None else SIGNS[shortcut.sign]

    def simulated(*, has_sign: bool, with_truth: bool) -> Simulated:
        make = None if sign is None else sign.make
        plain = simulate_radiograph(
            ct,
            chest,
            case.severities,
            random(2),
            is_pa=case.is_pa,
            size_px=size_px,
            sex=case.sex,
            age=case.age,
            with_truth=with_truth,
            planted=make(chest, random(4)) if make and has_sign else (),
            never=make,
        )
        return plain if sign is None or not has_sign else sign.on(plain, lambda: random(4))

    own = simulated(has_sign=case.has_sign, with_truth=with_truth)
    if sign is None or not with_truth:
        return Planted(own)
    other = simulated(has_sign=not case.has_sign, with_truth=False).pixels
    return Planted(own, other, sign.mask(own.pixels, other))


def as_jpeg(pixels: Pixels) -> bytes:
    """Return the file of a picture, uint8, H × W."""
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return jpeg.tobytes()
