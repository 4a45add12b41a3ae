"""What is wrong with a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BEGINNINGS = {
    b"PK\x03\x04": "a zip archive, as torch.save and Keras 3's .keras write",
    b"\x89HDF": "an HDF5 file, as Keras' weights.h5",
    b"\x80": "a Python pickle",
    b"\x08": "a protocol buffer, as ONNX",
    b"\x93NUMPY": "a NumPy array",
    b"{": "JSON text",
}


class ModelError(ValueError):
    """A model that cannot be used; the message says in one line which file, what is wrong and what to do."""


def first_line(error: BaseException) -> str:
    r"""Return the first line of what an error says; of one that says nothing, its class.

    >>> first_line(ValueError("no such layer\nTraceback")), first_line(KeyError())
    ('no such layer', 'KeyError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def what_is(path: Path) -> str:
    """Return in words what a file is by its first bytes, such as ``"a Python pickle"``.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return "an empty file"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**27:
        return "a safetensors file"
    for beginning, name in _BEGINNINGS.items():
        if start.startswith(beginning):
            return name
    return "text" if start.isascii() and b"\x00" not in start else "a file of a kind unknown here"
