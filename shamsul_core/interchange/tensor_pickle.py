"""Reads pickles of torch tensors without executing them, and without torch.

CheXlocalize publishes its heatmaps as pickled dictionaries of tensors. A pickle is a program; this reader runs only
the part of it that builds dictionaries, numbers, texts and tensors. Before anything runs, the instructions are read
through and any that is not on the list below is refused; while it runs, only these names are known:

- ``torch._utils._rebuild_tensor_v2``: a tensor from a storage, an offset, a size and strides,
- ``torch.storage._load_from_bytes``: a storage from the bytes of a legacy ``torch.save`` stream, read the same way
  but knowing torch's storage types only: five pickles (magic number, protocol, system, storage, keys), then the
  count and the raw numbers,
- ``collections.OrderedDict``: the tensor's backward hooks, empty,
- ``_codecs.encode``: bytes, as protocol 2 spells them.

Each stands for a function of this module that does no more than is said here.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

_ALLOWED = frozenset(
    {"PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK"}
    | {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
    | {"BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
    | {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS"}
    | {"EMPTY_DICT", "SETITEM", "SETITEMS", "BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET"}
    | {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BINPERSID"}
)
_REMEMBER = frozenset({"BINPUT", "LONG_BINPUT", "MEMOIZE"})
_RECALL = frozenset({"BINGET", "LONG_BINGET"})
_SHAREABLE = frozenset(
    {"BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BINFLOAT", "LONG1"}
    | {"EMPTY_LIST", "EMPTY_DICT", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BINPERSID"}
)
# A heatmap has about 120; a memo index reserves a table of that length
_MOST_INSTRUCTIONS = 10_000
# A heatmap has 6; each may copy a text as long as the file
_MOST_CALLS = 64
_DEEPEST = 16
# Numbers in a storage; a radiograph's map at full size has 2**23
_LARGEST = 2**28
_MAGIC = 0x1950A86A20F9469CFC6C
_LONGEST_QUOTE = 100

_STORAGES = {
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "DoubleStorage"): np.dtype("<f8"),
    ("torch", "HalfStorage"): np.dtype("<f2"),
    ("torch", "LongStorage"): np.dtype("<i8"),
    ("torch", "IntStorage"): np.dtype("<i4"),
    ("torch", "ShortStorage"): np.dtype("<i2"),
    ("torch", "CharStorage"): np.dtype("<i1"),
    ("torch", "ByteStorage"): np.dtype("<u1"),
    ("torch", "BoolStorage"): np.dtype("?"),
}


class MapError(ValueError):
    """A file of heatmaps or thresholds that cannot be used; one line says which, what is wrong and what to do."""


class UnsafePickleError(MapError):
    """A pickle that asks for something that is never executed."""


def load(data: bytes) -> Any:
    """Return what a pickle of plain values and torch tensors holds, tensors as numpy arrays.

    The arrays are read-only views: a tensor that repeats its numbers (a stride of 0) may look far larger than `data`,
    so look at its shape before copying it.

    Raises
    ------
    UnsafePickleError
        If it asks for anything else; nothing is executed.
    MapError
        If it is damaged.
    """
    return _plain(_run(io.BytesIO(data), _TENSORS), 0, iter(range(_MOST_INSTRUCTIONS)))


class _Tensor:
    """Stands between unpickling and its result, so that a pickle never gets hold of an array's own methods."""

    __slots__ = ("array",)

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array


class _Storage(NamedTuple):
    """What a legacy stream says of its one storage."""

    dtype: np.dtype[Any]
    key: str
    length: int


