"""Where a run lies: a folder of this machine, or an address in an object store such as ``s3://bucket/folder``.

A folder is a `pathlib.Path`; an address becomes a `upath.UPath`, which answers to the same names. The store's own
package (``s3fs`` for S3) and its credentials and endpoint come from the environment, as that package documents.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from shamsul_core.extras import is_there, lack_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator


def place(address: str | Path) -> Path:
    """Return the place that an address names.

    Raises
    ------
    OSError
        If nothing is installed that reaches it.
    """
    if "://" not in str(address):
        return Path(address)
    from upath import UPath

    if str(address).startswith("s3://") and not is_there("s3"):
        raise OSError(lack_in_words("s3"))
    with reaching(address):
        # Listings are never kept: other workers write while this process reads.
        path = UPath(str(address), use_listings_cache=False)
        path.fs  # noqa: B018 opens the store
    return cast("Path", path)


def is_remote(path: Path) -> bool:
    """Return whether a place is in an object store."""
    return not isinstance(path, Path)


def store(path: Path) -> tuple[Any, str]:
    """Return the fsspec file system of a remote place, and the place's name in it."""
    remote = cast("Any", path)
    return remote.fs, remote.path


def names_in(folder: Path) -> list[str]:
    """Return the names of what lies in a folder, in no order; none where it is not there.

    Of a folder on a disk no `Path` is made for each, so that 20,000 names take milliseconds.
    """
    try:
        return [path.name for path in folder.iterdir()] if is_remote(folder) else os.listdir(folder)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []


def absolute(path: Path) -> str:
    """Return the address under which another process finds the place."""
    return str(path) if is_remote(path) else str(path.resolve())


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """Return a file's content, of one moment: a store is asked once, so that nothing is replaced between two questions.

    Parameters
    ----------
    most
        How many bytes are read at most; ``None`` for all.

    Raises
    ------
    OSError
        If it cannot be read; `FileNotFoundError` where there is none.
    """
    if not is_remote(path):
        with path.open("rb") as file:
            return file.read(-1 if most is None else most)
    files, name = store(path)
    with reaching(path):
        return bytes(files.cat_file(name, start=None if most is None else 0, end=most))


class IrregularError(ValueError):
    """What lies where a file should is none, such as a pipe."""


@contextmanager
def opened_regular(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file of this machine; yield it and its size in bytes. A pipe in its place is not waited for.

    Raises
    ------
    OSError
        If it is not there or cannot be read; a folder is an `IsADirectoryError`.
    IrregularError
        If it is neither a file nor a folder.
    """
    # Path.open takes no opener
    with open(path, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            message = "it is not a regular file"
            raise IrregularError(message)
        yield file, status.st_size


def _without_waiting(path: str, flags: int) -> int:
    # Windows has no pipes among its files
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def reaching(path: str | Path) -> Iterator[None]:
    """Let whatever a store's library raises be an `OSError` that names the place.

    Raises
    ------
    OSError
        In place of what is neither one nor a `ValueError` already.
    """
    try:
        yield
    except (OSError, ValueError):
        raise
    # Each store's library has its own errors, with no common base
    except Exception as error:
        message = f"{path}: cannot be reached: {' '.join(str(error).split())}"
        raise OSError(message) from error
