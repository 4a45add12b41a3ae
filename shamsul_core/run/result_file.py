"""A radiograph's safetensors file, opened: on a disk, or in an object store without fetching more than is asked for."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import load

from shamsul_core.files.storage import is_remote, reaching, read_bytes, store
from shamsul_core.run.bounds import check_size, opened
from shamsul_core.run.manifest import RunError
from shamsul_core.run.result import checked_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

_HEADER_BYTES = 2**16
"""So much of a remote file is fetched first; with four methods and ten pathologies its header has 9 kB."""

_LARGEST_FILE, _LARGEST_RECORD = 2**31, 2**24
"""Bytes."""

_DAMAGE = (
    SafetensorError,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
    MemoryError,
)


class OpenResult:
    """A radiograph's file, open for as long as a block lasts, which gets the file and its checked record.

    Raises
    ------
    RunError
        If there is no such file, or it is damaged, as is found out at its opening or in the block; the message names it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> tuple[Any, dict[str, Any]]:
        try:
            with ExitStack() as closing:
                file = closing.enter_context(_opened(self.path))
                text = (file.metadata() or {})["record"]
                check_size(len(text), _LARGEST_RECORD)
                record = checked_record(json.loads(text))
                self._closing = closing.pop_all()
                return file, record
        except FileNotFoundError as error:
            message = f"{self.path.stem}: this radiograph is not in the run"
            raise RunError(message) from error
        except _DAMAGE as error:
            raise self._unreadable(error) from error

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._closing.close()
        if isinstance(error, _DAMAGE) and not isinstance(error, RunError):
            raise self._unreadable(error) from error

    def _unreadable(self, error: BaseException) -> RunError:
        return RunError(
            f"{self.path}: not a readable result ({error}); delete it and explain the cohort again"
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if is_remote(path):
        yield _RemoteFile(path)
        return
    # Safetensors opens by name only; a pipe in the place of a file it would wait for
    with opened(path, _LARGEST_FILE), safe_open(path, framework="numpy") as file:
        yield file


class _RemoteFile:
    """A file in an object store, with the part of `safe_open`'s interface that is used here.

    Its header is fetched at once, the tensors, all of them, when the first is asked for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        files, name = store(path)
        with reaching(path):
            check_size(path.stat().st_size, _LARGEST_FILE)
            start = files.cat_file(name, start=0, end=_HEADER_BYTES)
            size = 8 + int.from_bytes(start[:8], "little")  # as safetensors lays it out
            if size > len(start):
                start = files.cat_file(name, start=0, end=size)
        self._header: dict[str, Any] = json.loads(start[8:size])

    def metadata(self) -> dict[str, str] | None:
        return self._header.get("__metadata__")

    def keys(self) -> list[str]:
        return [name for name in self._header if name != "__metadata__"]

    def get_slice(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(get_shape=lambda: self._header[name]["shape"])

    def get_tensor(self, name: str) -> npt.NDArray[Any]:
        return self._tensors[name]

    @cached_property
    def _tensors(self) -> dict[str, npt.NDArray[Any]]:
        return load(read_bytes(self._path))
