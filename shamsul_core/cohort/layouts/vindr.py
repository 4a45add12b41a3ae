"""VinDr-CXR (Nguyen et al., Scientific Data 2022), as PhysioNet and Kaggle (VinBigData) release it.

::

    <folder>/annotations/annotations_train.csv, annotations_test.csv      a row a box
    <folder>/annotations/image_labels_train.csv, image_labels_test.csv    a row a radiograph and, of train, a reader
    <folder>/train/<image_id>.dicom, test/<image_id>.dicom

    <folder>/train.csv, train/<image_id>.dicom                            Kaggle's; of its test set nothing is told
    <folder>/train_meta.csv                                               of Kaggle's smaller copies as PNG: the original sizes

Boxes are in pixels of the original. Each radiograph of train was read by three radiologists, whose boxes are kept apart; its
label is positive where most of them saw the observation, negative where none did, and else uncertain. Those of test are the
consensus of five.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shamsul_core.cohort.csv_file import header_of, read_columns
from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.label_table import LabelRow
from shamsul_core.cohort.layouts.splits import ALL, choose_split
from shamsul_core.cohort.marks import Box, Mark
from shamsul_core.cohort.problems import Problem
from shamsul_core.cohort.tabular import Tables, TabularCohort
from shamsul_core.imaging.boxes import read_box
from shamsul_core.imaging.refusals import MaskError
from shamsul_core.vocabulary import VINDR_OBSERVATIONS, canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from shamsul_core.cohort.plus_labels import Labels
    from shamsul_core.cohort.radiograph import Size

_COLUMNS = ("image_id", "class_name", "x_min", "y_min", "x_max", "y_max")
_READER = "rad_id"
_KAGGLE = "train.csv"
_SIZES = "train_meta.csv"
_ORDER = tuple(map(canonical_name, VINDR_OBSERVATIONS))


class _Files(NamedTuple):
    boxes: Path
    labels: Path | None


class _Row(NamedTuple):
    """A row of a table of boxes; `box` is ``None`` where the reader found nothing, or nothing that has a place."""

    image_id: str
    name: str
    reader: str
    observation: str
    box: Box | None


def is_here(folder: Path) -> bool:
    """Return whether its tables are."""
    return bool(_splits(folder))


def open_vindr(folder: Path, split: str | None) -> TabularCohort:
    """Open a split; by default test, where there is one.

    Raises
    ------
    CohortError
        The tables cannot be read, or there is no such split.
    """
    splits = _splits(folder)
    chosen = choose_split(split, (*splits, ALL) if splits else (ALL,), folder)
    files = [of_split for name, of_split in splits.items() if chosen in (ALL, name)]
    problems: list[Problem] = []
    rows = [row for of_split in files for row in _rows(of_split.boxes, problems)]
    votes = _votes(rows)
    for of_split in files:
        if of_split.labels is not None:
            votes |= _votes_of_labels(of_split.labels, problems)
    observations = _observations(votes)
    marks: dict[str, list[Mark]] = {}
    for row in rows:
        if row.box is not None:
            mark = Mark(row.observation, row.box, annotator=row.reader)
            marks.setdefault(row.image_id, []).append(mark)
    names = {row.image_id: row.name for row in rows}
    tables = Tables(
        layout="vindr",
        folder=folder,
        split=chosen,
        rows=[
            LabelRow(
                number,
                image_id,
                names.get(image_id, image_id),
                _labels(by_reader, observations),
                "frontal",
            )
            for number, (image_id, by_reader) in enumerate(votes.items(), 1)
        ],
        observations=observations,
        marks=marks,
        drawn_on=_sizes(folder, problems),
        annotators={
            image_id: tuple(sorted({*by_reader, *(mark.annotator for mark in marks.get(image_id, ()))}))
            for image_id, by_reader in votes.items()
        },
        source=", ".join(of_split.boxes.name for of_split in files),
        files={
            "radiographs": (folder,),
            "boxes": tuple(of_split.boxes for of_split in files),
            "labels": tuple(of_split.labels for of_split in files if of_split.labels is not None),
        },
        problems=problems,
    )
    folders = [folder / name for name in splits if chosen in (ALL, name) and (folder / name).is_dir()]
    return TabularCohort(tables, ImageIndex(*(folders or [folder])))


def _splits(folder: Path) -> dict[str, _Files]:
    """Return the tables of each split, test first."""
    splits = {}
    for name in ("test", "train"):
        boxes = folder / "annotations" / f"annotations_{name}.csv"
        labels = folder / "annotations" / f"image_labels_{name}.csv"
        if set(_COLUMNS) <= set(header_of(boxes)):
            splits[name] = _Files(boxes, labels if labels.is_file() else None)
    if not splits and {*_COLUMNS, _READER} <= set(header_of(folder / _KAGGLE)):
        splits["train"] = _Files(folder / _KAGGLE, None)
    return splits


def _rows(path: Path, problems: list[Problem]) -> Iterable[_Row]:
    for line, (name, finding, *numbers, reader) in read_columns(
        path, _COLUMNS, problems, optional=(_READER,)
    ):
        try:
            box = read_box(numbers) if any(numbers) else None
            yield _Row(id_of(name), name, reader, canonical_name(finding), box)
        except MaskError as error:
            problems.append(Problem(f"{path.name} line {line}", f"{error}; it is left out"))


def _votes(rows: Iterable[_Row]) -> dict[str, dict[str, set[str]]]:
    """Return what each reader of each radiograph saw, from the boxes."""
    votes: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        votes.setdefault(row.image_id, {}).setdefault(row.reader, set()).add(row.observation)
    return votes


def _votes_of_labels(path: Path, problems: list[Problem]) -> dict[str, dict[str, set[str]]]:
    """Return what each reader of each radiograph saw, from a table with a column an observation."""
    titles = [title for title in header_of(path) if title not in ("image_id", _READER)]
    names = list(map(canonical_name, titles))
    votes: dict[str, dict[str, set[str]]] = {}
    columns = ("image_id", *titles)
    for _, (name, *fields) in read_columns(path, columns, problems, optional=(_READER,)):
        *values, reader = fields
        seen = {observation for observation, value in zip(names, values, strict=True) if _is_one(value)}
        votes.setdefault(id_of(name), {})[reader] = seen
    return votes


def _is_one(value: str) -> bool:
    return value in ("1", "1.0")


def _observations(votes: dict[str, dict[str, set[str]]]) -> tuple[str, ...]:
    """Return the authors' observations as far as anybody saw them, then what else is named."""
    seen = {name for by_reader in votes.values() for names in by_reader.values() for name in names}
    return (*(name for name in _ORDER if name in seen), *sorted(seen - set(_ORDER)))


def _labels(by_reader: dict[str, set[str]], observations: tuple[str, ...]) -> Labels:
    labels: Labels = {}
    for name in observations:
        count = sum(name in seen for seen in by_reader.values())
        labels[name] = 1.0 if 2 * count > len(by_reader) else -1.0 if count else 0.0
    return labels


def _sizes(folder: Path, problems: list[Problem]) -> dict[str, Size]:
    """Return the original height and width where a table has them."""
    if not {"image_id", "dim0", "dim1"} <= set(header_of(folder / _SIZES)):
        return {}
    sizes = {}
    for _, (name, height, width) in read_columns(folder / _SIZES, ("image_id", "dim0", "dim1"), problems):
        if height.isdecimal() and width.isdecimal() and int(height) and int(width):
            sizes[id_of(name)] = (int(height), int(width))
    return sizes
