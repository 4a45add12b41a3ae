"""SIIM-ACR's Pneumothorax Segmentation Challenge of 2019, as on Kaggle.

::

    <folder>/train-rle.csv                       or stage_2_train.csv: ImageId, EncodedPixels; a row a region
    <folder>/dicom-images-train/<study>/<series>/<ImageId>.dcm

``-1`` is no pneumothorax. Else the numbers are pairs: how many pixels after the end of the last run, down the columns of
1024 × 1024, the next one begins, and how long it is. These are the runs of COCO's encoding, but for the last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort.csv_file import first_of, header_of, read_columns
from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.label_table import LabelRow
from shamsul_core.cohort.layouts.splits import ALL, choose_split
from shamsul_core.cohort.marks import Mark
from shamsul_core.cohort.problems import Problem
from shamsul_core.cohort.tabular import Tables, TabularCohort
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import SIIM_OBSERVATIONS

if TYPE_CHECKING:
    from pathlib import Path

_TABLES = ("train-rle.csv", "stage_2_train.csv", "train-rle-sample.csv")
_COLUMNS = ("ImageId", "EncodedPixels")
_DRAWN_ON = (1024, 1024)
_NOTHING = "-1"
(_PNEUMOTHORAX,) = SIIM_OBSERVATIONS


def is_here(folder: Path) -> bool:
    """Return whether its table is."""
    return any(set(_COLUMNS) <= set(header_of(folder / name)) for name in _TABLES)


def open_siim(folder: Path, split: str | None) -> TabularCohort:
    """Open its training set; no other has masks.

    Raises
    ------
    CohortError
        The table cannot be read, or there is no such split.
    """
    table = first_of(folder, _TABLES)
    chosen = choose_split(split, ("train", ALL), folder)
    problems: list[Problem] = []
    marks: dict[str, list[Mark]] = {}
    for line, (name, encoded) in read_columns(table, _COLUMNS, problems):
        of_image = marks.setdefault(id_of(name), [])
        if encoded == _NOTHING:
            continue
        counts = _counts(encoded)
        if counts is None:
            message = f"the mask must be -1 or pairs of offset and length within 1024 × 1024, it is {quoted(encoded)}; it is left out"
            problems.append(Problem(f"{table.name} line {line}", message))
            continue
        of_image.append(Mark(_PNEUMOTHORAX, None, {"size": list(_DRAWN_ON), "counts": counts}))
    rows = [
        LabelRow(number, name, name, {_PNEUMOTHORAX: float(bool(of_image))}, "frontal")
        for number, (name, of_image) in enumerate(marks.items(), 1)
    ]
    tables = Tables(
        layout="siim",
        folder=folder,
        split=chosen,
        rows=rows,
        observations=SIIM_OBSERVATIONS,
        marks={name: of_image for name, of_image in marks.items() if of_image},
        drawn_on=_DRAWN_ON,
        source=table.name,
        files={"radiographs": (folder,), "labels and masks": (table,)},
        problems=problems,
    )
    return TabularCohort(tables, ImageIndex(folder))


def _counts(encoded: str) -> list[int] | None:
    """Return the lengths of the runs outside and inside in turn, ``None`` where they are none."""
    words = encoded.split()
    if not words or len(words) % 2 or not all(word.isascii() and word.isdigit() for word in words):
        return None
    rest = _DRAWN_ON[0] * _DRAWN_ON[1] - sum(counts := [int(word) for word in words])
    return [*counts, rest] if rest >= 0 else None
