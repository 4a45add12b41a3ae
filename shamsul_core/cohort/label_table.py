"""CheXpert's label files: one line a radiograph, one column an observation.

The table of the test set's labels (``groundtruth.csv``) has a line a study. CheXpert Plus's has the columns of CheXpert's
by other names, the radiographs of all splits, and the labels in a file beside it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from shamsul_core.cohort.csv_file import lines_of, read_text
from shamsul_core.cohort.image_files import image_id_of, study_id_of
from shamsul_core.cohort.label_columns import find_columns
from shamsul_core.cohort.plus_labels import read_plus_labels
from shamsul_core.cohort.problems import Problem, naming
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from shamsul_core.cohort.label_columns import Columns
    from shamsul_core.cohort.plus_labels import Labels
    from shamsul_core.cohort.radiograph import Projection, View

_SPELLINGS: dict[str, float | None] = {"": None, "1.0": 1.0, "0.0": 0.0, "-1.0": -1.0}
# In the id of a radiograph, not in that of a study
_VIEW = "_view"
_VIEWS: dict[str, View] = {"frontal": "frontal", "lateral": "lateral"}
_PROJECTIONS: dict[str, Projection] = {"AP": "AP", "PA": "PA"}
_OLDEST = 150


class LabelRow(NamedTuple):
    """What one line of a label file says of one radiograph; see `Radiograph` for the fields."""

    line: int
    image_id: str
    path: str
    labels: Labels
    view: View | None = None
    projection: Projection | None = None
    sex: str | None = None
    age: int | None = None


class LabelTable(NamedTuple):
    """What a label file says.

    Parameters
    ----------
    rows
        One a radiograph, in the file's order. Of lines that name the same radiograph, the first.
    problems
        Lines that could not be read or were left out, each with its number, and columns that are misspelt.
    remarks
        What the file does not say: the observations that it has no column for.
    """

    rows: list[LabelRow]
    problems: list[Problem]
    remarks: list[Problem]


def read_label_table(
    path: Path, *, split_names: Collection[str] = (), plus_labels: Path | None = None
) -> LabelTable:
    """Read a label file.

    Parameters
    ----------
    path
        CSV with a header: ``Path`` and at least one observation, in any order; *Airspace Opacity* is *Lung Opacity*.
        Separated by commas, semicolons or tabs; UTF-8, or UTF-16 with its mark. With ``Study`` in place of ``Path``,
        a row's id is that of a study, see `one_row_a_radiograph`.
    split_names
        Of CheXpert Plus's table, only radiographs of a split so called are read.
    plus_labels
        The file with the labels of CheXpert Plus.

    Raises
    ------
    CohortError
        The file cannot be read at all, or has no usable header.
    """
    problems: list[Problem] = []
    lines = lines_of(read_text(path, problems), path.name, problems)
    _, header = next(lines, (range(0), []))
    with naming(f"{path}{' (not UTF-8 text)' if problems else ''}"):
        columns = find_columns(header, path.name, problems)
    if columns.split is not None:
        return _read_plus(lines, columns, path.name, problems, split_names, plus_labels)
    rows = _read_rows(lines, columns, path.name, problems)
    remark = f"there is no column for {', '.join(columns.absent)}; their labels are blank"
    return LabelTable(rows, problems, [Problem(path.name, remark)] if columns.absent else [])


def one_row_a_radiograph(rows: list[LabelRow], image_ids: Iterable[str]) -> list[LabelRow]:
    """Return a row for each radiograph of a study where the rows are of studies, else the rows as they are.

    Parameters
    ----------
    rows
        Those of one table. That of a study without radiographs stays.
    image_ids
        The ids of the radiographs that there are.
    """
    if not rows or _VIEW in rows[0].image_id:
        return rows
    views: dict[str, list[str]] = {}
    for image_id in sorted(image_ids):
        views.setdefault(image_id.rpartition(_VIEW)[0], []).append(image_id)
    return [
        row._replace(image_id=image_id, view=_named_view(image_id))
        for row in rows
        for image_id in views.get(row.image_id, [row.image_id])
    ]


def _read_plus(
    lines: Iterable[tuple[range, list[str]]],
    columns: Columns,
    name: str,
    problems: list[Problem],
    split_names: Collection[str],
    labels: Path | None,
) -> LabelTable:
    ours = (
        (numbers, fields)
        for numbers, fields in lines
        if len(fields) != columns.count or _field(fields, columns.split).lower() in split_names
    )
    rows = _read_rows(ours, columns, name, problems)
    if labels is None:
        return LabelTable(rows, problems, [])
    labels_of = read_plus_labels(labels, problems)
    labelled = [row._replace(labels=labels_of.get(row.image_id, row.labels)) for row in rows]
    blank = sum(row.image_id not in labels_of for row in rows)
    message = f"there are no labels for {blank} of {len(rows)} radiographs; they are blank"
    return LabelTable(labelled, problems, [Problem(labels.name, message)] if blank else [])


def _read_rows(
    lines: Iterable[tuple[range, list[str]]], columns: Columns, name: str, problems: list[Problem]
) -> list[LabelRow]:
    rows: dict[str, LabelRow] = {}
    for numbers, fields in lines:
        row = _read_row(numbers, fields, columns, name, problems)
        if row is not None and (first := rows.setdefault(row.image_id, row)) is not row:
            problems.append(_repetition(first, row, name))
    return list(rows.values())


def _read_row(
    numbers: range, fields: Sequence[str], columns: Columns, name: str, problems: list[Problem]
) -> LabelRow | None:
    subject = f"{name} line {numbers[0]}"
    if len(fields) != columns.count:
        problems.append(Problem(subject, _count_message(numbers, len(fields), columns.count)))
        return None
    path = fields[columns.path].strip()
    image_id = study_id_of(path) if columns.names_studies else image_id_of(path)
    if image_id is None:
        shape = "patientN/studyN" if columns.names_studies else "patientN/studyN/viewN_frontal.jpg"
        message = f"{quoted(path)} does not end in {shape}; the line is left out"
        problems.append(Problem(subject, message))
        return None
    return LabelRow(
        line=numbers[0],
        image_id=image_id,
        path=path,
        labels=_read_labels(fields, columns, subject, problems),
        view=_read_view(fields, columns, image_id, subject, problems),
        projection=_PROJECTIONS.get(_field(fields, columns.projection).upper()),
        sex=_field(fields, columns.sex) or None,
        age=_read_age(_field(fields, columns.age), subject, problems),
    )


def _count_message(numbers: range, count: int, expected: int) -> str:
    message = f"fields: {count} in this line, {expected} in the header; it is left out"
    if len(numbers) == 1:
        return message
    return f"{message} together with all lines up to {numbers[-1]}, because they are within quotation marks; look for a stray one"


def _field(fields: Sequence[str], place: int | None) -> str:
    return "" if place is None else fields[place].strip()


def _read_labels(fields: Sequence[str], columns: Columns, subject: str, problems: list[Problem]) -> Labels:
    labels: Labels = dict.fromkeys(OBSERVATIONS)
    for name, place in columns.labels:
        text = fields[place]
        # The usual spellings are looked up: over 223,414 lines, float() of each field takes seconds.
        labels[name] = _SPELLINGS[text] if text in _SPELLINGS else _read_label(text, name, subject, problems)
    return labels


def _read_label(text: str, name: str, subject: str, problems: list[Problem]) -> float | None:
    # A file with semicolons may have decimal commas
    number = _number(text.replace(",", "."))
    if number in (1.0, 0.0, -1.0):
        # -0.0 becomes 0.0
        return number + 0.0
    if text.strip() and not (number is not None and math.isnan(number)):
        problems.append(Problem(subject, f"{name} is {quoted(text)}, not 1, 0, -1 or blank; read as blank"))
    return None


def _read_view(
    fields: Sequence[str], columns: Columns, image_id: str, subject: str, problems: list[Problem]
) -> View | None:
    named = _named_view(image_id)
    text = _field(fields, columns.view)
    stated = _VIEWS.get(text.lower())
    if stated is not None and stated != named:
        problems.append(
            Problem(subject, f"the view is {quoted(text)}, but the file name says {named}; the view is used")
        )
    return stated or named


def _named_view(image_id: str) -> View | None:
    return _VIEWS.get(image_id.rsplit("_", 1)[-1].lower())


def _read_age(text: str, subject: str, problems: list[Problem]) -> int | None:
    number = _number(text)
    if number is not None and 0 <= number <= _OLDEST:
        return int(number)
    if text and not (number is not None and math.isnan(number)):
        problems.append(Problem(subject, f"the age is {quoted(text)}; read as unknown"))
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _repetition(first: LabelRow, again: LabelRow, name: str) -> Problem:
    what = "with the same labels" if first.labels == again.labels else "with other labels"
    message = f"{again.image_id} is already in line {first.line}, {what}; line {first.line} is used"
    return Problem(f"{name} line {again.line}", message)
