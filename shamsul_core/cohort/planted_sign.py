"""The sign of a planted shortcut on a simulated radiograph: a third truth, beside contours and counterfactuals.

``Signs/<split>/<id>.jpg`` is the same radiograph with the sign the other way round, there where it is not and not where
it is; ``Signs/<split>/<id>.png`` is 255 where the sign is, or would be, and is absent of a sign that is everywhere.
``CheXpert/simulation_<split>.json`` says which sign it is, and which radiographs have it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shamsul_core.cohort.problems import CohortError
from shamsul_core.cohort.simulation import read_beside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from shamsul_core.cohort.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class PlantedSign:
    """A radiograph's sign.

    Parameters
    ----------
    name
        Such as ``"side marker"``.
    pathology
        The one whose label it goes with, or would, in a cohort whose share is not 0.5.
    share
        0.5..1, of the positive radiographs that have it, and of the negative that do not.
    is_present
        Whether this radiograph has it.
    mask
        bool, H × W: where it is, or would be; ``None`` where it is everywhere.
    other
        uint8, H × W: the same patient, exposure and noise, without it where it is present, else with it.
    """

    name: str
    pathology: str
    share: float
    is_present: bool
    mask: npt.NDArray[np.bool_] | None
    other: npt.NDArray[np.uint8]


def sign_files(folder: Path, split: str, image_id: str) -> tuple[Path, Path]:
    """Return where a radiograph's counterpart and its sign's mask lie in a cohort's folder."""
    base = folder / "Signs" / split
    return base / f"{image_id}.jpg", base / f"{image_id}.png"


def read_sign(
    folder: Path, split: str, description: Mapping[str, Any], radiograph: Radiograph
) -> PlantedSign | None:
    """Return a radiograph's sign; ``None`` where its cohort has no planted shortcut, or keeps no truth.

    Parameters
    ----------
    folder
        The cohort's, with ``Signs/``.
    split
        The radiograph's.
    description
        What ``simulation_<split>.json`` says.

    Raises
    ------
    CohortError
        The files cannot be read, or are of another radiograph.
    """
    picture, mask_file = sign_files(folder, split, radiograph.id)
    shortcut = description.get("shortcut")
    if shortcut is None or not picture.is_file():
        return None
    size = radiograph.size
    other = read_beside(picture, size)
    return PlantedSign(
        name=str(shortcut["sign"]),
        pathology=str(shortcut["pathology"]),
        share=float(shortcut["share"]),
        is_present=radiograph.id in description.get("with_sign", ()),
        mask=read_beside(mask_file, size) > 127 if mask_file.is_file() else None,
        other=other,
    )


def read_description(path: Path) -> dict[str, Any]:
    """Return what ``simulation_<split>.json`` says; nothing where there is none, as of older simulations.

    Raises
    ------
    CohortError
        It is there and cannot be read.
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        message = f"it cannot be read ({error}); simulate the cohort again"
        raise CohortError(message, subject=str(path)) from error
