"""NIH's ChestX-ray14 (Wang et al., CVPR 2017), as the NIH Clinical Center and Kaggle release it.

::

    <folder>/Data_Entry_2017_v2020.csv       or Data_Entry_2017.csv
    <folder>/BBox_List_2017.csv              880 radiographs with boxes, all of the test list
    <folder>/test_list.txt, train_val_list.txt
    <folder>/images/*.png                    or images_001/images/ ... images_012/images/

Boxes are x, y, width and height in pixels of the released 1024 × 1024, also where the files were made smaller. They were
drawn for some findings of some radiographs: where there is none, nobody is taken to have looked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort.csv_file import first_of, read_columns
from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.label_table import LabelRow
from shamsul_core.cohort.layouts.facts import age_of, projection_of, sex_of
from shamsul_core.cohort.layouts.splits import ALL, choose_split
from shamsul_core.cohort.marks import Mark
from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.cohort.tabular import Tables, TabularCohort
from shamsul_core.imaging.boxes import read_box
from shamsul_core.imaging.refusals import MaskError
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import NIH_OBSERVATIONS, NO_FINDING, canonical_name

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.cohort.plus_labels import Labels

_TABLES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
_BOXES = "BBox_List_2017.csv"
_LISTS = {"test": "test_list.txt", "train": "train_val_list.txt"}
_DRAWN_ON = (1024, 1024)
_OBSERVATIONS = (NO_FINDING, *map(canonical_name, NIH_OBSERVATIONS))


def is_here(folder: Path) -> bool:
    """Return whether its table is."""
    return any((folder / name).is_file() for name in _TABLES)


def open_nih(folder: Path, split: str | None) -> TabularCohort:
    """Open it; by default the radiographs of the test list, where there is one.

    Raises
    ------
    CohortError
        The table cannot be read, or there is no such split.
    """
    table = first_of(folder, _TABLES)
    lists = {name: folder / file for name, file in _LISTS.items() if (folder / file).is_file()}
    chosen = choose_split(split, (*lists, ALL), folder)
    problems: list[Problem] = []
    names = None if chosen == ALL else _names_in(lists[chosen])
    rows = _rows(table, names, problems)
    has_boxes = (folder / _BOXES).is_file()
    marks = _marks(folder / _BOXES, problems) if has_boxes else {}
    ids = {row.image_id for row in rows}
    files = {"radiographs": (folder,), "labels": (table,)}
    tables = Tables(
        layout="nih",
        folder=folder,
        split=chosen,
        rows=rows,
        observations=_OBSERVATIONS,
        marks={name: boxes for name, boxes in marks.items() if chosen == ALL or name in ids},
        has_marks=has_boxes,
        is_exhaustive=False,
        drawn_on=_DRAWN_ON,
        source=_BOXES,
        files=files | ({"boxes": (folder / _BOXES,)} if has_boxes else {}),
        problems=problems,
        remarks=() if has_boxes else [Problem(str(folder), f"there is no {_BOXES}; without boxes no score")],
    )
    return TabularCohort(tables, ImageIndex(*_image_folders(folder)))


def _image_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("images*") if path.is_dir()) or [folder]


def _names_in(path: Path) -> set[str]:
    try:
        return set(path.read_text(encoding="utf-8-sig", errors="replace").split())
    except OSError as error:
        message = f"the list cannot be read ({error.strerror})"
        raise CohortError(message, subject=str(path)) from error


def _rows(table: Path, names: set[str] | None, problems: list[Problem]) -> list[LabelRow]:
    rows = []
    labels_of: dict[str, Labels] = {}
    columns = ("Image Index", "Finding Labels")
    facts = ("View Position", "Patient Gender", "Patient Age")
    for line, (name, findings, view, sex, age) in read_columns(table, columns, problems, optional=facts):
        if names is not None and name not in names:
            continue
        if findings not in labels_of:
            # 836 combinations of findings stand for all rows
            labels_of[findings] = _labels(findings, f"{table.name} line {line}", problems)
        rows.append(
            LabelRow(
                line=line,
                image_id=id_of(name),
                path=name,
                labels=labels_of[findings],
                view="frontal",
                projection=projection_of(view),
                sex=sex_of(sex),
                age=age_of(age),
            )
        )
    return rows


def _labels(findings: str, subject: str, problems: list[Problem]) -> Labels:
    labels: Labels = dict.fromkeys(_OBSERVATIONS, 0.0)
    for name in map(canonical_name, findings.split("|")):
        if name in labels:
            labels[name] = 1.0
        elif name:
            problems.append(Problem(subject, f"{quoted(name)} is not one of the fourteen; it is left out"))
    return labels


def _marks(path: Path, problems: list[Problem]) -> dict[str, list[Mark]]:
    marks: dict[str, list[Mark]] = {}
    # "Bbox [x,y,w,h],,," is one title that the commas split
    columns = ("Image Index", "Finding Label", "Bbox [x", "y", "w", "h]")
    for line, (name, finding, *numbers) in read_columns(path, columns, problems):
        try:
            box = read_box(numbers, is_sized=True)
        except MaskError as error:
            problems.append(Problem(f"{path.name} line {line}", f"{error}; it is left out"))
            continue
        marks.setdefault(id_of(name), []).append(Mark(canonical_name(finding), box))
    return marks
