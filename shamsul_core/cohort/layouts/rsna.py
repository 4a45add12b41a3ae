"""RSNA's Pneumonia Detection Challenge of 2018 (Shih et al., Radiology: Artificial Intelligence 2019), as on Kaggle.

::

    <folder>/stage_2_train_labels.csv            a row a box; a radiograph without any has one row of blanks
    <folder>/stage_2_detailed_class_info.csv     which radiographs without a box are normal
    <folder>/stage_2_train_images/<patientId>.dcm

Boxes are x, y, width and height in pixels of the released 1024 × 1024; every radiograph was looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort.csv_file import first_of, read_columns
from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.label_table import LabelRow
from shamsul_core.cohort.layouts.splits import ALL, choose_split
from shamsul_core.cohort.marks import Mark
from shamsul_core.cohort.problems import Problem
from shamsul_core.cohort.tabular import Tables, TabularCohort
from shamsul_core.imaging.boxes import read_box
from shamsul_core.imaging.refusals import MaskError
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import NO_FINDING, RSNA_OBSERVATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.cohort.plus_labels import Labels

_TABLES = ("stage_2_train_labels.csv", "stage_1_train_labels.csv")
_CLASSES = "stage_2_detailed_class_info.csv"
_DRAWN_ON = (1024, 1024)
_TARGETS = {"0": 0.0, "1": 1.0}
(_PNEUMONIA,) = RSNA_OBSERVATIONS


def is_here(folder: Path) -> bool:
    """Return whether its table is."""
    return any((folder / name).is_file() for name in _TABLES)


def open_rsna(folder: Path, split: str | None) -> TabularCohort:
    """Open its training set; no other has labels.

    Raises
    ------
    CohortError
        The table cannot be read, or there is no such split.
    """
    table = first_of(folder, _TABLES)
    chosen = choose_split(split, ("train", ALL), folder)
    problems: list[Problem] = []
    labels, marks = _read(table, problems)
    has_classes = (folder / _CLASSES).is_file()
    if has_classes:
        for _, (name, kind) in read_columns(folder / _CLASSES, ("patientId", "class"), problems):
            if id_of(name) in labels:
                labels[id_of(name)][NO_FINDING] = float(kind == "Normal")
    rows = [
        LabelRow(number, image_id, image_id, of_image, "frontal")
        for number, (image_id, of_image) in enumerate(labels.items(), 1)
    ]
    tables = Tables(
        layout="rsna",
        folder=folder,
        split=chosen,
        rows=rows,
        observations=(NO_FINDING, _PNEUMONIA),
        marks=marks,
        drawn_on=_DRAWN_ON,
        source=table.name,
        files={"radiographs": (folder,), "labels and boxes": (table,)},
        problems=problems,
        remarks=()
        if has_classes
        else [Problem(str(folder), f"there is no {_CLASSES}; {NO_FINDING} is blank")],
    )
    images = folder / table.name.replace("_labels.csv", "_images")
    return TabularCohort(tables, ImageIndex(images if images.is_dir() else folder))


def _read(table: Path, problems: list[Problem]) -> tuple[dict[str, Labels], dict[str, list[Mark]]]:
    labels: dict[str, Labels] = {}
    marks: dict[str, list[Mark]] = {}
    columns = ("patientId", "x", "y", "width", "height", "Target")
    for line, (name, *numbers, target) in read_columns(table, columns, problems):
        subject = f"{table.name} line {line}"
        if target not in _TARGETS:
            problems.append(Problem(subject, f"Target is {quoted(target)}, not 0 or 1; it is left out"))
            continue
        labels.setdefault(id_of(name), {NO_FINDING: None, _PNEUMONIA: _TARGETS[target]})
        if not any(numbers):
            continue
        try:
            mark = Mark(_PNEUMONIA, read_box(numbers, is_sized=True))
        except MaskError as error:
            problems.append(Problem(subject, f"{error}; it is left out"))
            continue
        marks.setdefault(id_of(name), []).append(mark)
    return labels, marks
