"""The run's folder: its manifest, its radiographs' results and its tables."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shamsul_core.files.atomic import write_atomically
from shamsul_core.files.storage import is_remote, names_in, place, reaching, read_bytes
from shamsul_core.run.bounds import LARGEST_MANIFEST, opened
from shamsul_core.run.manifest import Manifest, RunError
from shamsul_core.run.result import (
    RadiographResult,
    decode_heatmap,
    decode_heatmaps,
    encode_result,
    make_result,
)
from shamsul_core.run.result_file import OpenResult
from shamsul_core.run.tables import (
    FAILURE_COLUMNS,
    NOVELTY,
    YARDSTICK_COLUMNS,
    read_failures,
    read_novelty,
    read_predictions,
    read_proof,
    read_scores,
    read_segmentation,
    read_yardsticks,
    score_table,
    write_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from shamsul_core.heatmap import Heatmap
    from shamsul_core.run.tables import TableRow

_LONGEST_ERROR = 300
"""Characters that are told of an error, which may quote what the file holds."""

_LARGEST_PICTURE, _WIDEST_PICTURE = 2**24, 4096
"""Bytes, and pixels a side, of what a network sees."""

_SUFFIX = ".safetensors"
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]*")


class Run:
    """A run's folder, opened; it may be an address in an object store, see `shamsul_core.files.storage`."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        # Of results read so far, each of which is read once
        self._predicted: dict[str, Mapping[str, float | None]] = {}

    @property
    def name(self) -> str | None:
        """Of its folder; ``None`` of a run that lies nowhere."""
        return self.folder.name

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Open a run.

        Raises
        ------
        RunError
            If there is none, or its manifest cannot be read.
        """
        path = folder / "manifest.json"
        try:
            with opened(path, LARGEST_MANIFEST) as (file, _):
                return cls(folder, Manifest.from_json(file.read().decode()))
        except FileNotFoundError as error:
            message = (
                f"{folder}: no run here (no manifest.json); make one with: python -m shamsul_core explain"
            )
            raise RunError(message) from error
        except (OSError, ValueError, RecursionError) as error:
            message = f"{path}: not a readable manifest: {str(error)[:_LONGEST_ERROR]}"
            raise RunError(message) from error

    @classmethod
    def create_or_resume(cls, folder: Path, manifest: Manifest) -> Run:
        """Start a run in `folder`, or go on with the one that is there.

        Raises
        ------
        RunError
            If a run of another model, cohort or other settings is there, which is left as it is; or if the manifest is
            one that could not be read again.
        """
        if _exists(folder / "manifest.json"):
            run = cls.open(folder)
            differences = run.manifest.differences(manifest)
            if differences:
                message = (
                    f"{folder}: contains a run that differs in {', '.join(differences)}; give another folder"
                )
                raise RunError(message)
            return run
        try:
            Manifest.from_json(manifest.to_json())
        except ValueError as error:
            message = f"{folder}: no such run can be made: {error}"
            raise RunError(message) from error
        if not is_remote(folder):
            (folder / "heatmaps").mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "manifest.json", manifest.to_json().encode())
        return cls(folder, manifest)

    def note_circumstances(self, name: str, circumstances: Mapping[str, Any]) -> None:
        """Write down under what radiographs are explained from now on, unless it stands there already.

        Parameters
        ----------
        name
            What the results say that they were made with.
        circumstances
            See `shamsul_core.run.provenance.circumstances`.
        """
        if name not in self.manifest.made_with:
            self.manifest = replace(self.manifest, made_with={**self.manifest.made_with, name: circumstances})
            write_atomically(self.folder / "manifest.json", self.manifest.to_json().encode())

    # What was found out about one radiograph

    def path_of(self, image_id: str) -> Path:
        """Return where a radiograph's result lies or would lie.

        Raises
        ------
        RunError
            If `image_id` is no plain name and could lead out of the run.
        """
        if not _SAFE_ID.fullmatch(image_id):
            message = f"{image_id!r} is not a radiograph's id"
            raise RunError(message)
        return self.folder / "heatmaps" / f"{image_id}{_SUFFIX}"

    def explained_ids(self) -> list[str]:
        """Return the ids of the radiographs explained so far, sorted."""
        with reaching(self.folder):
            return sorted(
                name.removesuffix(_SUFFIX)
                for name in names_in(self.folder / "heatmaps")
                if name.endswith(_SUFFIX) and not name.startswith(".")
            )

    def write(self, result: RadiographResult) -> None:
        """Write a radiograph's result, whole or not at all.

        Raises
        ------
        OSError
            If the disk is full or the run cannot be written.
        """
        write_atomically(self.path_of(result.image_id), encode_result(result))
        self._predicted[result.image_id] = _row_of(result)

    def read(self, image_id: str) -> RadiographResult:
        """Read a radiograph's result with all its heatmaps; one that is no map is among the failures.

        Raises
        ------
        RunError
            If it is not there or cannot be read.
        """
        with self._opened(image_id) as (file, record):
            return make_result(record, *decode_heatmaps(file, record["heatmaps"]))

    def read_record(self, image_id: str) -> RadiographResult:
        """Read a radiograph's result without its heatmaps, which is quick.

        Raises
        ------
        RunError
            If it is not there or cannot be read.
        """
        with self._opened(image_id) as (_, record):
            return make_result(record)

    def heatmap(self, image_id: str, method: str, pathology: str) -> Heatmap | None:
        """Read one heatmap; ``None`` where the method failed on it or it was not asked for.

        Raises
        ------
        RunError
            If the radiograph's result is not there or cannot be read.
        """
        with self._opened(image_id) as (file, record):
            description = record["heatmaps"].get(f"{method}/{pathology}")
            return None if description is None else decode_heatmap(file, f"{method}/{pathology}", description)

    def write_seen(self, image_id: str, picture: npt.NDArray[np.uint8]) -> None:
        """Keep what the network sees of a radiograph, h × w in grey levels, for those who look at the run.

        Raises
        ------
        OSError
            If the disk is full or the run cannot be written.
        """
        about, file = PngInfo(), BytesIO()
        about.add_text("image_id", image_id)
        Image.fromarray(picture).save(file, "png", pnginfo=about)
        write_atomically(self._seen_path, file.getvalue())

    @property
    def has_seen(self) -> bool:
        """Whether it is kept of any radiograph what the network sees."""
        return _exists(self._seen_path)

    def seen(self) -> tuple[str, bytes] | None:
        """Return a radiograph's id and what the network sees of it, a PNG; ``None`` where nothing of it can be read."""
        try:
            content = read_bytes(self._seen_path, _LARGEST_PICTURE)
            with Image.open(BytesIO(content), formats=["PNG"]) as picture:
                is_bounded = max(picture.size) <= _WIDEST_PICTURE
                return (str(picture.info["image_id"])[:_LONGEST_ERROR], content) if is_bounded else None
        except (OSError, ValueError, KeyError, SyntaxError):
            return None

    @property
    def _seen_path(self) -> Path:
        return self.folder / "seen.png"

    def _opened(self, image_id: str) -> OpenResult:
        return OpenResult(self.path_of(image_id))

    # The run's tables

    @property
    def predictions(self) -> pd.DataFrame:
        """image_id and the probability of each observation, one row per radiograph."""
        return read_predictions(self.folder / "predictions.parquet", self.manifest)

    @property
    def novelty(self) -> pd.Series:
        """How new each radiograph is to the model, by image_id, see `RadiographResult`; without those not known."""
        return read_novelty(self.folder / "predictions.parquet")

    @property
    def scores(self) -> pd.DataFrame:
        """One row per radiograph, pathology and method, see `SCORE_COLUMNS`."""
        return read_scores(self.folder / "scores.parquet", self.manifest)

    @property
    def failures(self) -> pd.DataFrame:
        """What could not be done and why, see `FAILURE_COLUMNS`."""
        return read_failures(self.folder / "failures.parquet")

    @property
    def yardsticks(self) -> pd.DataFrame:
        """What the scores are held against, see `YARDSTICK_COLUMNS`; none where they are not of these scores' masks."""
        table = read_yardsticks(self._yardsticks_path, self.manifest)
        return table if self.has_yardsticks else table.iloc[:0]

    @property
    def has_yardsticks(self) -> bool:
        """Whether the yardsticks of these scores' masks were measured, also where experts marked nothing."""
        measured = read_segmentation(self._yardsticks_path)
        return measured is not None and measured == self.segmentation

    @property
    def _yardsticks_path(self) -> Path:
        return self.folder / "yardsticks.parquet"

    @property
    def proof(self) -> pd.DataFrame:
        """What the tests of the methods measured, see `PROOF_COLUMNS`; no rows before ``shamsul proof``."""
        return read_proof(self.folder / "proof.parquet", self.manifest)

    @property
    def segmentation(self) -> dict[str, Any] | None:
        """How the scores' masks were made (`SegmentationSettings.to_json`); ``None`` before there are scores."""
        return read_segmentation(self.folder / "scores.parquet")

    def write_predictions(self) -> None:
        """Write the table of predictions from the radiographs' results; a damaged one is left out."""
        for image_id in self.explained_ids():
            if image_id not in self._predicted:
                with suppress(RunError):
                    self._predicted[image_id] = _row_of(self.read_record(image_id))
        rows = [{"image_id": image_id, **self._predicted[image_id]} for image_id in sorted(self._predicted)]
        columns = ["image_id", *self.manifest.model["pathologies"]]
        if any(row[NOVELTY] is not None for row in rows):
            columns.append(NOVELTY)
        types = dict.fromkeys(columns, "float64") | {"image_id": "string"}
        write_table(self.folder / "predictions.parquet", pd.DataFrame(rows, columns=columns).astype(types))

    def write_scores(self, rows: Iterable[TableRow], segmentation: Mapping[str, Any]) -> None:
        """Write the table of scores, with the settings that made their masks."""
        write_table(self.folder / "scores.parquet", score_table(rows), {"segmentation": segmentation})

    def write_yardsticks(self, rows: Iterable[TableRow], segmentation: Mapping[str, Any]) -> None:
        """Write the table of yardsticks, with the settings that made the masks they are for."""
        table = pd.DataFrame(list(rows), columns=list(YARDSTICK_COLUMNS)).astype(YARDSTICK_COLUMNS)
        table = table.sort_values(["image_id", "pathology", "method"], ignore_index=True)
        write_table(self._yardsticks_path, table, {"segmentation": segmentation})

    def write_failures(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the table of failures."""
        table = pd.DataFrame(list(rows), columns=list(FAILURE_COLUMNS)).astype(FAILURE_COLUMNS)
        table = table.sort_values(list(FAILURE_COLUMNS), ignore_index=True)
        write_table(self.folder / "failures.parquet", table)

    @cached_property
    def cohort_folder(self) -> Path:
        """The cohort's folder, which need not exist any more."""
        path = str(self.manifest.cohort["path"])
        return place(path) if is_remote(self.folder) else (self.folder / path).resolve()


def _row_of(result: RadiographResult) -> dict[str, float | None]:
    return {**result.probabilities, NOVELTY: result.novelty}


def find_runs(folders: Sequence[str]) -> dict[str, str]:
    """Return the runs to choose from: the folders themselves, and those inside a folder that is no run.

    Returns
    -------
    dict
        Each run's folder by a name that tells it from the others: the folder's own, and its parents' where it must be.
        A folder without any run is there too, so that opening it says what is wrong.

    Raises
    ------
    OSError
        If a place cannot be reached.
    """
    runs: list[str] = []
    for folder in folders:
        path = place(folder)
        inside = [] if _exists(path / "manifest.json") else _runs_inside(path)
        runs += [str(run) for run in inside] or [folder]
    return dict(zip(_telling_names(list(dict.fromkeys(runs))), dict.fromkeys(runs), strict=True))


def _runs_inside(path: Path) -> list[Path]:
    with reaching(path):
        return sorted(manifest.parent for manifest in path.glob("*/manifest.json"))


def _telling_names(folders: list[str]) -> list[str]:
    parts = [folder.rstrip("/").split("/") for folder in folders]
    for depth in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            break
    return names


def _exists(path: Path) -> bool:
    with reaching(path):
        return path.exists()
