"""A cohort in the layout in which CheXpert and CheXlocalize are released."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shamsul_core.cohort.counterfactual import counterfactual_file, read_counterfactual
from shamsul_core.cohort.expert_reading import ExpertReading, SalientPoints
from shamsul_core.cohort.folder_cohort import FolderCohort
from shamsul_core.cohort.image_files import find_images
from shamsul_core.cohort.label_table import one_row_a_radiograph, read_label_table
from shamsul_core.cohort.layout import find_layout
from shamsul_core.cohort.planted_sign import read_description, read_sign
from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.cohort.radiograph_table import RadiographTable
from shamsul_core.cohort.simulation import read_simulated_note
from shamsul_core.messages import quoted
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, OBSERVATIONS, canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shamsul_core.cohort.annotation import Annotation, Kind
    from shamsul_core.cohort.counterfactual import Counterfactual
    from shamsul_core.cohort.expert_reading import Point
    from shamsul_core.cohort.label_table import LabelRow
    from shamsul_core.cohort.layout import Layout, Split
    from shamsul_core.cohort.planted_sign import PlantedSign
    from shamsul_core.cohort.radiograph import Size

CHEXPERT = "chexpert"
"""The layout's name."""


def open_chexpert(folder: Path, split: str | None) -> CheXpertCohort:
    """Open a cohort in CheXpert's and CheXlocalize's layout (see `shamsul_core.cohort.layout`).

    No image is opened and no annotation file parsed here.

    Parameters
    ----------
    folder
        The folder with ``CheXpert/`` and ``CheXlocalize/``, or the CheXpert folder itself.
    split
        ``"train"``, ``"val"`` or ``"test"``. By default the one with expert annotations, else the first there is, both
        in the order val, test, train.

    Raises
    ------
    CohortError
        There is no such cohort, more than one it could be, or nothing in it that can be read.
    """
    layout = find_layout(folder, split)
    rows, problems, remarks = read_label_table(
        layout.labels, split_names=layout.split_names, plus_labels=layout.plus_labels
    )
    files, stray = find_images(layout.images)
    rows = one_row_a_radiograph(rows, files)
    radiographs = RadiographTable(
        {row.image_id: (row, _used(row, files[row.image_id])) for row in rows if row.image_id in files}
    )
    problems += [*stray, *_mismatches(rows, files, layout)]
    if not radiographs:
        raise CohortError(_nothing(rows, problems, layout), subject=str(layout.labels))
    return CheXpertCohort(layout, radiographs, tuple(problems), (*remarks, *layout.remarks))


