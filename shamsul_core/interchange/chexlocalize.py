"""CheXlocalize's own files besides the cohort's: pickled heatmaps, and CSV files of thresholds."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from shamsul_core.files.atomic import write_atomically
from shamsul_core.interchange.tensor_pickle import MapError, UnsafePickleError, as_ascii, load
from shamsul_core.vocabulary import OBSERVATIONS, canonical_name, chexlocalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

__all__ = [
    "ImportedMap",
    "MapError",
    "UnsafePickleError",
    "read_map",
    "read_probability_cutoffs",
    "read_thresholds",
    "read_thresholds_of_methods",
    "write_probability_cutoffs",
    "write_thresholds",
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


def read_thresholds(path: Path) -> dict[str, float]:
    """Read thresholds by pathology from a CSV with the columns threshold and task (``tuning_results.csv``).

    Raises
    ------
    MapError
        If it is no such file, a threshold is not within 0 and 1, or a pathology stands in it twice.
    """
    with _errors_of(path, "threshold", "task"):
        table = _csv(path, "threshold", "task")
        if table["task"].duplicated().any():
            message = f"more than one threshold for {table['task'][table['task'].duplicated()].iloc[0]}"
            raise ValueError(message)
        return {
            str(task): float(value) for task, value in zip(table["task"], table["threshold"], strict=True)
        }


def read_thresholds_of_methods(paths: Sequence[Path], methods: Collection[str]) -> dict[str, float]:
    """Read thresholds from several files, or from those of a folder: one a method, or one for all.

    A file's column ``method`` says which method it is of, as `write_thresholds` writes it; one without holds for all that
    no other file is of.

    Parameters
    ----------
    methods
        Names of the methods of the run that is scored.

    Returns
    -------
    dict
        By pathology, or by ``method/pathology``; see `SegmentationSettings.thresholds`.

    Raises
    ------
    MapError
        If a file cannot be read, is of no method of the run, or two are of the same.
    """
    thresholds: dict[str, float] = {}
    whose: dict[str, Path] = {}
    for path in [
        file for place in paths for file in (_threshold_files(place) if place.is_dir() else [place])
    ]:
        values, method = read_thresholds(path), _method_of(path)
        if method and method not in methods:
            message = f"{path}: is of method {as_ascii(method)!r}; this run has {', '.join(methods)}"
            raise MapError(message)
        if method in whose:
            of = f"of method {method}" if method else "for all methods"
            message = f"{path}: {whose[method]} is {of} too; give one of them"
            raise MapError(message)
        whose[method] = path
        thresholds |= {f"{method}/{name}" if method else name: value for name, value in values.items()}
    return thresholds


def _threshold_files(folder: Path) -> list[Path]:
    files = [path for path in sorted(folder.glob("*.csv")) if "threshold" in _head(path)]
    if not files:
        message = f"{folder}: has no CSV with the columns threshold, task"
        raise MapError(message)
    return files


def _head(path: Path) -> list[str]:
    with _errors_of(path, "threshold", "task"):
        return list(map(str, pd.read_csv(path, nrows=0).columns))


def _method_of(path: Path) -> str:
    with _errors_of(path, "threshold", "task"):
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
        named = set(table["method"]) if "method" in table else {""}
        if len(named) > 1:
            message = f"it is of {len(named)} methods; a file is of one"
            raise ValueError(message)
        return named.pop()


def read_probability_cutoffs(path: Path) -> dict[str, float]:
    """Read by pathology the cutoff of best mean IoU from a CSV with prob_threshold, mIoU and task.

    Among equals the first counts, as in CheXlocalize's scripts.

    Raises
    ------
    MapError
        If it is no such file, or a number is not within 0 and 1.
    """
    with _errors_of(path, "prob_threshold", "mIoU", "task"):
        table = _csv(path, "prob_threshold", "mIoU", "task")
        best = table.loc[table.groupby("task")["mIoU"].idxmax()]
        return {
            str(task): float(value) for task, value in zip(best["task"], best["prob_threshold"], strict=True)
        }


def write_thresholds(path: Path, thresholds: Mapping[str, float], method: str | None = None) -> None:
    """Write thresholds by pathology as ``tune_heatmap_threshold.py`` does, and in a third column of which method they are.

    Parameters
    ----------
    method
        ``None`` leaves the column out.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.
    """
    table = pd.DataFrame({"threshold": thresholds.values(), "task": thresholds.keys()})
    _write(path, table if method is None else table.assign(method=method))


def write_probability_cutoffs(path: Path, cutoffs: pd.DataFrame) -> None:
    """Write a table of prob_threshold, mIoU and task as ``tune_probability_threshold.py`` does.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.
    """
    _write(path, cutoffs)


def _write(path: Path, table: pd.DataFrame) -> None:
    """Write a table, its tasks by CheXlocalize's names and in their order."""
    named = table.assign(task=[chexlocalize_name(str(task)) for task in table["task"]])
    ordered = named.sort_values("task", kind="stable")
    write_atomically(path, ordered.to_csv(index=False, lineterminator="\n").encode())


@contextmanager
def _errors_of(path: Path, *columns: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError) as error:
        message = f"{path}: not a CSV with the columns {', '.join(columns)}: {' '.join(str(error).split())}"
        raise MapError(message) from error


def _csv(path: Path, *columns: str) -> pd.DataFrame:
    """Read a table of numbers 0..1 by pathology, the pathologies by CheXpert's names."""
    table = pd.read_csv(path)
    missing = [column for column in columns if column not in table]
    if missing or table.empty:
        message = f"no column {missing[0]}" if missing else "no rows"
        raise ValueError(message)
    # CheXlocalize's script leaves it blank where there is no mask at all
    if "mIoU" in columns:
        table = table.dropna(subset="mIoU")
    table["task"] = [canonical_name(str(task)) for task in table["task"]]
    unknown = sorted(set(table["task"]) - set(CHEXLOCALIZE_ORDER))
    if unknown:
        message = f"an unknown task {as_ascii(unknown[0])!r}"
        raise ValueError(message)
    for column in columns:
        if column != "task" and not table[column].astype(float).between(0, 1).all():
            message = f"{column} is missing, or not within 0 and 1"
            raise ValueError(message)
    return table


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
