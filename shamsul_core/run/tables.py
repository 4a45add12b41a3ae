"""The run's tables: their columns, and how one is read, which may be damaged or of an earlier version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from shamsul_core.files.atomic import write_atomically
from shamsul_core.files.storage import reaching
from shamsul_core.localisation.baselines import BASELINES
from shamsul_core.localisation.segmentation import SegmentationSettings
from shamsul_core.messages import quoted
from shamsul_core.proof.catalogue import COMPARED, TESTS
from shamsul_core.run.bounds import LONGEST_REASON, opened
from shamsul_core.run.manifest import RunError
from shamsul_core.run.parquet import LARGEST_FILE, empty_table, read_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from shamsul_core.run.manifest import Manifest

TableRow: TypeAlias = "dict[str, Any]"
"""A row of one of the run's tables, by column."""

SCORE_COLUMNS = {
    "image_id": "string",
    "pathology": "string",
    "method": "string",
    "label": "float64",  # 1 positive, 0 negative, -1 uncertain, NaN blank
    "probability": "float64",
    "truth": "string",  # as what the experts marked: contour, polygon, box or point; missing where there is nothing
    "threshold": "float64",  # of the map scaled to 0..1
    "iou": "float64",  # true-positive slice: NaN where either mask is empty; where truth is a box, of bounding boxes
    "iou_low": "float64",  # 95 % interval of the IoU by the sampling's error; NaN where nothing was sampled
    "iou_high": "float64",
    "iobb": "float64",  # of bounding boxes, the intersection over the detected one; NaN where truth is no box
    "hit": "float64",  # 1, 0, or NaN where the experts marked nothing
    "dice": "float64",  # in the true-positive slice as the IoU
    "precision": "float64",  # of the mask's pixels, NaN where it is empty
    "recall": "float64",
    "specificity": "float64",
    "best_iou": "float64",  # the highest that any of 256 thresholds gives, holes not filled
    "best_threshold": "float64",  # of the map scaled to 0..1
    "average_precision": "float64",  # over 256 thresholds
    "mass_accuracy": "float64",  # share of the positive relevance inside the experts' mask
    "rank_accuracy": "float64",  # share inside the experts' mask of as many of the highest pixels as it has
    "distance": "float64",  # of the map's maximum from the experts' mask, over the diagonal; 0 inside
    "mask_area_px": "float64",
    "expert_area_px": "float64",
    "converged": "boolean",  # whether the sampling reached its target error; missing where there is none
    "stability": "float64",  # mean IoU of the mask with those that the sampling's error makes of it; NaN without sampling
    "standard_error": "float64",  # root mean square over the superpixels, in the unit of what was explained
    "probability_without": "float64",  # of the same simulated patient without the finding; NaN where that is not known
    "logit_change": "float64",  # by how much the finding raises its logit
    "evaluations": "float64",  # forward passes of the sampling, 0 where there is none
    "reason": "string",  # why there is no IoU
}
"""Columns of ``scores.parquet`` and their types."""

FAILURE_COLUMNS = {
    "image_id": "string",
    "step": "string",  # "read", "explain" or "score"
    "method": "string",
    "pathology": "string",
    "error": "string",
}
"""Columns of ``failures.parquet`` and their types."""

NOVELTY = "_novelty"
"""Column of ``predictions.parquet`` beside the observations, none of which can have such a name."""

YARDSTICK_COLUMNS = {
    "image_id": "string",
    "pathology": "string",
    "method": "string",  # the run's, or one of `shamsul_core.localisation.baselines.BASELINES`
    "iou": "float64",  # as in the scores; a baseline's on a radiograph of at most 768 pixels
    "hit": "float64",
    "others": "float64",  # how many other patients' marks of the same pathology the next two are over
    "iou_elsewhere": "float64",  # mean IoU of the same mask with these
    "hit_elsewhere": "float64",  # share of these that the map's maximum lies inside
    "ceiling": "float64",  # the highest IoU that the method's superpixels, or a map of so few places, could reach
}
"""Columns of ``yardsticks.parquet`` and their types: what experts marked anything of, by each method and baseline."""

PROOF_COLUMNS = {
    "image_id": "string",
    "pathology": "string",
    "method": "string",  # the run's, or one of `shamsul_core.proof.catalogue.COMPARED`
    "test": "string",  # one of `shamsul_core.proof.catalogue.TESTS`
    "figure": "string",
    "setting": "string",  # what hides, which layers are random, what was changed, which other model
    "at": "float64",  # where on a curve; of `cause` the fall of the logit; NaN elsewhere
    "value": "float64",
    "reason": "string",  # why there is no value
}
"""Columns of ``proof.parquet`` and their types, see `shamsul_core.proof.catalogue.Measured`."""

