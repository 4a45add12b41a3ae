"""CheXpert's label files: one line a radiograph, one column an observation."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shamsul_core.cohort.image_files import image_id_of
from shamsul_core.cohort.problems import CohortError, Problem, about, quoted
from shamsul_core.labels import OBSERVATIONS, canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from shamsul_core.cohort.radiograph import Projection, View

Labels: TypeAlias = dict[str, float | None]

_SPELLINGS: dict[str, float | None] = {"": None, "1.0": 1.0, "0.0": 0.0, "-1.0": -1.0}
_VIEWS: dict[str, View] = {"frontal": "frontal", "lateral": "lateral"}
_PROJECTIONS: dict[str, Projection] = {"AP": "AP", "PA": "PA"}
_OLDEST = 150
_DELIMITERS = ",;\t"  # of as many, the first
_ENCODINGS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_KNOWN = f"The observations are {', '.join(OBSERVATIONS)}"
_NEARLY = 0.8  # of two names' letters are the same: "Fractures" is, "Effusion" and "Pleural Effusion" are not


class LabelRow(NamedTuple):
    """What one line of a label file says of one radiograph; see `Radiograph` for the fields."""

    line: int
    image_id: str
    path: str
    labels: Labels
    view: View | None
    projection: Projection | None
    sex: str | None
    age: int | None


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """Where the columns are, ``None`` for those the file does not have."""

    count: int
    path: int
    labels: tuple[tuple[str, int], ...]
    sex: int | None
    age: int | None
    view: int | None
    projection: int | None


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


def read_label_table(path: Path) -> LabelTable:
    """Read a label file.

    Parameters
    ----------
    path
        CSV with a header: ``Path`` and at least one observation, in any order; *Airspace Opacity* is *Lung Opacity*.
        Separated by commas, semicolons or tabs; UTF-8, or UTF-16 with its mark.

    Raises
    ------
    CohortError
        The file cannot be read at all, or has no usable header.
    """
    problems: list[Problem] = []
    lines = _lines(_read_text(path, problems), path.name, problems)
    _, header = next(lines, (range(0), []))
    with about(f"{path}{' (not UTF-8 text)' if problems else ''}"):
        columns = _find_columns(header, path.name, problems)
    misspelt = _misspelt(header)
    problems += [_misspelling(path.name, title, name) for title, name in misspelt.items()]
    rows: dict[str, LabelRow] = {}
    for numbers, fields in lines:
        row = _read_row(numbers, fields, columns, path.name, problems)
        if row is not None and (first := rows.setdefault(row.image_id, row)) is not row:
            problems.append(_repetition(first, row, path.name))
    named = {name for name, _ in columns.labels} | set(misspelt.values())
    absent = [name for name in OBSERVATIONS if name not in named]
    remark = f"there is no column for {', '.join(absent)}; their labels are blank"
    return LabelTable(list(rows.values()), problems, [Problem(path.name, remark)] if absent else [])


def _read_text(path: Path, problems: list[Problem]) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"the label file cannot be read ({error.strerror})"
        raise CohortError(message, subject=str(path)) from error
    encoding = _ENCODINGS.get(content[:2], "utf-8-sig")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        kind = encoding.removesuffix("-sig").upper()
        problems.append(
            Problem(f"{path.name} line {line}", f"this is not {kind} text; save the file as CSV UTF-8")
        )
        return content.decode(encoding, errors="replace")


def _lines(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[range, list[str]]]:
    """Yield the numbers of the lines of each row, more than one where a quoted field holds line breaks, and the row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    first = 1
    try:
        for fields in reader:
            if fields:
                yield range(first, reader.line_num + 1), fields
            first = reader.line_num + 1
    except csv.Error as error:
        message = f"this line and all that follow cannot be read ({error}); look for a stray quotation mark"
        problems.append(Problem(f"{name} line {first}", message))


def _delimiter(text: str) -> str:
    """Return what separates the columns of the first line that is not blank."""
    header = re.search(r"\S.*", text)
    return max(_DELIMITERS, key=(header.group() if header else "").count)


