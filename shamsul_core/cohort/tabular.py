"""A cohort of which tables and JSON files say everything but the pixels: all layouts but CheXpert's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shamsul_core.cohort.annotation import Annotation, union
from shamsul_core.cohort.folder_cohort import ONE_UNNAMED, FolderCohort
from shamsul_core.cohort.marks import Mark, annotation_of, kinds_of
from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.cohort.radiograph_table import RadiographTable
from shamsul_core.cohort.simulation import read_simulated_note
from shamsul_core.messages import quoted
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.vocabulary import canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.cohort.annotation import Kind
    from shamsul_core.cohort.image_index import ImageIndex
    from shamsul_core.cohort.label_table import LabelRow
    from shamsul_core.cohort.radiograph import Size


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What the files of a layout say, whatever the layout.

    Parameters
    ----------
    layout, folder, split
        See `Cohort`.
    rows
        One a radiograph, `path` as the table names its file; of those with the same id the first counts.
    observations
        Canonical names of what is labelled or marked, in order.
    marks
        By the radiograph's id.
    has_marks
        Whether there is a file of marks that could be read.
    is_exhaustive
        Whether a radiograph without marks of a pathology was looked at and shows none; else nobody is taken to have
        looked.
    drawn_on
        Height and width in pixels that boxes and polygons are drawn on, for all radiographs or by id; those without one
        are drawn on the pixels that the file stores. A box in shares of the sides is drawn on 1 × 1.
    annotators
        Who looked at a radiograph, by its id, where that is known.
    source
        Name of the file of marks, for messages.
    files
        Where the files lie, by what they are.
    problems, remarks
        What reading them has shown.
    """

    layout: str
    folder: Path
    split: str
    rows: Sequence[LabelRow]
    observations: tuple[str, ...]
    marks: Mapping[str, Sequence[Mark]] = field(default_factory=dict)
    has_marks: bool = True
    is_exhaustive: bool = True
    drawn_on: Size | Mapping[str, Size] | None = None
    annotators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    remarks: Sequence[Problem] = ()


class TabularCohort(FolderCohort):
    """The `Cohort` that such files describe; no image is opened until it is asked for.

    Parameters
    ----------
    tables
        What the files say.
    images
        The image files that there are.

    Raises
    ------
    CohortError
        They name no radiograph.
    """

    def __init__(self, tables: Tables, images: ImageIndex) -> None:
        if not tables.rows:
            first = f"; first problem: {tables.problems[0]}" if tables.problems else ""
            message = f"its files name no radiograph of split {tables.split}{first}"
            raise CohortError(message, subject=str(tables.folder))
        radiographs, problems = _with_files(tables, images)
        super().__init__(radiographs)
        self._tables = tables
        self._marks = {name: marks for name, marks in tables.marks.items() if name in self._radiographs}
        self._problems = tuple(
            dict.fromkeys((*tables.problems, *images.problems, *problems, *_stray(tables)))
        )
        self._kinds = kinds_of(mark for marks in self._marks.values() for mark in marks)

    @property
    def folder(self) -> Path:
        """The folder it was opened from."""
        return self._tables.folder

    @property
    def layout(self) -> str:
        """The layout's name."""
        return self._tables.layout

    @property
    def split(self) -> str:
        """Which part of the folder it is."""
        return self._tables.split

    @property
    def observations(self) -> tuple[str, ...]:
        """What its files label or mark."""
        return self._tables.observations

    @property
    def marked_pathologies(self) -> tuple[str, ...]:
        """What is marked on any radiograph."""
        return tuple(name for name in self.observations if name in self._kinds)

    @property
    def has_annotations(self) -> bool:
        """Whether there is a file of marks that could be read."""
        return self._tables.has_marks

    def annotation(self, image_id: str, pathology: str) -> Annotation | None:
        """Return what the experts marked, see `Cohort.annotation`."""
        annotations = self.annotations(image_id, pathology)
        return union(annotations) if annotations else None

    def annotations(self, image_id: str, pathology: str) -> tuple[Annotation, ...]:
        """Return what each of the experts marked, see `Cohort.annotations`."""
        kind, name = self.truth_kind(pathology), canonical_name(pathology)
        if image_id not in self._radiographs:
            message = f"there is no radiograph {quoted(image_id)}"
            raise CohortError(message, subject=self.name)
        marks = [mark for mark in self._marks.get(image_id, ()) if mark.pathology == name]
        if not marks and not (self._tables.is_exhaustive and self.has_annotations):
            return ()
        return tuple(
            self._annotation(image_id, name, kind, who, [mark for mark in marks if mark.annotator == who])
            for who in self.annotators(image_id)
        )

    def annotators(self, image_id: str) -> tuple[str, ...]:
        """Return who looked at a radiograph, see `Cohort.annotators`."""
        return self._tables.annotators.get(image_id, ONE_UNNAMED)

    def truth_kind(self, pathology: str) -> Kind:
        """Return as what a pathology is marked, see `Cohort.truth_kind`."""
        if (name := canonical_name(pathology)) not in self._kinds:
            message = f"{quoted(pathology)} is not one of the pathologies that are marked here"
            raise CohortError(message, subject=self.name)
        return self._kinds[name]

    def marked_on(self, image_id: str) -> tuple[str, ...]:
        """Return the pathologies marked on a radiograph, see `Cohort.marked_on`; no image is opened."""
        marks = self._marks.get(image_id)
        if not marks:
            return ()
        marked = {mark.pathology for mark in marks}
        return tuple(name for name in self.observations if name in marked)

    def human_benchmark(self, image_id: str, pathology: str) -> Annotation | None:
        """Return nothing: no second group of experts marked it."""

    def salient_points(self, image_id: str, pathology: str) -> tuple[tuple[float, float], ...]:
        """Return nothing: no second group of experts marked it."""
        return ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files, without opening any image."""
        return self._problems

    @property
    def remarks(self) -> tuple[Problem, ...]:
        """What the files do not have, though nothing is wrong with them."""
        return tuple(self._tables.remarks)

    @property
    def files(self) -> Mapping[str, tuple[Path, ...]]:
        """Where its files lie, by what they are."""
        return self._tables.files

    def check(self, on_step: OnStep = say_nothing) -> tuple[Problem, ...]:
        """Open every image and try every annotation, see `Cohort.check`."""
        problems = list(self._problems)
        instances: dict[str, str] = {}
        for image_id in self._radiographs:
            problems += self._check(image_id, instances)
            on_step(image_id)
        return tuple(dict.fromkeys(problems))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, labels and marks; the same wherever the folder lies."""
        digest = hashlib.sha256()
        for row in self._radiographs.rows():
            digest.update(json.dumps([row.image_id, row.view, row.labels]).encode() + b"\n")
        for image_id, marks in self._marks.items():
            digest.update(json.dumps([image_id, *map(_said, marks)]).encode() + b"\n")
        return digest.hexdigest()

    @cached_property
    def simulated_note(self) -> str | None:
        """The text of ``SIMULATED.txt``."""
        path = self.folder / "SIMULATED.txt"
        return read_simulated_note(path) if path.is_file() else None

    def _annotation(
        self, image_id: str, pathology: str, kind: Kind, annotator: str, marks: Sequence[Mark]
    ) -> Annotation:
        geometry, drawn_on = self._geometry(image_id), self._drawn_on(image_id)
        if geometry is None and drawn_on is None:
            message = "its file cannot be read, so that what is marked on it cannot be placed"
            raise CohortError(message, subject=image_id)
        size = drawn_on or geometry.stored  # type: ignore[union-attr]
        empty = Annotation(
            image_id=image_id,
            pathology=pathology,
            size=size,
            annotator=annotator,
            source=self._tables.source,
        )
        return self._as_shown(annotation_of(marks, kind, size, empty), drawn_on)

    def _drawn_on(self, image_id: str) -> Size | None:
        drawn_on = self._tables.drawn_on
        return drawn_on.get(image_id) if isinstance(drawn_on, Mapping) else drawn_on

    def _check(self, image_id: str, instances: dict[str, str]) -> Iterator[Problem]:
        radiograph = self._radiographs[image_id]
        try:
            presented = radiograph.presented()
        except CohortError as error:
            yield error.problem
        else:
            self._geometries[image_id] = presented.geometry
            if presented.body_part is not None:
                message = f"it says that it shows {presented.body_part}, no chest; leave it out"
                yield Problem(str(radiograph.path), message)
            if presented.instance and instances.setdefault(presented.instance, image_id) != image_id:
                message = f"it is the same image as {instances[presented.instance]}; leave one of them out, or it counts twice"
                yield Problem(str(radiograph.path), message)
            yield from (Problem(str(radiograph.path), remark, is_used=True) for remark in presented.remarks)
        for name in self.marked_on(image_id):
            try:
                annotation = self.annotation(image_id, name)
                if annotation is None or annotation.is_empty:
                    yield Problem(f"{image_id} {name}", "what is marked lies outside the radiograph")
            except CohortError as error:
                yield error.problem


