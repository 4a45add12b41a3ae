"""Reads pickles of torch tensors without executing them, and without torch.

CheXlocalize publishes its heatmaps as pickled dictionaries of tensors. A pickle is a program; this reader runs only
the part of it that builds dictionaries, numbers, texts and tensors. Before anything runs, the instructions are read
through and any that is not on the list below is refused; while it runs, only four names are known:

- ``torch._utils._rebuild_tensor_v2``: a tensor from a storage, an offset, a size and strides,
- ``torch.storage._load_from_bytes``: a storage from the bytes of a legacy ``torch.save`` stream, which is again read
  this way: four pickles (magic number, protocol, system, storage), the keys, then the count and the raw numbers,
- ``collections.OrderedDict``: the tensor's backward hooks, empty,
- ``_codecs.encode``: how protocol 2 writes bytes, as a text in Latin-1.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

_ALLOWED = frozenset(
    [
        "PROTO",
        "FRAME",
        "STOP",
        "MARK",
        "POP",
        "POP_MARK",
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "BINFLOAT",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "EMPTY_TUPLE",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "EMPTY_LIST",
        "APPEND",
        "APPENDS",
        "EMPTY_DICT",
        "SETITEM",
        "SETITEMS",
        "BINPUT",
        "LONG_BINPUT",
        "MEMOIZE",
        "BINGET",
        "LONG_BINGET",
        "GLOBAL",
        "STACK_GLOBAL",
        "REDUCE",
        "BINPERSID",
    ]
)
_MOST_MEMO = 10_000  # a memo index makes the unpickler reserve a table of that length
_LARGEST = 2**28  # numbers in a storage; a radiograph's map at full size has 2**23
_MAGIC = 0x1950A86A20F9469CFC6C

_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


class MapError(ValueError):
    """A file of heatmaps or thresholds that cannot be used; one line says which, what is wrong and what to do."""


class UnsafePickleError(MapError):
    """A pickle that asks for something that is never executed."""


def load(data: bytes) -> Any:
    """Return what a pickle of plain values and torch tensors holds, tensors as numpy arrays.

    Raises
    ------
    UnsafePickleError
        If it asks for anything else; nothing is executed.
    MapError
        If it is damaged.
    """
    return _run(io.BytesIO(data), {})


class _Tensor:
    """Stands between unpickling and its result, so that a pickle never gets hold of an array's own methods."""

    __slots__ = ("array",)

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array


class _Unpickler(pickle.Unpickler):
    """Knows four names, and the storages that the stream announced."""

    def __init__(self, file: io.BytesIO, storages: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Any] = {
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch.storage", "_load_from_bytes"): _load_storage,
            ("collections", "OrderedDict"): dict,
            ("_codecs", "encode"): _bytes_of,
        }
        if (module, name) in known:
            return known[module, name]
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        message = f"asks for {module}.{name}, which SHAMSUL never executes"
        raise UnsafePickleError(message)

    def persistent_load(self, pid: Any) -> Any:
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage" and isinstance(pid[1], str)):
            message = "names an object that is no tensor's storage"
            raise UnsafePickleError(message)
        return pid


def _run(file: io.BytesIO, storages: Mapping[str, Callable[[], Any]]) -> Any:
    start = file.tell()
    try:
        _screen(file)
        file.seek(start)
        found = _Unpickler(file, storages).load()
    except MapError:
        raise
    except (
        pickle.UnpicklingError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        EOFError,
    ) as error:
        message = f"is damaged or no pickle of a heatmap ({error})"
        raise MapError(message) from error
    except (MemoryError, OverflowError, RecursionError) as error:
        message = f"is damaged: it asks for too much memory ({type(error).__name__})"
        raise MapError(message) from error
    return _plain(found)


def _screen(file: io.BytesIO) -> None:
    """Refuse a pickle with an instruction that no heatmap needs, before any of it runs."""
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name not in _ALLOWED:
            message = f"has the pickle instruction {opcode.name}, which SHAMSUL never executes"
            raise UnsafePickleError(message)
        if "PUT" in opcode.name and (argument or 0) > _MOST_MEMO:
            message = "is damaged: it numbers more objects than a heatmap has"
            raise MapError(message)


def _plain(found: Any) -> Any:
    if isinstance(found, _Tensor):
        return found.array
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return type(found)(_plain(value) for value in found)
    return found


def _bytes_of(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        message = "holds bytes in an unknown form"
        raise MapError(message)
    return text.encode("latin-1")


def _load_storage(data: Any) -> _Tensor:
    """Return the numbers of a legacy ``torch.save`` stream of one storage, in a flat array."""
    if not isinstance(data, bytes):
        message = "holds a storage that is not bytes"
        raise MapError(message)
    file = io.BytesIO(data)
    if _run(file, {}) != _MAGIC:
        message = "holds a storage that torch did not write"
        raise MapError(message)
    (
        _run(file, {}),
        _run(file, {}),
    )  # protocol and system; the numbers are little-endian on every machine of note
    described, _ = _run(file, {}), _run(file, {})
    if not (isinstance(described, tuple) and len(described) >= 5 and described[0] == "storage"):
        message = "holds a storage without a description"
        raise MapError(message)
    dtype = np.dtype(described[1])
    count = int.from_bytes(file.read(8), "little", signed=True)
    if not 0 <= count <= _LARGEST or len(data) - file.tell() < count * dtype.itemsize:
        message = f"is cut off: a storage of {count} numbers has fewer"
        raise MapError(message)
    return _Tensor(np.frombuffer(data, dtype, count, file.tell()))


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Tensor:
    """Return the tensor that lies in a storage; never reads outside it, whatever the strides say."""
    numbers = (offset, *size, *stride)
    whole = all(type(number) is int and 0 <= number <= _LARGEST for number in numbers)
    if not isinstance(storage, _Tensor) or not whole or len(size) != len(stride) or len(size) > 8:
        message = "holds a tensor with an impossible shape"
        raise MapError(message)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if prod(size) > _LARGEST or (prod(size) and last >= storage.array.size):
        message = "holds a tensor larger than its storage"
        raise MapError(message)
    if not prod(size):
        return _Tensor(np.empty(size, storage.array.dtype))
    steps = [step * storage.array.itemsize for step in stride]
    view = np.lib.stride_tricks.as_strided(storage.array[offset:], size, steps, writeable=False)
    return _Tensor(view.copy())