def _find_columns(header: Sequence[str], name: str, problems: list[Problem]) -> _Columns:
    places: dict[str, int] = {}
    for place, title in enumerate(header):
        column = canonical_name(title.strip())
        if places.setdefault(column, place) != place and column:
            problems.append(Problem(name, f"there are two columns for {quoted(column)}; the first is used"))
    if "Path" not in places or places.keys().isdisjoint(OBSERVATIONS):
        raise CohortError(_header_message(header))
    return _Columns(
        count=len(header),
        path=places["Path"],
        labels=tuple((name, places[name]) for name in OBSERVATIONS if name in places),
        sex=places.get("Sex"),
        age=places.get("Age"),
        view=places.get("Frontal/Lateral"),
        projection=places.get("AP/PA"),
    )


def _header_message(header: Sequence[str]) -> str:
    if not header:
        return "the label file is empty; it should begin with Path,Sex,Age,..."
    nearest = [f"by {quoted(title)} you may mean {name}" for title, name in _misspelt(header).items()]
    found = (
        f"the first line must name the columns Path and the observations, it is {quoted(','.join(header))}"
    )
    return "; ".join((found, *nearest, _KNOWN))


def _misspelt(header: Sequence[str]) -> dict[str, str]:
    """Return the columns that are nearly an observation which has no column, and its name."""
    titles = [title.strip() for title in header]
    absent = {name.lower(): name for name in OBSERVATIONS if name not in map(canonical_name, titles)}
    near = {
        title: get_close_matches(title.lower().replace("_", " "), absent, 1, _NEARLY)
        for title in titles
        if canonical_name(title) not in OBSERVATIONS
    }
    return {title: absent[names[0]] for title, names in near.items() if names}


def _misspelling(file: str, title: str, name: str) -> Problem:
    message = f"no observation is called {quoted(title)}; did you mean {name}? {_KNOWN}; until then its labels are blank"
    return Problem(file, message)


def _read_row(
    numbers: range, fields: Sequence[str], columns: _Columns, name: str, problems: list[Problem]
) -> LabelRow | None:
    subject = f"{name} line {numbers[0]}"
    if len(fields) != columns.count:
        problems.append(Problem(subject, _count_message(numbers, len(fields), columns.count)))
        return None
    path = fields[columns.path].strip()
    image_id = image_id_of(path)
    if image_id is None:
        message = f"{quoted(path)} does not end in patientN/studyN/viewN_frontal.jpg; the line is left out"
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


def _count_message(numbers: range, found: int, expected: int) -> str:
    message = f"fields: {found} in this line, {expected} in the header; it is left out"
    if len(numbers) == 1:
        return message
    return f"{message} together with all lines up to {numbers[-1]}, because they are within quotation marks; look for a stray one"


def _field(fields: Sequence[str], place: int | None) -> str:
    return "" if place is None else fields[place].strip()


def _read_labels(fields: Sequence[str], columns: _Columns, subject: str, problems: list[Problem]) -> Labels:
    labels: Labels = dict.fromkeys(OBSERVATIONS)
    for name, place in columns.labels:
        text = fields[place]
        # The usual spellings are looked up: over 223,414 lines, float() of each field takes seconds.
        labels[name] = _SPELLINGS[text] if text in _SPELLINGS else _read_label(text, name, subject, problems)
    return labels


def _read_label(text: str, name: str, subject: str, problems: list[Problem]) -> float | None:
    number = _number(text.replace(",", "."))  # as a file with semicolons may have it
    if number in (1.0, 0.0, -1.0):
        return number + 0.0  # -0.0 is 0.0
    if text.strip() and not (number is not None and math.isnan(number)):
        problems.append(Problem(subject, f"{name} is {quoted(text)}, not 1, 0, -1 or blank; read as blank"))
    return None


def _read_view(
    fields: Sequence[str], columns: _Columns, image_id: str, subject: str, problems: list[Problem]
) -> View | None:
    named = _VIEWS.get(image_id.rsplit("_", 1)[-1].lower())
    text = _field(fields, columns.view)
    stated = _VIEWS.get(text.lower())
    if stated is not None and stated != named:
        problems.append(
            Problem(subject, f"the view is {quoted(text)}, but the file name says {named}; the view is used")
        )
    return stated or named


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