def _with_files(tables: Tables, images: ImageIndex) -> tuple[RadiographTable, list[Problem]]:
    """Return the radiographs that have a file, and what is wrong; all of them, to be counted, where none has."""
    problems: list[Problem] = []
    rows: dict[str, LabelRow] = {}
    for row in tables.rows:
        if rows.setdefault(row.image_id, row) is not row:
            message = f"{row.image_id} is already in line {rows[row.image_id].line}, which is used"
            problems.append(Problem(f"line {row.line}", message))
    files = {image_id: images.find(row.path) for image_id, row in rows.items()}
    lacking = [image_id for image_id, path in files.items() if path is None]
    if lacking:
        searched = " or ".join(map(str, images.folders))
        of_all = "none" if len(lacking) == len(rows) else f"{len(rows) - len(lacking):,}"
        message = f"{of_all} of {len(rows):,} radiographs have a file in {searched}; there is no {quoted(rows[lacking[0]].path)}"
        left_out = "; those without are left out" if len(lacking) < len(rows) else ""
        problems.append(Problem(str(tables.folder), message + left_out))
    if len(lacking) == len(rows):
        return RadiographTable({name: (row, row.path) for name, row in rows.items()}), problems
    there = {name: (row, path) for name, row in rows.items() if (path := files[name]) is not None}
    return RadiographTable(there), problems


def _stray(tables: Tables) -> Iterator[Problem]:
    """Yield a problem where radiographs are marked that no table names."""
    named = {row.image_id for row in tables.rows}
    stray = [image_id for image_id in tables.marks if image_id not in named]
    if stray:
        message = f"{len(stray):,} radiographs are marked that no table names, such as {quoted(stray[0])}; they are left out"
        yield Problem(tables.source, message)


def _said(mark: Mark) -> list[object]:
    """Return a mark for JSON, of one in a file what that holds."""
    if not isinstance(mark.segmentation, Path):
        return list(mark)
    try:
        content = mark.segmentation.read_bytes()
    except OSError:
        content = b""
    return list(mark._replace(segmentation=hashlib.sha256(content).hexdigest()))