class _Unpickler(pickle.Unpickler):
    """Knows the names given to it; storages are told by a persistent id where torch's storage types are known."""

    def __init__(self, file: io.BytesIO, names: Mapping[tuple[str, str], Any]) -> None:
        super().__init__(file)
        self._names = names

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._names:
            message = f"asks for {as_ascii(f'{module}.{name}')}, which SHAMSUL never executes"
            raise UnsafePickleError(message)
        return self._names[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        # ("storage", type, key, device, count[, view]); torch of today still writes the view, always None
        if self._names is _STORAGES and isinstance(pid, tuple) and len(pid) in (5, 6) and pid[0] == "storage":
            _, dtype, key, _, count, *view = pid
            is_whole = view in ([], [None]) and type(count) is int and 0 <= count <= _LARGEST
            if is_whole and isinstance(dtype, np.dtype) and isinstance(key, str):
                return _Storage(dtype, key, count)
        message = "names an object that is no tensor's storage, which SHAMSUL never executes"
        raise UnsafePickleError(message)


def as_ascii(text: object) -> str:
    r"""Return foreign text as it may stand in a message: one line of ASCII, not longer than 100 characters.

    >>> as_ascii("two\nlines")
    'two\\nlines'
    """
    return ascii(str(text))[1:-1][:_LONGEST_QUOTE]


def _run(file: io.BytesIO, names: Mapping[tuple[str, str], Any]) -> Any:
    """Run the next pickle of a file, which is left at its end."""
    start = file.tell()
    try:
        _screen(file)
        file.seek(start)
        return _Unpickler(file, names).load()
    except MapError:
        raise
    except (MemoryError, OverflowError, RecursionError) as error:
        message = f"is damaged: it asks for too much memory ({type(error).__name__})"
        raise MapError(message) from error
    except (pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError) as error:
        message = f"is damaged or no pickle of a heatmap ({as_ascii(error)})"
        raise MapError(message) from error


def _screen(file: io.BytesIO) -> None:
    """Refuse a pickle with an instruction that no heatmap needs, before any of it runs.

    A tuple used twice is refused too, and so are very many instructions: tuples of tuples, as the key of a
    dictionary, make Python's ``hash`` run for years (each holding the one before twice) or overflow the C stack.
    """
    top, calls = "", 0
    # The instruction that made what is remembered
    memo: dict[Any, str] = {}
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if name not in _ALLOWED:
            message = f"has the pickle instruction {name}, which SHAMSUL never executes"
            raise UnsafePickleError(message)
        if name in _REMEMBER:
            memo[len(memo) if argument is None else argument] = top
        elif name not in ("PROTO", "FRAME"):
            top = name
        calls += name == "REDUCE"
        is_tuple_again = name in _RECALL and memo.get(argument) not in _SHAREABLE
        is_too_long = count > _MOST_INSTRUCTIONS or calls > _MOST_CALLS
        if is_tuple_again or is_too_long or (name in _REMEMBER and (argument or 0) > _MOST_INSTRUCTIONS):
            message = "is damaged: it has more objects, or other ones, than a heatmap has"
            raise MapError(message)


def _plain(value: Any, depth: int, left: Iterator[int]) -> Any:
    """Put arrays in place of tensors; a list may hold itself, or others so often that all together never end."""
    if depth > _DEEPEST or next(left, None) is None:
        message = "is damaged: it nests more objects than a heatmap has"
        raise MapError(message)
    if isinstance(value, _Tensor):
        return value.array
    if isinstance(value, dict):
        return {key: _plain(part, depth + 1, left) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_plain(part, depth + 1, left) for part in value])
    return value


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
    magic, _, system, storage, keys = (_run(file, _STORAGES) for _ in range(5))
    if magic != _MAGIC or not isinstance(storage, _Storage) or keys != [storage.key]:
        message = "holds a storage that torch did not write"
        raise MapError(message)
    if not isinstance(system, dict) or system.get("little_endian") is False:
        message = "was written on a big-endian machine; write it again on another"
        raise MapError(message)
    count = int.from_bytes(file.read(8), "little", signed=True)
    if count != storage.length or len(data) - file.tell() < count * storage.dtype.itemsize:
        message = f"is cut off: a storage of {storage.length} numbers has fewer"
        raise MapError(message)
    return _Tensor(np.frombuffer(data, storage.dtype, count, file.tell()))


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Tensor:
    """Return the tensor that lies in a storage; never reads outside it, whatever the strides say."""
    numbers = (offset, *size, *stride)
    is_whole = all(type(number) is int and 0 <= number <= _LARGEST for number in numbers)
    if not isinstance(storage, _Tensor) or not is_whole or len(size) != len(stride) or len(size) > 8:
        message = "holds a tensor with an impossible shape"
        raise MapError(message)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if prod(size) > _LARGEST or (prod(size) and last >= storage.array.size):
        message = "holds a tensor larger than its storage"
        raise MapError(message)
    if not prod(size):
        return _Tensor(np.empty(size, storage.array.dtype))
    steps = [step * storage.array.itemsize for step in stride]
    return _Tensor(np.lib.stride_tricks.as_strided(storage.array[offset:], size, steps, writeable=False))


_TENSORS = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch.storage", "_load_from_bytes"): _load_storage,
    ("collections", "OrderedDict"): dict,
    ("_codecs", "encode"): _bytes_of,
}
