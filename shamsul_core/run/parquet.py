"""A Parquet file of anybody's, read in bounded memory: only the columns asked for, of the kinds they should have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shamsul_core.run.bounds import opened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import IO


TableRow: TypeAlias = "dict[str, Any]"
"""A row of one of the run's tables, by column."""


LARGEST_FILE, _MOST_ROWS, _LARGEST_TABLE = 2**32, 20_000_000, 2**32
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


def read_columns(path: Path, types: Mapping[str, str]) -> pd.DataFrame:
    """Read those of these columns that a table has, never more than a run's own table of this size could hold.

    Raises
    ------
    OSError, ValueError, TypeError, LookupError, pyarrow.ArrowException
        What pyarrow and pandas raise at bytes that are no such table.
    """
    with opened(path, LARGEST_FILE) as (file, size):
        return _read(file, types, min(_LARGEST_TABLE, _ALWAYS + _EXPANSION * size))


def _read(file: IO[bytes], types: Mapping[str, str], most_bytes: int) -> pd.DataFrame:
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
        return empty_table({name: types[name] for name in wanted})
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


def empty_table(columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a table without rows."""
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in columns.items()})
