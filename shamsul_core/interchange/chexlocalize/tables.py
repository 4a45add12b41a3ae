"""CheXlocalize's CSV files of thresholds of maps, and of cutoffs of probabilities, by pathology."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.files.atomic import write_atomically
from shamsul_core.interchange.chexlocalize.maps import CHEXLOCALIZE_ORDER
from shamsul_core.interchange.tensor_pickle import MapError, as_ascii
from shamsul_core.vocabulary import canonical_name, chexlocalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path


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
