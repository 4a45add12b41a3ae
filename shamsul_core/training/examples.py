"""Radiographs as the network sees them: decoded and resized once, then read from the disk.

Decoding a radiograph of 2300 × 2800 takes longer than a step's share of one on a GPU. So each is decoded and resized
with the classifier's own `Preprocessing` before the first epoch, on all cores, and kept in 8 bits, which moves an
intensity by half a grey level at most. CheXpert's 223,414 at 224 × 224 are 11 GB, mapped into memory.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.problems import Problem
from shamsul_core.files.atomic import write_atomically
from shamsul_core.training.settings import TrainingError
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.cohort import Radiograph
    from shamsul_core.progress import OnStep

_PER_FILE = 1024


def labels_of(radiographs: Sequence[Radiograph]) -> npt.NDArray[np.float32]:
    """Return labels, float32, N × 14: 1 positive, 0 negative, -1 uncertain, NaN blank."""
    rows = [[radiograph.labels.get(name) for name in OBSERVATIONS] for radiograph in radiographs]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(OBSERVATIONS))


@dataclass(frozen=True, eq=False)
class Examples:
    """The radiographs of a split that could be read, with their labels.

    Parameters
    ----------
    files
        Each with ``pixels``, uint8, of `_PER_FILE` radiographs, the last of fewer.
    rows
        Of those that could be read, their places in all files one after the other.
    labels
        float32, N × 14, of the same.
    problems
        A line for each radiograph that could not be read.
    """

    files: tuple[Path, ...]
    rows: npt.NDArray[np.int64]
    labels: npt.NDArray[np.float32]
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def intensities(self, places: npt.NDArray[np.int64]) -> torch.Tensor:
        """Return the grey levels, uint8, n × 1 × size × size, of the examples at these places from 0 on."""
        pixels = [self._slices[row // _PER_FILE][int(row % _PER_FILE)] for row in self.rows[places]]
        return torch.from_numpy(np.stack(pixels))[:, None]

    @cached_property
    def _slices(self) -> list[Any]:
        return [safe_open(path, framework="np").get_slice("pixels") for path in self.files]

    def __getstate__(self) -> dict[str, Any]:
        # An open file does not go to another process
        return {name: value for name, value in self.__dict__.items() if name != "_slices"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def read_examples(
    radiographs: Sequence[Radiograph],
    preprocessing: Preprocessing,
    folder: Path,
    name: str,
    on_step: OnStep,
) -> Examples:
    """Bring radiographs to the network's size, unless that was done before.

    Parameters
    ----------
    radiographs
        In an order that is the same at every call.
    preprocessing
        How the network wants its radiographs.
    folder
        Where the files are; those that are there are not made again.
    name
        The split's, which the files' names begin with.
    on_step
        Called once for each radiograph.

    Raises
    ------
    TrainingError
        If none of them can be read.
    OSError
        If there is no room for the files.
    """
    folder.mkdir(exist_ok=True)
    parts = [radiographs[start : start + _PER_FILE] for start in range(0, len(radiographs), _PER_FILE)]
    files = tuple(folder / f"{name}-{number:05d}.safetensors" for number in range(len(parts)))
    reasons: dict[int, str] = {}
    before = torch.get_num_threads()
    with ThreadPoolExecutor(before, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        for number, (path, part) in enumerate(zip(files, parts, strict=True)):
            unreadable = _unreadable(path)
            if unreadable is None:
                unreadable = _write(path, part, preprocessing, threads, on_step)
            else:
                for _ in part:
                    on_step(f"read {name} before")
            reasons |= {number * _PER_FILE + place: reason for place, reason in unreadable.items()}
    torch.set_num_threads(before)
    rows = np.array([row for row in range(len(radiographs)) if row not in reasons], dtype=np.int64)
    problems = tuple(Problem(radiographs[row].id, reason) for row, reason in sorted(reasons.items()))
    if not len(rows):
        message = (
            f"none of the {len(radiographs)} radiographs of {name} can be read; the first: {problems[0]}"
        )
        raise TrainingError(message)
    return Examples(files, rows, labels_of([radiographs[row] for row in rows]), problems)


def _write(
    path: Path,
    part: Sequence[Radiograph],
    preprocessing: Preprocessing,
    threads: ThreadPoolExecutor,
    on_step: OnStep,
) -> dict[int, str]:
    pixels = np.zeros((len(part), preprocessing.size_px, preprocessing.size_px), np.uint8)
    reasons: dict[int, str] = {}

    def read(place: int) -> None:
        try:
            intensities = preprocessing.resize(part[place].pixels())[0, 0]
            pixels[place] = (255 * intensities).round().clamp(0, 255).byte().numpy()
        except CohortError as error:
            reasons[place] = str(error)

    for place, _ in enumerate(threads.map(read, range(len(part)))):
        on_step(f"reading {part[place].id}")
    unreadable = {"unreadable": json.dumps(sorted(reasons.items()))}
    write_atomically(path, save({"pixels": pixels}, unreadable))
    return reasons


def _unreadable(path: Path) -> dict[int, str] | None:
    """Return the radiographs that a file lacks, by their place in it; ``None`` where there is no such file yet."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="np") as file:
            return dict(json.loads(file.metadata()["unreadable"]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        # Damaged by whatever: it is made again
        return None