class CheXpertCohort(FolderCohort):
    """The `Cohort` of one split; the annotation files are read on the first question about them.

    Parameters
    ----------
    layout
        Where its files lie.
    radiographs
        By id, in the label file's order.
    problems, remarks
        What opening it has shown.
    """

    def __init__(
        self,
        layout: Layout,
        radiographs: RadiographTable,
        problems: tuple[Problem, ...],
        remarks: tuple[Problem, ...],
    ) -> None:
        super().__init__(radiographs)
        self._layout = layout
        self._problems = problems
        self._remarks = remarks
        files = layout.expert_files
        self._ground_truth = ExpertReading(files.get("gt_segmentations"), files.get("gt_annotations"))
        self._benchmark = ExpertReading(files.get("hb_segmentations"), files.get("hb_annotations"))
        self._points = SalientPoints(files.get("hb_salient_points"))

    @property
    def folder(self) -> Path:
        """The folder it was opened from."""
        return self._layout.folder

    @property
    def layout(self) -> str:
        """CheXpert's."""
        return CHEXPERT

    @property
    def observations(self) -> tuple[str, ...]:
        """CheXpert's fourteen."""
        return OBSERVATIONS

    @property
    def marked_pathologies(self) -> tuple[str, ...]:
        """CheXlocalize's ten."""
        return LOCALISED_PATHOLOGIES

    @property
    def split(self) -> Split:
        """Which part of the folder it is."""
        return self._layout.split

    @property
    def has_annotations(self) -> bool:
        """Whether there is an expert annotation file and it could be read."""
        return self._ground_truth.is_available

    def annotation(self, image_id: str, pathology: str) -> Annotation | None:
        """Return what the experts marked, see `Cohort.annotation`."""
        return self._ask(self._ground_truth, image_id, pathology)

    def annotations(self, image_id: str, pathology: str) -> tuple[Annotation, ...]:
        """Return what the experts marked together, see `Cohort.annotations`."""
        annotation = self.annotation(image_id, pathology)
        return () if annotation is None else (annotation,)

    def truth_kind(self, pathology: str) -> Kind:
        """Return that it is a contour, see `Cohort.truth_kind`."""
        self._localised_name(next(iter(self._radiographs)), pathology)
        return "contour"

    def marked_on(self, image_id: str) -> tuple[str, ...]:
        """Return the pathologies marked on a radiograph, see `Cohort.marked_on`."""
        if not self.has_annotations:
            return ()
        return tuple(name for name in LOCALISED_PATHOLOGIES if self._is_marked(image_id, name))

    def human_benchmark(self, image_id: str, pathology: str) -> Annotation | None:
        """Return what the second group of radiologists marked, see `Cohort.human_benchmark`."""
        return self._ask(self._benchmark, image_id, pathology)

    def salient_points(self, image_id: str, pathology: str) -> tuple[Point, ...]:
        """Return the points these radiologists clicked, see `Cohort.salient_points`."""
        points = self._points.points(image_id, self._localised_name(image_id, pathology))
        geometry = self._geometry(image_id) if points else None
        return (
            points if geometry is None else tuple(map(tuple, geometry.show_points(np.array(points)).tolist()))
        )

    def counterfactual(self, image_id: str, pathology: str) -> Counterfactual | None:
        """Return a simulated patient without a finding, see `Cohort.counterfactual`."""
        name = self._localised_name(image_id, pathology)
        if self._layout.simulated is None:
            return None
        folder = self._layout.simulated.parent.parent
        path = counterfactual_file(folder, self.split, image_id, name)
        return read_counterfactual(path, self._radiographs[image_id]) if path.is_file() else None

    def planted_sign(self, image_id: str) -> PlantedSign | None:
        """Return the sign of a simulated cohort's shortcut, see `Cohort.planted_sign`."""
        self._known(image_id)
        if self._layout.simulated is None:
            return None
        folder = self._layout.simulated.parent.parent
        return read_sign(folder, self.split, self._simulation, self._radiographs[image_id])

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files; reads the annotation files, but no image and no mask."""
        entries = (problem for source in self._expert_sources for problem in source.problems)
        return (*self._problems, *entries, *self._entries_without_radiograph())

    @property
    def remarks(self) -> tuple[Problem, ...]:
        """What the files do not have, though nothing is wrong with them."""
        return self._remarks

    @property
    def files(self) -> Mapping[str, tuple[Path, ...]]:
        """Where its files lie, by what they are."""
        layout = self._layout
        beside = {} if layout.plus_labels is None else {"CheXpert Plus's labels": (layout.plus_labels,)}
        experts = {kind: (path,) for kind, path in layout.expert_files.items()}
        return {"radiographs": layout.images, "labels": (layout.labels,), **beside, **experts}

    def check(self, on_step: OnStep = say_nothing) -> tuple[Problem, ...]:
        """Open every image and try every annotation, see `Cohort.check`."""
        problems: list[Problem] = []
        for image_id in self._radiographs:
            problems += self._check(image_id)
            on_step(image_id)
        # An entry of a wrong type is met again for each pathology.
        return tuple(dict.fromkeys((*self.problems, *problems)))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, labels and annotation files; the same wherever the folder lies."""
        digest = hashlib.sha256()
        for row in self._radiographs.rows():
            digest.update(json.dumps([row.image_id, row.view, *row.labels.values()]).encode() + b"\n")
        for kind, path in sorted(self._layout.expert_files.items()):
            digest.update(f"{kind} {_digest_of(path)}\n".encode())
        return digest.hexdigest()

    @cached_property
    def simulated_note(self) -> str | None:
        """The text of ``SIMULATED.txt``."""
        path = self._layout.simulated
        return None if path is None else read_simulated_note(path)

    @cached_property
    def _simulation(self) -> Mapping[str, Any]:
        note = self._layout.simulated
        return {} if note is None else read_description(note.parent / f"simulation_{self.split}.json")

    def _ask(self, reading: ExpertReading, image_id: str, pathology: str) -> Annotation | None:
        name = self._localised_name(image_id, pathology)
        if not reading.is_available:
            return None
        annotation = reading.annotation(image_id, name, lambda: self._radiographs[image_id].geometry.stored)
        return self._as_shown(annotation)

    def _is_marked(self, image_id: str, pathology: str) -> bool:
        with suppress(CohortError):
            annotation = self.annotation(image_id, pathology)
            return annotation is not None and not annotation.is_empty
        return False

    def _known(self, image_id: str) -> None:
        if image_id not in self._radiographs:
            message = f"there is no radiograph {quoted(image_id)}"
            raise CohortError(message, subject=self.name)

    def _localised_name(self, image_id: str, pathology: str) -> str:
        self._known(image_id)
        if (name := canonical_name(pathology)) not in LOCALISED_PATHOLOGIES:
            message = f"{quoted(pathology)} is not one of the ten pathologies that experts localised"
            raise CohortError(message, subject=self.name)
        return name

    @property
    def _expert_sources(self) -> tuple[ExpertReading, ExpertReading, SalientPoints]:
        return self._ground_truth, self._benchmark, self._points

    def _entries_without_radiograph(self) -> Iterator[Problem]:
        for source in self._expert_sources:
            for image_id, name in source.entries.items():
                if image_id not in self._radiographs:
                    yield Problem(f"{name} {quoted(image_id)}", "this entry has no radiograph; it is ignored")

    def _check(self, image_id: str) -> Iterator[Problem]:
        size: Size | None = None
        try:
            presented = self._radiographs[image_id].presented()
        except CohortError as error:
            yield error.problem
        else:
            size = presented.geometry.stored
            yield from (
                Problem(str(self._radiographs[image_id].path), remark, is_used=True)
                for remark in presented.remarks
            )
        for source in self._expert_sources:
            yield from source.check(image_id, size)