_LATER = {
    *(
        "truth",
        "iobb",
        "dice",
        "precision",
        "recall",
        "specificity",
        "best_iou",
        "best_threshold",
        "average_precision",
    ),
    *("mass_accuracy", "rank_accuracy", "distance", "converged", "standard_error", "evaluations"),
    *("probability_without", "logit_change", "stability", "iou_low", "iou_high"),
}
"""Columns that tables of earlier versions lack; of any other the lack is damage."""

_UNREADABLE = (OSError, ValueError, TypeError, LookupError, AttributeError, pa.ArrowException)
"""What pyarrow and pandas raise at bytes that are no table, or at values that do not fit their column."""

_LONGEST_ERROR = 300
"""Characters that are told of an error, which may quote what the file holds."""


def read_predictions(path: Path, manifest: Manifest) -> pd.DataFrame:
    """Read the probabilities: image_id, then one column per observation, 0 to 1, NaN where there is none.

    Raises
    ------
    RunError
        If it cannot be read as such a table.
    """
    if not _exists(path):
        return empty_table({"image_id": "string"})
    try:
        known = dict.fromkeys(manifest.model["pathologies"], "float64")
        table = read_columns(path, {"image_id": "string"} | known)
        table = _typed(table, {"image_id": "string"} | {name: known[name] for name in known if name in table})
        _check_keys(table, ["image_id"])
        _check_shares(table, list(table.columns[1:]))
    except _UNREADABLE as error:
        raise _not_a_table(path, error) from error
    return table


def read_novelty(path: Path) -> pd.Series:
    """Read how new each radiograph is to the model, by image_id; those of which it is not known are left out.

    Raises
    ------
    RunError
        If it cannot be read as such a table.
    """
    types = {"image_id": "string", NOVELTY: "float64"}
    if not _exists(path):
        return pd.Series(name=NOVELTY, dtype="float64")
    try:
        table = read_columns(path, types)
        if NOVELTY not in table:
            return pd.Series(name=NOVELTY, dtype="float64")
        table = _typed(table, types)
        _check_keys(table, ["image_id"])
    except _UNREADABLE as error:
        raise _not_a_table(path, error) from error
    novelty: pd.Series[Any] = table.set_index("image_id")[NOVELTY].dropna()
    known: pd.Series[Any] = novelty[(novelty >= 0) & np.isfinite(novelty)]
    return known


def read_scores(path: Path, manifest: Manifest) -> pd.DataFrame:
    """Read the scores, see `SCORE_COLUMNS`; what came after the version that wrote them is missing in all rows.

    Raises
    ------
    RunError
        If it cannot be read as such a table, or holds what the run did not explain.
    """
    return _read_by_case(
        path, SCORE_COLUMNS, manifest, manifest.methods, ["probability", "iou", "iobb", "hit"]
    )


def read_failures(path: Path) -> pd.DataFrame:
    """Read what could not be done and why, see `FAILURE_COLUMNS`.

    Raises
    ------
    RunError
        If it cannot be read as such a table.
    """
    if not _exists(path):
        return empty_table(FAILURE_COLUMNS)
    try:
        table = _typed(read_columns(path, FAILURE_COLUMNS), FAILURE_COLUMNS)
    except _UNREADABLE as error:
        raise _not_a_table(path, error) from error
    return table.assign(error=table["error"].str.slice(0, LONGEST_REASON))


def read_yardsticks(path: Path, manifest: Manifest) -> pd.DataFrame:
    """Read what the scores are held against, see `YARDSTICK_COLUMNS`.

    Raises
    ------
    RunError
        If it cannot be read as such a table, or holds what the run did not explain.
    """
    shares = ["iou", "hit", "iou_elsewhere", "hit_elsewhere", "ceiling"]
    return _read_by_case(path, YARDSTICK_COLUMNS, manifest, [*manifest.methods, *BASELINES], shares)


def read_proof(path: Path, manifest: Manifest) -> pd.DataFrame:
    """Read what the tests of the methods measured, see `PROOF_COLUMNS`.

    Raises
    ------
    RunError
        If it cannot be read as such a table, or holds what the run did not explain.
    """
    if not _exists(path):
        return empty_table(PROOF_COLUMNS)
    try:
        table = _typed(read_columns(path, PROOF_COLUMNS), PROOF_COLUMNS)
        _check_filled(table, [*list(PROOF_COLUMNS)[:6]])
        _check_names(table["method"], [*manifest.methods, *COMPARED])
        _check_names(table["pathology"], manifest.pathologies)
        _check_names(table["test"], TESTS)
    except _UNREADABLE as error:
        raise _not_a_table(path, error, "proof") from error
    return table.assign(reason=table["reason"].str.slice(0, LONGEST_REASON))


