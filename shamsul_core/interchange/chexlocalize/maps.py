"""CheXlocalize's pickled heatmaps, one a file."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from shamsul_core.interchange.tensor_pickle import MapError, as_ascii, load
from shamsul_core.vocabulary import OBSERVATIONS, canonical_name

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

CHEXLOCALIZE_ORDER = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Lesion",
    "Lung Opacity",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
"""Order of the fourteen probabilities in a map's file (``eval_constants.py``); not that of CheXpert's columns."""

_LARGEST_FILE = 2**28
# Of a map or a radiograph; CheXpert's largest have 2**23
_MOST_PIXELS = 2**26


@dataclass(frozen=True)
class ImportedMap:
    """One of CheXlocalize's heatmaps.

    Parameters
    ----------
    image_id
        The radiograph's id.
    pathology
        By CheXpert's name.
    relevance
        float32, h × w, often 320 × 320.
    probability
        Predicted for the pathology, 0..1, ``None`` where the file has none.
    size
        Height and width of the radiograph in pixels.
    """

    image_id: str
    pathology: str
    relevance: npt.NDArray[np.float32]
    probability: float | None
    size: tuple[int, int]


def read_map(path: Path) -> ImportedMap:
    """Read ``<image_id>_<pathology>_map.pkl``: a pickled dictionary of map, prob, task and cxr_dims.

    Raises
    ------
    UnsafePickleError
        If the pickle asks for anything but a tensor; nothing is executed.
    MapError
        If it is damaged, or not such a map.
    OSError
        If it cannot be read.
    """
    image_id, pathology = parse_map_name(path)
    if path.stat().st_size > _LARGEST_FILE:
        message = f"{path.name}: larger than any heatmap ({path.stat().st_size} bytes)"
        raise MapError(message)
    try:
        return _map_from(load(path.read_bytes()), image_id, pathology)
    except MapError as error:
        message = f"{path.name}: {error}"
        raise type(error)(message) from error


def parse_map_name(path: Path) -> tuple[str, str]:
    """Return the radiograph's id and the pathology that a map's file name says.

    Raises
    ------
    MapError
        If the name has another form or names no observation of CheXpert.
    """
    parts = path.name.removesuffix("_map.pkl").rsplit("_", 1)
    if not path.name.endswith("_map.pkl") or len(parts) != 2 or canonical_name(parts[1]) not in OBSERVATIONS:
        message = f"{path.name}: not named <radiograph>_<pathology>_map.pkl"
        raise MapError(message)
    return parts[0], canonical_name(parts[1])


def _map_from(info: Any, image_id: str, pathology: str) -> ImportedMap:
    if not isinstance(info, dict):
        message = f"holds a {type(info).__name__}, not a dictionary with map, prob and cxr_dims"
        raise MapError(message)
    task = info.get("task", pathology)
    if not isinstance(task, str) or canonical_name(task) != pathology:
        message = (
            f"its name says {pathology}, its task {as_ascii(task) if isinstance(task, str) else 'nothing'}"
        )
        raise MapError(message)
    return ImportedMap(
        image_id,
        pathology,
        _relevance(info.get("map")),
        _probability(info.get("prob"), pathology),
        _size(info.get("cxr_dims")),
    )


def _relevance(stored: Any) -> npt.NDArray[np.float32]:
    if not isinstance(stored, np.ndarray) or stored.ndim < 2 or prod(stored.shape[:-2]) != 1:
        message = "has no map of two dimensions"
        raise MapError(message)
    if not 0 < stored.size <= _MOST_PIXELS:
        message = f"its map has an impossible size: {stored.shape[-2]} by {stored.shape[-1]}"
        raise MapError(message)
    # A number too large becomes infinite, which is refused below
    with np.errstate(over="ignore"):
        relevance = np.array(stored.reshape(stored.shape[-2:]), dtype=np.float32, order="C")
    if not np.isfinite(relevance).all():
        message = "its map is not finite"
        raise MapError(message)
    return relevance


def _probability(stored: Any, pathology: str) -> float | None:
    if stored is None:
        return None
    numbers = stored.ravel().tolist() if isinstance(stored, np.ndarray) and stored.size <= 14 else [stored]
    if len(numbers) not in (1, len(CHEXLOCALIZE_ORDER)) or not isinstance(numbers[0], int | float):
        message = "its prob is neither one probability nor fourteen"
        raise MapError(message)
    probability = numbers[0] if len(numbers) == 1 else numbers[CHEXLOCALIZE_ORDER.index(pathology)]
    # NaN neither
    if not 0 <= probability <= 1:
        message = f"its probability is {as_ascii(probability)}"
        raise MapError(message)
    return float(probability)


def _size(stored: Any) -> tuple[int, int]:
    numbers = stored.tolist() if isinstance(stored, np.ndarray) and stored.shape == (2,) else stored
    is_pair = (
        isinstance(numbers, list | tuple)
        and len(numbers) == 2
        and all(type(number) is int for number in numbers)
    )
    if not is_pair or min(numbers) < 1 or prod(numbers) > _MOST_PIXELS:
        message = "its cxr_dims are not a radiograph's width and height"
        raise MapError(message)
    width, height = numbers
    return height, width
