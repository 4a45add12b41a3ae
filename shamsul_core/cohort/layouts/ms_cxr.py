"""MS-CXR (Boecking et al., ECCV 2022; PhysioNet): boxes with the report's phrase on radiographs of MIMIC-CXR-JPG.

::

    <folder>/MS_CXR_Local_Alignment_v1.1.0.csv
    <folder>/files/p10/p10000032/s50414267/<dicom_id>.jpg        as in MIMIC-CXR-JPG, or anywhere else in the folder

A row is a box of a category and its phrase, in pixels of a radiograph of the size stated. Only what a phrase speaks of was
marked: where there is no box, nobody is taken to have looked, and the label is blank.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shamsul_core.cohort.csv_file import read_columns
from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.label_table import LabelRow
from shamsul_core.cohort.layouts.splits import ALL, SPLIT_NAMES, choose_split
from shamsul_core.cohort.marks import Mark
from shamsul_core.cohort.problems import Problem
from shamsul_core.cohort.tabular import Tables, TabularCohort
from shamsul_core.imaging.boxes import read_box
from shamsul_core.imaging.refusals import MaskError
from shamsul_core.vocabulary import MS_CXR_OBSERVATIONS, canonical_name

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.cohort.radiograph import Size

_TABLES = "MS_CXR_Local_Alignment*.csv"
_COLUMNS = (
    "dicom_id",
    "category_name",
    "label_text",
    "path",
    "x",
    "y",
    "w",
    "h",
    "image_width",
    "image_height",
)
_PLACE = re.compile(r"(p\d{8})/(s\d{8})/")


def is_here(folder: Path) -> bool:
    """Return whether its table is."""
    return any(folder.glob(_TABLES))


def open_ms_cxr(folder: Path, split: str | None) -> TabularCohort:
    """Open the newest table that there is; by default all of it.

    Raises
    ------
    CohortError
        The table cannot be read, or there is no such split.
    """
    table = max(folder.glob(_TABLES), default=folder / _TABLES)
    problems: list[Problem] = []
    lines = list(read_columns(table, _COLUMNS, problems, optional=("split",)))
    splits = {SPLIT_NAMES.get(fields[-1], fields[-1]) for _, fields in lines} - {""}
    chosen = choose_split(split, (ALL, *sorted(splits)), folder)
    names: dict[str, str] = {}
    sizes: dict[str, Size] = {}
    marks: dict[str, list[Mark]] = {}
    for line, (name, category, phrase, path, *numbers, width, height, part) in lines:
        if chosen not in (ALL, SPLIT_NAMES.get(part, part)):
            continue
        image_id = _id_of(name, path)
        names.setdefault(image_id, path or name)
        try:
            box = read_box(numbers, is_sized=True)
        except MaskError as error:
            problems.append(Problem(f"{table.name} line {line}", f"{error}; it is left out"))
            continue
        if height.isdecimal() and width.isdecimal() and int(height) and int(width):
            sizes[image_id] = (int(height), int(width))
        marks.setdefault(image_id, []).append(Mark(canonical_name(category), box, phrase=phrase))
    rows = [
        LabelRow(
            number,
            image_id,
            path,
            dict.fromkeys(MS_CXR_OBSERVATIONS)
            | dict.fromkeys((mark.pathology for mark in marks.get(image_id, ())), 1.0),
            "frontal",
        )
        for number, (image_id, path) in enumerate(names.items(), 1)
    ]
    tables = Tables(
        layout="ms-cxr",
        folder=folder,
        split=chosen,
        rows=rows,
        observations=MS_CXR_OBSERVATIONS,
        marks=marks,
        is_exhaustive=False,
        drawn_on=sizes,
        source=table.name,
        files={"radiographs": (folder,), "boxes and phrases": (table,)},
        problems=problems,
    )
    return TabularCohort(tables, ImageIndex(folder))


def _id_of(name: str, path: str) -> str:
    """Return an id that names patient and study, as far as the path does."""
    place = _PLACE.search(path.replace("\\", "/"))
    return id_of(name) if place is None else f"{place[1]}_{place[2]}_{id_of(name)}"