def proof_table(rows: Iterable[TableRow]) -> pd.DataFrame:
    """Return rows of a proof as a run's table, see `PROOF_COLUMNS`."""
    return pd.DataFrame(list(rows), columns=list(PROOF_COLUMNS)).astype(PROOF_COLUMNS)


def _read_by_case(
    path: Path, types: Mapping[str, str], manifest: Manifest, methods: Iterable[str], shares: list[str]
) -> pd.DataFrame:
    """Read a table of a row for each radiograph, pathology and method; empty where there is none.

    Raises
    ------
    RunError
        If it cannot be read, names another method or pathology, or one of `shares` is not within 0..1.
    """
    if not _exists(path):
        return empty_table(types)
    try:
        table = _typed(read_columns(path, types), types)
        _check_keys(table, ["image_id", "pathology", "method"])
        _check_names(table["method"], methods)
        _check_names(table["pathology"], manifest.pathologies)
        _check_shares(table, shares)
    except _UNREADABLE as error:
        raise _not_a_table(path, error) from error
    return table


def read_segmentation(path: Path) -> dict[str, Any] | None:
    """Read how the scores' masks were made, which stands in the table's metadata; ``None`` where it does not.

    Raises
    ------
    RunError
        If the table cannot be read.
    """
    if not _exists(path):
        return None
    try:
        with opened(path, LARGEST_FILE) as (file, _):
            stored = (pq.read_schema(file).metadata or {}).get(b"segmentation")
        return None if stored is None else SegmentationSettings.from_json(json.loads(stored)).to_json()
    except _UNREADABLE as error:
        raise _not_a_table(path, error) from error


def write_table(path: Path, table: pd.DataFrame, metadata: Mapping[str, Any] | None = None) -> None:
    """Write a table, whole or not at all; `about` goes into its metadata as JSON."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    extra = {key: json.dumps(value) for key, value in (metadata or {}).items()}
    arrow = arrow.replace_schema_metadata((arrow.schema.metadata or {}) | extra)
    buffer = pa.BufferOutputStream()
    pq.write_table(arrow, buffer)
    write_atomically(path, buffer.getvalue().to_pybytes())


def _exists(path: Path) -> bool:
    with reaching(path):
        return path.exists()


def score_table(rows: Iterable[TableRow]) -> pd.DataFrame:
    """Return rows of scores as a run's table, see `SCORE_COLUMNS`, sorted by radiograph, pathology and method."""
    table = pd.DataFrame(list(rows), columns=list(SCORE_COLUMNS)).astype(SCORE_COLUMNS)
    return table.sort_values(["image_id", "pathology", "method"], ignore_index=True)


def _typed(table: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """Return a table with these columns, in this order, in their types."""
    lacking = [column for column in types if column not in table and column not in _LATER]
    if lacking:
        message = f"it lacks the column {', '.join(lacking)}"
        raise ValueError(message)
    table = table.reindex(columns=list(types))
    for column, kind in types.items():
        try:
            table = table.astype({column: kind})
        except (ValueError, TypeError) as error:
            message = f"column {column}: {error}"
            raise ValueError(message) from error
    return table


def _check_keys(table: pd.DataFrame, keys: list[str]) -> None:
    """Raise a `ValueError` unless these columns name each row, and each but one."""
    _check_filled(table, keys)
    if table.duplicated(keys).any():
        twice = table.loc[table.duplicated(keys), keys].iloc[0]
        message = f"{quoted(' '.join(twice))} occurs twice"
        raise ValueError(message)


def _check_filled(table: pd.DataFrame, columns: list[str]) -> None:
    """Raise a `ValueError` where one of these columns is empty."""
    if table[columns].isna().any(axis=None):
        message = f"a row without its {' or '.join(columns)}"
        raise ValueError(message)


def _check_names(column: pd.Series, known: Iterable[str]) -> None:
    """Raise a `ValueError` where a column names what the run does not have."""
    foreign = sorted(set(column) - set(known))
    if foreign:
        message = f"{column.name} {quoted(foreign[0])} is not in this run"
        raise ValueError(message)


def _check_shares(table: pd.DataFrame, columns: list[str]) -> None:
    """Raise a `ValueError` where a value is neither missing nor in 0..1, rounding allowed for."""
    for column in columns:
        values = table[column].to_numpy()
        beyond = values[~np.isnan(values) & ~((values >= -1e-6) & (values <= 1 + 1e-6))]
        if beyond.size:
            message = f"column {column}: {beyond[0]} is not between 0 and 1"
            raise ValueError(message)


def _not_a_table(path: Path, error: BaseException, command: str = "score") -> RunError:
    told = " ".join(str(error).split())[:_LONGEST_ERROR]
    return RunError(
        f"{path}: not a readable table ({told}); make it again with: python -m shamsul_core {command}"
    )
