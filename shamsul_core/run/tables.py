"""The run's tables: their columns, and how one is read, which may be damaged or of an earlier version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shamsul_core.files.atomic import write_atomically
from shamsul_core.files.storage import reaching
from shamsul_core.localisation.segmentation import SegmentationSettings
from shamsul_core.messages import quoted
from shamsul_core.run.bounds import LONGEST_REASON, opened
from shamsul_core.run.manifest import RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import IO

    from shamsul_core.run.manifest import Manifest

TableRow: TypeAlias = "dict[str, Any]"
"""A row of one of the run's tables, by column."""

SCORE_COLUMNS = {
    "image_id": "string",
    "pathology": "string",
    "method": "string",
    "label": "float64",  # 1 positive, 0 negative, -1 uncertain, NaN blank
    "probability": "float64",
    "threshold": "float64",  # of the map scaled to 0..1
    "iou": "float64",  # true-positive slice: NaN where either mask is empty
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
    "standard_error": "float64",  # root mean square over the superpixels, in the unit of what was explained
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

_LATER = {
    *("dice", "precision", "recall", "specificity", "best_iou", "best_threshold", "average_precision"),
    *("mass_accuracy", "rank_accuracy", "distance", "converged", "standard_error", "evaluations"),
}
"""Columns that tables of earlier versions lack; of any other the lack is damage."""

_UNREADABLE = (OSError, ValueError, TypeError, LookupError, AttributeError, pa.ArrowException)
"""What pyarrow and pandas raise at bytes that are no table, or at values that do not fit their column."""

_LARGEST_FILE, _MOST_ROWS, _LARGEST_TABLE = 2**32, 20_000_000, 2**32
"""Bytes, rows, and bytes in memory: CheXpert's training set with ten pathologies and four methods has 9 million rows."""

_ALWAYS, _EXPANSION = 2**26, 100
"""A table may take so many bytes in memory, and so many more for each of its file: a run's own take 12, and 55 where
nothing was marked and no probability is known."""

_LONGEST_CELL = 10_000

_CODECS = {"SNAPPY", "UNCOMPRESSED"}
"""Those that a run is written with: Snappy's format shrinks nothing to less than a twentieth, others to a thousandth."""

_ENCODINGS = {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY", "BIT_PACKED"}
"""Those that a run is written with: what they hold is as long as the file is, repeated by a number that is counted."""

_BATCH = 2**14

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
        return _empty_table({"image_id": "string"})
    try:
        known = dict.fromkeys(manifest.model["pathologies"], "float64")
        table = _read(path, {"image_id": "string"} | known)
        table = _typed(table, {"image_id": "string"} | {name: known[name] for name in known if name in table})
        _check_keys(table, ["image_id"])
        _check_shares(table, list(table.columns[1:]))
    except _UNREADABLE as error:
        raise _not_a_table(path, error) from error
    return table


def read_scores(path: Path, manifest: Manifest) -> pd.DataFrame:
    """Read the scores, see `SCORE_COLUMNS`; what came after the version that wrote them is missing in all rows.

    Raises
    ------
    RunError
        If it cannot be read as such a table, or holds what the run did not explain.
    """
    if not _exists(path):
        return _empty_table(SCORE_COLUMNS)
    try:
        table = _typed(_read(path, SCORE_COLUMNS), SCORE_COLUMNS)
        _check_keys(table, ["image_id", "pathology", "method"])
        _check_names(table["method"], manifest.methods)
        _check_names(table["pathology"], manifest.pathologies)
        _check_shares(table, ["probability", "iou", "hit"])
    except _UNREADABLE as error:
        raise _not_a_table(path, error) from error
    return table


def read_failures(path: Path) -> pd.DataFrame:
    """Read what could not be done and why, see `FAILURE_COLUMNS`.

    Raises
    ------
    RunError
        If it cannot be read as such a table.
    """
    if not _exists(path):
        return _empty_table(FAILURE_COLUMNS)
    try:
        table = _typed(_read(path, FAILURE_COLUMNS), FAILURE_COLUMNS)
    except _UNREADABLE as error:
        raise _not_a_table(path, error) from error
    return table.assign(error=table["error"].str.slice(0, LONGEST_REASON))


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
        with opened(path, _LARGEST_FILE) as (file, _):
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


def _empty_table(columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a table without rows."""
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in columns.items()})


def _exists(path: Path) -> bool:
    with reaching(path):
        return path.exists()


def _read(path: Path, types: Mapping[str, str]) -> pd.DataFrame:
    """Read those of these columns that a table has, never more than a run's own table of this size could hold."""
    with opened(path, _LARGEST_FILE) as (file, size):
        return _columns(file, types, min(_LARGEST_TABLE, _ALWAYS + _EXPANSION * size))


def _columns(file: IO[bytes], types: Mapping[str, str], most_bytes: int) -> pd.DataFrame:
    parquet = pq.ParquetFile(file, pre_buffer=False)
    _check_form(parquet, types)
    wanted = [name for name in types if name in parquet.schema_arrow.names]
    # As dictionaries, texts that occur often take memory once
    parquet = pq.ParquetFile(file, metadata=parquet.metadata, read_dictionary=wanted, pre_buffer=False)
    batches, held, rows = [], 0, 0
    for batch in parquet.iter_batches(_BATCH, columns=wanted, use_threads=False):
        rows += len(batch)
        held += sum(map(_bytes, batch.columns))
        # What a file says of its size may be wrong, so what comes out of it is counted
        if held > most_bytes or rows > _MOST_ROWS:
            message = "it holds far more than a file of its size does in a run"
            raise ValueError(message)
        batches.append(pa.RecordBatch.from_arrays(list(map(_plain, batch.columns)), names=batch.schema.names))
    if not batches:
        return _empty_table({name: types[name] for name in wanted})
    table: pd.DataFrame = pa.Table.from_batches(batches).to_pandas(ignore_metadata=True)
    return table


def _check_form(parquet: pq.ParquetFile, types: Mapping[str, str]) -> None:
    """Raise a `ValueError` unless a file has columns of these kinds, written as a run's are."""
    names = parquet.schema_arrow.names
    if parquet.metadata.num_rows > _MOST_ROWS:
        message = f"it has {parquet.metadata.num_rows:,} rows; at most {_MOST_ROWS:,} are read"
        raise ValueError(message)
    for field in parquet.schema_arrow:
        if field.name not in types:
            continue
        if names.count(field.name) > 1:
            message = f"column {field.name}: occurs twice"
            raise ValueError(message)
        if not _is_of_kind(field.type, is_text=types[field.name] == "string"):
            message = f"column {field.name}: holds {field.type}"
            raise ValueError(message)
    for group in range(parquet.metadata.num_row_groups):
        row_group = parquet.metadata.row_group(group)
        for place in range(row_group.num_columns):
            column = row_group.column(place)
            if column.path_in_schema in types and (
                column.compression not in _CODECS or not _ENCODINGS.issuperset(column.encodings)
            ):
                how = ", ".join([column.compression, *column.encodings])
                message = f"column {column.path_in_schema}: written in a way that a run is not ({how})"
                raise ValueError(message)


def _is_of_kind(kind: pa.DataType, *, is_text: bool) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_null(kind):
        return True
    if is_text:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _bytes(column: pa.Array) -> int:
    """Return what a column takes in memory, its texts not shared."""
    if not pa.types.is_dictionary(column.type):
        return 8 * len(column)
    texts = column.dictionary
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return 8 * len(column)
    lengths = np.asarray(pc.fill_null(pc.binary_length(texts), 0), np.int64)
    if lengths.max(initial=0) > _LONGEST_CELL:
        message = f"it holds a text of {lengths.max():,} bytes; at most {_LONGEST_CELL:,} are read"
        raise ValueError(message)
    used = np.asarray(pc.drop_null(column.indices), np.int64)
    return int(8 * len(column) + lengths[used].sum())


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


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
    if table[keys].isna().any(axis=None):
        message = f"a row without its {' or '.join(keys)}"
        raise ValueError(message)
    if table.duplicated(keys).any():
        twice = table.loc[table.duplicated(keys), keys].iloc[0]
        message = f"{quoted(' '.join(twice))} occurs twice"
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


def _not_a_table(path: Path, error: BaseException) -> RunError:
    told = " ".join(str(error).split())[:_LONGEST_ERROR]
    return RunError(
        f"{path}: not a readable table ({told}); make it again with: python -m shamsul_core score"
    )
