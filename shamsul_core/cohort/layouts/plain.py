"""A folder of radiographs, PNG, JPEG, TIFF or DICOM, with what its owner knows of them beside it.

::

    <folder>/anything/anywhere.png               each image is a radiograph, its id the path with _ for /
    <folder>/labels.csv                          file,Edema,Mass,... : 1, 0, -1 or blank; maybe view, projection, sex, age
    <folder>/masks/<observation>/<name>.png      a mask beside a radiograph of that name: marked where it is not black

With masks, a radiograph without one of an observation shows none of it. Labels without a column for what is marked are
blank.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shamsul_core.cohort.csv_file import header_of, read_columns
from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.label_table import LabelRow
from shamsul_core.cohort.layouts.facts import age_of, projection_of, sex_of, view_of
from shamsul_core.cohort.layouts.splits import ALL, choose_split
from shamsul_core.cohort.marks import Mark
from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.cohort.tabular import Tables, TabularCohort
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import canonical_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.cohort.plus_labels import Labels

_TABLE = "labels.csv"
_MASKS = "masks"
_FILE_TITLES = ("file", "filename", "file_name", "path", "image", "image_id", "id", "name")
_FACTS = ("view", "projection", "sex", "age")
_VALUES: dict[str, float | None] = {
    "": None,
    "1": 1.0,
    "1.0": 1.0,
    "0": 0.0,
    "0.0": 0.0,
    "-1": -1.0,
    "-1.0": -1.0,
}


def is_here(folder: Path) -> bool:
    """Return whether there is an image in it."""
    return folder.is_dir() and next(iter(ImageIndex(folder, has_bare_dicom=True)), None) is not None


def open_plain(folder: Path, split: str | None) -> TabularCohort:
    """Open it; it has no splits.

    Raises
    ------
    CohortError
        There is no image, or the table cannot be read.
    """
    chosen = choose_split(split, (ALL,), folder)
    masks = folder / _MASKS
    images = ImageIndex(folder, has_bare_dicom=True, without=masks)
    names = {id_of(str(path.relative_to(folder))): path for path in map(Path, images)}
    if not names:
        message = "there is no PNG, JPEG, TIFF or DICOM file in it"
        raise CohortError(message, subject=str(folder))
    problems: list[Problem] = []
    rows, labelled = _rows(folder / _TABLE, names, images, problems)
    marks = _marks(masks, names, problems)
    marked = dict.fromkeys(mark.pathology for of_image in marks.values() for mark in of_image)
    observations = tuple(dict.fromkeys((*labelled, *marked)))
    tables = Tables(
        layout="folder",
        folder=folder,
        split=chosen,
        rows=[row._replace(labels=dict.fromkeys(observations) | row.labels) for row in rows],
        observations=observations,
        marks=marks,
        has_marks=bool(marks),
        source=_MASKS,
        files={"radiographs": (folder,)}
        | ({"labels": (folder / _TABLE,)} if (folder / _TABLE).is_file() else {})
        | ({"masks": (masks,)} if marks else {}),
        problems=problems,
        remarks=_remarks(folder, labelled, marks),
    )
    return TabularCohort(tables, images)


def _rows(
    table: Path, names: dict[str, Path], images: ImageIndex, problems: list[Problem]
) -> tuple[list[LabelRow], list[str]]:
    """Return a row a radiograph, in the table's order, then those it leaves out; and the observations it has."""
    rows: dict[str, LabelRow] = {}
    labelled: list[str] = []
    if table.is_file():
        rows, labelled = _labelled(table, names, images, problems)
        if rows and len(rows) < len(names):
            message = f"it has no line for {len(names) - len(rows):,} of {len(names):,} radiographs; their labels are blank"
            problems.append(Problem(table.name, message))
    blank = [LabelRow(0, image_id, str(path), {}) for image_id, path in names.items() if image_id not in rows]
    return [*rows.values(), *blank], labelled


def _labelled(
    table: Path, names: dict[str, Path], images: ImageIndex, problems: list[Problem]
) -> tuple[dict[str, LabelRow], list[str]]:
    header = header_of(table)
    file_title = next((title for title in header if title.lower() in _FILE_TITLES), None)
    if file_title is None:
        message = f"one of its columns must be called file and name the images; its first line is {quoted(','.join(header))}"
        raise CohortError(message, subject=str(table))
    facts = {title.lower(): title for title in header if title.lower() in _FACTS}
    titles = [title for title in header if title and title != file_title and title.lower() not in _FACTS]
    ids = {str(path): image_id for image_id, path in names.items()}
    rows: dict[str, LabelRow] = {}
    optional = tuple(facts.get(fact, fact) for fact in _FACTS)
    for line, (name, *fields) in read_columns(table, (file_title, *titles), problems, optional=optional):
        image_id = ids.get(images.find(name) or "")
        subject = f"{table.name} line {line}"
        if image_id is None or image_id in rows:
            what = "there is no image" if image_id is None else "another line already speaks of"
            problems.append(Problem(subject, f"{what} {quoted(name)}; it is left out"))
            continue
        *values, view, projection, sex, age = fields
        rows[image_id] = LabelRow(
            line=line,
            image_id=image_id,
            path=str(names[image_id]),
            labels=_labels(titles, values, subject, problems),
            view=view_of(view),
            projection=projection_of(projection),
            sex=sex_of(sex),
            age=age_of(age),
        )
    return rows, list(dict.fromkeys(map(canonical_name, titles)))


def _labels(titles: Sequence[str], values: Sequence[str], subject: str, problems: list[Problem]) -> Labels:
    labels: Labels = {}
    for title, value in zip(titles, values, strict=True):
        if value not in _VALUES:
            problems.append(
                Problem(subject, f"{title} is {quoted(value)}, not 1, 0, -1 or blank; read as blank")
            )
        labels[canonical_name(title)] = _VALUES.get(value)
    return labels


def _marks(masks: Path, names: dict[str, Path], problems: list[Problem]) -> dict[str, list[Mark]]:
    stems: dict[str, list[str]] = {}
    for image_id, path in names.items():
        stems.setdefault(id_of(path.name), []).append(image_id)
    marks: dict[str, list[Mark]] = {}
    for path in sorted(masks.glob("*/*.png")):
        ids = stems.get(id_of(path.name), [])
        if len(ids) != 1:
            what = "no radiograph has" if not ids else f"{len(ids)} radiographs have"
            problems.append(Problem(str(path), f"{what} its name; the mask is left out"))
            continue
        marks.setdefault(ids[0], []).append(Mark(canonical_name(path.parent.name), None, path))
    return marks


def _remarks(folder: Path, labelled: list[str], marks: dict[str, list[Mark]]) -> list[Problem]:
    lacking = [] if labelled else [Problem(str(folder), f"there is no {_TABLE} with labels; they are blank")]
    if not marks:
        lacking.append(
            Problem(str(folder), f"there is no {_MASKS}/<observation>/<name>.png; without masks no IoU")
        )
    return lacking
