"""Tables of text, separated by commas, semicolons or tabs, in which anything may be wrong."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import TYPE_CHECKING

from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Of as many, the first
_DELIMITERS = ",;\t"
_ENCODINGS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_LONGEST_HEADER = 100_000


def first_of(folder: Path, names: Sequence[str]) -> Path:
    """Return the first of some files that there is, by which one table is known; the first, where there is none."""
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])


def header_of(path: Path) -> list[str]:
    """Return a file's column titles, from its first line alone; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            first = file.readline(_LONGEST_HEADER)
    except OSError:
        return []
    text = first.decode(_ENCODINGS.get(first[:2], "utf-8-sig"), errors="replace")
    return [title.strip() for title in next(csv.reader([text], delimiter=_delimiter(text)), [])]


def read_columns(
    path: Path, columns: Sequence[str], problems: list[Problem], *, optional: Sequence[str] = ()
) -> Iterator[tuple[int, list[str]]]:
    """Go through a file's rows.

    Parameters
    ----------
    path
        With a header; space around titles does not count.
    columns, optional
        Titles of the columns wanted; of `optional` ones the file may have none.
    problems
        Rows that are too short are added, and left out.

    Yields
    ------
    line : int
        The row's line, from 1 on.
    fields : list of str
        Without space around them, `columns` and then `optional` ones, which are empty where there is no column.

    Raises
    ------
    CohortError
        The file cannot be read, or lacks one of the columns.
    """
    lines = lines_of(read_text(path, problems), path.name, problems)
    _, header = next(lines, (range(0), []))
    places = {title.strip(): place for place, title in reversed(list(enumerate(header)))}
    if lacking := [title for title in columns if title not in places]:
        message = f"it has no column {quoted(lacking[0])}; its first line is {quoted(','.join(header))}"
        raise CohortError(message, subject=str(path))
    wanted = [places.get(title, -1) for title in (*columns, *optional)]
    most = max(wanted[: len(columns)])
    for numbers, fields in lines:
        if len(fields) <= most:
            message = f"fields: {len(fields)} in this line, at least {most + 1} are needed; it is left out"
            problems.append(Problem(f"{path.name} line {numbers[0]}", message))
            continue
        yield numbers[0], [fields[place].strip() if 0 <= place < len(fields) else "" for place in wanted]


def read_text(path: Path, problems: list[Problem]) -> str:
    """Return a file's text, UTF-8, or UTF-16 with its mark; what is not is a problem, and replaced.

    Raises
    ------
    CohortError
        It cannot be read at all.
    """
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


def lines_of(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[range, list[str]]]:
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
