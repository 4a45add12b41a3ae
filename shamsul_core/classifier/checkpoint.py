"""Tensors by name as training scripts leave them: safetensors, ``torch.save``'s, and Lightning's checkpoints.

Nothing in a file is executed: of a pickle only tensors, containers and a few harmless classes are read.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import pathlib
import pickle
import warnings
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from shamsul_core.classifier.errors import ModelError, first_line, what_is
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_NUMPY_SCALAR: Any = np.float64(0).__reduce__()[0]

# torch says it of a file that it then reads or refuses. Set once, for the whole process: to set it and take it back around
# each reading would change other threads' warnings. So with the classes that checkpoints hold besides tensors: the
# settings of a run, the best score so far and where it lies.
warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
torch.serialization.add_safe_globals(
    [
        argparse.Namespace,
        pathlib.PosixPath,
        np.dtype,
        np.ndarray,
        np.dtypes.Float32DType,
        np.dtypes.Float64DType,
        np.dtypes.Int64DType,
        (_NUMPY_SCALAR, "numpy.core.multiarray.scalar"),
        (_NUMPY_SCALAR, "numpy._core.multiarray.scalar"),
    ]
)

_WITHIN = ("state_dict", "model_state_dict", "model", "net", "network", "ema_state_dict")
_NAMES = ("class_names", "classes", "pathologies", "label_names", "labels")
_DEEPEST = 4
_SWELLS = 4
"""Times its size that a file of weights, which hardly can be compressed, may take when it is read."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Parameters
    ----------
    tensors
        By their names, not empty.
    said
        What else stands in it, such as ``"arch"`` and ``"hyper_parameters"``.
    """

    tensors: Mapping[str, torch.Tensor]
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The outputs' names, where the file has them under one of their usual keys; else none."""
        settings = self.said.get("hyper_parameters")
        places = [self.said, settings if isinstance(settings, dict) else {}]
        for place in places:
            for key in _NAMES:
                names = place.get(key)
                if isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names):
                    return tuple(names)
        return ()


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a file of tensors.

    Raises
    ------
    ModelError
        If it is none, or could not be read without executing what it says; says what to do.
    """
    if _is_safetensors(path):
        try:
            return Checkpoint(_tensors(path, load_file(path)))
        except (SafetensorError, OSError, RuntimeError) as error:
            message = f"{path}: {what_is(path)}, not readable safetensors ({first_line(error)})"
            raise ModelError(message) from error
    _refuse_torchscript(path)
    try:
        stored: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        ValueError,
        OSError,
        LookupError,
        TypeError,
    ) as error:
        message = (
            f"{path}: {what_is(path)}, not a state dict that can be read safely; where you made it, write its weights: "
            f"model = torch.load({path.name!r}, weights_only=False); torch.save(model.state_dict(), 'weights.pt')"
        )
        raise ModelError(message) from error
    said: dict[str, Any] = {}
    for _ in range(_DEEPEST):
        within = [key for key in _WITHIN if isinstance(stored, dict) and isinstance(stored.get(key), dict)]
        if not within:
            break
        said |= {key: value for key, value in stored.items() if isinstance(key, str) and key != within[0]}
        stored = stored[within[0]]
    return Checkpoint(_tensors(path, stored), said)


def _is_safetensors(path: Path) -> bool:
    return path.suffix == ".safetensors" or what_is(path) == "a safetensors file"


def _refuse_torchscript(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    refuse_swollen(path)
    with zipfile.ZipFile(path) as archive:
        is_script = any("/code/" in name for name in archive.namelist())
    if is_script:
        message = (
            f"{path}: TorchScript, whose code would be executed; write its weights where you made it: "
            f"model = torch.jit.load({path.name!r}); torch.save(model.state_dict(), 'weights.pt')"
        )
        raise ModelError(message)


def refuse_swollen(path: Path) -> None:
    """Raise a `ModelError` for a zip archive or an HDF5 file that would take far more memory than it has bytes.

    Archives and HDF5 files within an archive, as Keras' ``.keras`` has them, are looked into as well.

    Raises
    ------
    OSError
        If it is neither.
    """
    if not zipfile.is_zipfile(path):
        with h5py.File(path, "r") as file:
            _refuse_swollen_hdf5(path, file, path.stat().st_size)
        return
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        refuse_swell(path, "a zip archive", sum(entry.file_size for entry in entries), path.stat().st_size)
        for entry in entries:
            if entry.filename.endswith((".h5", ".npz")):
                _refuse_swollen_within(path, entry.filename, io.BytesIO(archive.read(entry)), entry.file_size)


def _refuse_swollen_within(path: Path, name: str, content: io.BytesIO, has: int) -> None:
    if zipfile.is_zipfile(content):
        with zipfile.ZipFile(content) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        refuse_swell(path, f"a zip archive with a {quoted(name)}", size, has)
        return
    # What is neither, its reader refuses
    with contextlib.suppress(OSError), h5py.File(content, "r") as file:
        _refuse_swollen_hdf5(path, file, has)


def _refuse_swollen_hdf5(path: Path, file: h5py.File, has: int) -> None:
    """Raise a `ModelError` for an HDF5 file of `has` bytes whose arrays say that they would take far more memory."""
    sizes: list[int] = []

    def visit(_name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(item.nbytes)

    file.visititems(visit)
    refuse_swell(path, "an HDF5 file", sum(sizes), has)


def refuse_swell(path: Path, kind: str, size: int, has: int) -> None:
    """Raise a `ModelError` where what has `has` bytes would take `size`, far more than weights can be compressed."""
    if size > _SWELLS * has + 2**20:
        message = f"{path}: {kind} that swells to {size:,} bytes, which weights do not; it is not read"
        raise ModelError(message)


def _tensors(path: Path, stored: object) -> dict[str, torch.Tensor]:
    if isinstance(stored, dict):
        named = dict(_named(stored))
        if named and len(named) == len(stored):
            return named
    message = f"{path}: holds {type(stored).__name__}, not a state dict (names and tensors)"
    raise ModelError(message)


def _named(stored: Mapping[Any, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in stored.items():
        if isinstance(name, str) and isinstance(value, torch.Tensor):
            yield name, value.detach()


def beneath(tensors: Mapping[str, torch.Tensor], depth: int = 3) -> Iterator[dict[str, torch.Tensor]]:
    """Yield a state dict as it is, and what lies under each of its prefixes, such as ``module.`` or ``model.net.``.

    Those with most tensors come first.
    """
    yield dict(tensors)
    if not depth:
        return
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        prefix, dot, rest = name.partition(".")
        if dot:
            groups.setdefault(prefix, {})[rest] = tensor
    for group in sorted(groups.values(), key=len, reverse=True):
        yield from beneath(group, depth - 1)
