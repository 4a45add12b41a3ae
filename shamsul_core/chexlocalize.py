"""CheXlocalize's own files besides the cohort's: pickled heatmaps, and CSV files of thresholds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from shamsul_core.labels import OBSERVATIONS, canonical_name
from shamsul_core.tensor_pickle import MapError, UnsafePickleError, load

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

__all__ = [
    "ImportedMap",
    "MapError",
    "UnsafePickleError",
    "read_map",
    "read_probability_cutoffs",
    "read_thresholds",
]

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

_LARGEST_FILE = 2**30


@dataclass(frozen=True)
class ImportedMap:
    """One of CheXlocalize's heatmaps.

    Parameters
    ----------
    relevance
        float32, h × w, often 320 × 320.
    probability
        Predicted for the pathology, ``None`` where the file has none.
    size
        Height and width of the radiograph.
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
        info = load(path.read_bytes())
        if not isinstance(info, dict):
            message = f"holds a {type(info).__name__}, not a dictionary with map, prob and cxr_dims"
            raise MapError(message)
        relevance = _relevance(info.get("map"))
        return ImportedMap(
            image_id, pathology, relevance, _probability(info, pathology), _size(info.get("cxr_dims"))
        )
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


def read_thresholds(path: Path) -> dict[str, float]:
    """Read thresholds by pathology from a CSV with the columns threshold and task (``tuning_results.csv``).

    Raises
    ------
    MapError
        If it is no such file.
    """
    table = _csv(path, "threshold", "task")
    return _by_pathology(table, "threshold")


def read_probability_cutoffs(path: Path) -> dict[str, float]:
    """Read by pathology the cutoff of best mean IoU from a CSV with prob_threshold, mIoU and task.

    Raises
    ------
    MapError
        If it is no such file.
    """
    table = _csv(path, "prob_threshold", "mIoU", "task")
    best = table.loc[table.groupby("task")["mIoU"].idxmax()]
    return _by_pathology(best, "prob_threshold")


def _by_pathology(table: pd.DataFrame, column: str) -> dict[str, float]:
    return {
        canonical_name(str(task)): float(value)
        for task, value in zip(table["task"], table[column], strict=True)
    }


def _csv(path: Path, *columns: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
        missing = [column for column in columns if column not in table]
        if missing or table.empty:
            message = f"no column {missing[0]}" if missing else "no rows"
            raise ValueError(message)
        numbers = [column for column in columns if column != "task"]
        table[numbers] = table[numbers].astype(float)
        unknown = sorted({str(task) for task in table["task"]} - {*CHEXLOCALIZE_ORDER, "Airspace Opacity"})
        if unknown or table[numbers].isna().any(axis=None):
            message = f"an unknown task {unknown[0]!r}" if unknown else "a number is missing"
            raise ValueError(message)
    except (OSError, ValueError, TypeError) as error:
        message = f"{path}: not a CSV with the columns {', '.join(columns)}: {error}"
        raise MapError(message) from error
    return table


def _relevance(found: Any) -> npt.NDArray[np.float32]:
    if not isinstance(found, np.ndarray) or found.squeeze().ndim != 2:
        message = "has no map of two dimensions"
        raise MapError(message)
    relevance = found.squeeze().astype(np.float32)
    if not np.isfinite(relevance).all():
        message = "its map is not finite"
        raise MapError(message)
    return relevance


def _probability(info: dict[Any, Any], pathology: str) -> float | None:
    found = info.get("prob")
    if found is None:
        return None
    given: Any = found if isinstance(found, int | float | np.ndarray) else ()
    numbers: npt.NDArray[np.float64] = np.asarray(given, dtype=np.float64).ravel()
    if len(numbers) not in (1, len(CHEXLOCALIZE_ORDER)):
        message = "its prob is neither one probability nor fourteen"
        raise MapError(message)
    probability = float(numbers[0] if len(numbers) == 1 else numbers[CHEXLOCALIZE_ORDER.index(pathology)])
    if not 0 <= probability <= 1 or math.isnan(probability):
        message = f"its probability is {probability}"
        raise MapError(message)
    return probability


def _size(found: Any) -> tuple[int, int]:
    numbers = list(found) if isinstance(found, list | tuple | np.ndarray) else []
    if len(numbers) != 2 or not all(isinstance(one, int | np.integer) and 0 < one < 2**16 for one in numbers):
        message = "its cxr_dims are not a width and a height"
        raise MapError(message)
    return int(numbers[1]), int(numbers[0])
