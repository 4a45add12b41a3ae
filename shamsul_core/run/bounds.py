"""How large what a run holds may be: it may have been made by anybody, and is read on a server that others use too.

The bounds are far above any run's own needs. Only regular files are opened: a pipe in the place of one would be waited
for without end.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from io import BytesIO
from typing import IO, TYPE_CHECKING

from shamsul_core.files.storage import is_remote, opened_regular, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_NAME = 64
"""Characters of a method's or a pathology's name; as many as a long string of DICOM holds (PS3.5, table 6.2-1)."""

LONGEST_TEXT = 1000
"""Characters of any other text of a manifest."""

LARGEST_MANIFEST = 2**20
"""Bytes."""

LONGEST_REASON = 2000
"""Characters that are kept of why something failed."""

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters, which neither XML nor a file's name can hold, and half characters, which no file can."""

_MOST_ENTRIES, _DEEPEST = 200, 8


@contextmanager
def opened(path: Path, largest: int) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file of at most so many bytes; yield it and its size.

    Raises
    ------
    OSError
        If it is not there or cannot be read.
    ValueError
        If it is no regular file, or larger.
    """
    if is_remote(path):
        content = read_bytes(path, largest + 1)
        check_size(len(content), largest)
        yield BytesIO(content), len(content)
        return
    with opened_regular(path) as (file, size):
        check_size(size, largest)
        yield file, size


def check_texts(part: str, stored: object, depth: int = 0) -> None:
    """Raise a `ValueError` where a text, a list or an object of a manifest's JSON is larger than any run needs."""
    if isinstance(stored, str):
        if len(stored) > LONGEST_TEXT:
            message = f"{part} holds a text of {len(stored):,} characters; at most {LONGEST_TEXT:,} are read"
            raise ValueError(message)
        if _UNWRITABLE.search(stored):
            message = f"{part} holds a text that cannot be shown: {stored[:LONGEST_NAME]!a}"
            raise ValueError(message)
    elif isinstance(stored, dict | list):
        if len(stored) > _MOST_ENTRIES or depth == _DEEPEST:
            message = f"{part} holds more, or more deeply nested, than a run has"
            raise ValueError(message)
        inner = [*stored, *stored.values()] if isinstance(stored, dict) else stored
        for value in inner:
            check_texts(part, value, depth + 1)


def check_name(part: str, name: str) -> None:
    """Raise a `ValueError` unless a name is one line of letters that a page, a figure and a DICOM file can show."""
    if len(name) > LONGEST_NAME:
        message = f"{part} has a name of {len(name):,} characters; at most {LONGEST_NAME} are read"
        raise ValueError(message)
    if not name.isprintable() or not name[:1].isalnum():
        message = f"{part} has a name that cannot be shown: {name!a}"
        raise ValueError(message)


def check_size(size: int, largest: int) -> None:
    """Raise a `ValueError` where something has more bytes than are read."""
    if size > largest:
        message = f"it has {size:,} bytes; at most {largest:,} are read"
        raise ValueError(message)
