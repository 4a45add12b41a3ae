"""A run's proof, as it grows: a part for each test and radiograph, the table made of them, and small maps of some cascades.

::

    <run>/
        proof/<test>/<image_id>.parquet        what a test found of a radiograph's maps, whole or not at all
        proof/maps/<image_id>.safetensors      its maps as the layers are randomised, float16, at most 32 × 32
        proof.parquet                          all parts; see `PROOF_COLUMNS`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load, save

from shamsul_core.files.atomic import write_atomically
from shamsul_core.files.storage import is_remote, names_in, reaching, read_bytes
from shamsul_core.run.manifest import RunError
from shamsul_core.run.tables import PROOF_COLUMNS, proof_table, read_proof, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from shamsul_core.heatmap import FloatArray
    from shamsul_core.proof.catalogue import Measured
    from shamsul_core.run.run import Run

SMALL_PX = 32
"""Side of the largest small map."""

_PART, _MAPS, _SUFFIX = ".parquet", "maps", ".safetensors"
_LARGEST = 2**24
"""Bytes of a radiograph's small maps."""

SmallMaps = dict[tuple[str, str, str], "FloatArray"]
"""By stage, method and pathology: float32, at most 32 × 32, each over its largest absolute value."""


class ProofOfRun:
    """The files of a run's proof.

    Parameters
    ----------
    run
        Whose they are.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.folder: Path = run.folder / "proof"

    def done(self, part: str) -> set[str]:
        """Return the radiographs of which a part is there: a test's name, with what else tells it apart."""
        return self._stems(part, _PART)

    def write_part(self, part: str, test: str, image_id: str, rows: Iterable[Measured]) -> None:
        """Write what a test found of a radiograph's maps, whole or not at all.

        Raises
        ------
        OSError
            If the disk is full or the run cannot be written.
        """
        table = proof_table(
            {"image_id": image_id, "test": test, **{name: getattr(row, name) for name in _OF_ROW}}
            for row in rows
        )
        write_table(self._place(part, image_id, _PART), table)

    def gather(self) -> None:
        """Make the run's table of the parts; one that cannot be read is deleted, so that it is made again."""
        tables = []
        for part in sorted(names_in(self.folder)):
            for image_id in sorted(self.done(part)):
                path = self.folder / part / f"{image_id}{_PART}"
                try:
                    tables.append(read_proof(path, self.run.manifest))
                except RunError:
                    path.unlink(missing_ok=True)
        whole = pd.concat(tables, ignore_index=True) if tables else proof_table([])
        write_table(self.run.folder / "proof.parquet", whole.astype(PROOF_COLUMNS))

    def write_maps(self, image_id: str, maps: Mapping[tuple[str, str, str], FloatArray]) -> None:
        """Keep a radiograph's maps, h × w, small, by stage, method and pathology.

        Raises
        ------
        OSError
            If the disk is full or the run cannot be written.
        """
        tensors = {"/".join(key): _small(values) for key, values in maps.items()}
        write_atomically(self._place(_MAPS, image_id, _SUFFIX), save(tensors))

    def with_maps(self) -> list[str]:
        """Return the radiographs of which small maps are kept, sorted."""
        return sorted(self._stems(_MAPS, _SUFFIX))

    def maps(self, image_id: str) -> SmallMaps:
        """Read a radiograph's small maps; none where none are kept.

        Raises
        ------
        RunError
            If they cannot be read.
        """
        if image_id not in self.with_maps():
            return {}
        path = self._place(_MAPS, image_id, _SUFFIX)
        try:
            tensors = load(read_bytes(path, _LARGEST))
            return {_key(name): _checked(name, values) for name, values in tensors.items()}
        except (OSError, ValueError, SafetensorError) as error:
            message = (
                f"{path}: not readable ({str(error)[:300]}); delete it and run: python -m shamsul_core proof"
            )
            raise RunError(message) from error

    def _stems(self, part: str, suffix: str) -> set[str]:
        with reaching(self.folder):
            names = names_in(self.folder / part)
        return {
            name.removesuffix(suffix) for name in names if name.endswith(suffix) and not name.startswith(".")
        }

    def _place(self, part: str, image_id: str, suffix: str) -> Path:
        folder = self.folder / part
        if not is_remote(folder):
            folder.mkdir(parents=True, exist_ok=True)
        # Which refuses an id that leads out of the run
        return folder / f"{self.run.path_of(image_id).name.removesuffix('.safetensors')}{suffix}"


_OF_ROW = [name for name in PROOF_COLUMNS if name not in {"image_id", "test"}]


def _small(values: FloatArray) -> np.ndarray[Any, np.dtype[np.float16]]:
    height, width = values.shape
    shrunk = values.astype(np.float32)
    if max(height, width) > SMALL_PX:
        size = (min(width, SMALL_PX), min(height, SMALL_PX))
        shrunk = np.asarray(cv2.resize(shrunk, size, interpolation=cv2.INTER_AREA), np.float32)
    largest = float(np.abs(shrunk).max())
    return (shrunk / largest if largest > 0 else shrunk).astype(np.float16)


def _key(name: str) -> tuple[str, str, str]:
    stage, method, pathology = name.split("/", 2)
    return stage, method, pathology


def _checked(name: str, values: np.ndarray[Any, Any]) -> FloatArray:
    if values.ndim != 2 or max(values.shape) > SMALL_PX or not values.size:
        message = f"{name[:64]!a} is no small map"
        raise ValueError(message)
    small = values.astype(np.float32)
    if not np.isfinite(small).all():
        message = f"{name[:64]!a} is not finite"
        raise ValueError(message)
    return small