def _used(row: LabelRow, paths: Sequence[str]) -> str:
    """Return the file with the ending that the line has; a radiograph saved anew as PNG is found all the same."""
    if len(paths) == 1:
        return paths[0]
    return next((path for path in paths if path.lower().endswith(row.path[-4:].lower())), paths[0])


def _mismatches(
    rows: Sequence[LabelRow], files: Mapping[str, Sequence[str]], layout: Layout
) -> Iterator[Problem]:
    labelled = {row.image_id: row for row in rows}
    for row in rows:
        subject = f"{layout.labels.name} line {row.line}"
        if row.image_id not in files:
            message = f"there is no file for {quoted(row.path)} in {layout.searched}; the line is left out"
            yield Problem(subject, message)
        elif len(files[row.image_id]) > 1:
            used = Path(_used(row, files[row.image_id])).name
            yield Problem(subject, f"there is more than one file for {row.image_id}; {used} is used")
    for image_id, paths in files.items():
        if image_id not in labelled:
            yield Problem(paths[0], f"there is no line for it in {layout.labels.name}; it is left out")


def _nothing(rows: Sequence[LabelRow], problems: Sequence[Problem], layout: Layout) -> str:
    first = f"; first problem: {problems[0]}" if problems else "; the file has only a header"
    return f"none of its radiographs could be found in {layout.searched} ({len(rows)} lines read){first}"


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        message = f"the file cannot be read ({error.strerror})"
        raise CohortError(message, subject=str(path)) from error
