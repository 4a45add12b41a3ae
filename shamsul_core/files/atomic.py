"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from shamsul_core.files.storage import is_remote, reaching, store

if TYPE_CHECKING:
    from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader, or a kill at any moment, never meets half a file.

    The bytes go to a file aside in the same folder, reach the disk, and then take the name in one step. In an object
    store an object appears whole once all of it has been sent.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; what stood at `path` before is untouched.
    """
    if is_remote(path):
        files, name = store(path)
        with reaching(path):
            files.pipe_file(name, data)
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        _sync(path.parent)
    except OSError as error:
        aside.unlink(missing_ok=True)
        if error.errno not in _FULL:
            raise
        message = f"{error.strerror}; existing files are kept; free some space and run the same command again"
        raise OSError(error.errno, message, str(path)) from error
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Bring a folder's new name to the disk, where the system can (Windows cannot)."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
