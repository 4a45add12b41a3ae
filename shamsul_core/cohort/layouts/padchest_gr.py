"""PadChest-GR (Castro et al., NEJM AI 2025; BIMCV): reports sentence by sentence, with boxes.

::

    <folder>/grounded_reports_20240819.json
    <folder>/master_table.csv                    which split a radiograph is in, patient, age, sex
    <folder>/PadChest_GR/<ImageID>               PNG of 16 bits, or anywhere else in the folder

A finding has a sentence in English and Spanish, labels and, mostly, boxes, in shares of the radiograph's sides. The label
of an observation is positive where an abnormal finding names it and negative elsewhere, since the report is complete; where
no box was drawn, nobody is taken to have looked. A finding has up to two independent sets of boxes, each by another reader
(Castro et al. 2025): ``boxes``, and ``extra_boxes`` where a second one drew any. Where an observation has several findings,
the second set counts only if it is there for each of them: else who was not asked would pass for who overlooked it.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from shamsul_core.cohort.csv_file import header_of, read_columns
from shamsul_core.cohort.image_index import ImageIndex, id_of
from shamsul_core.cohort.label_table import LabelRow
from shamsul_core.cohort.layouts.facts import age_of, sex_of
from shamsul_core.cohort.layouts.splits import ALL, SPLIT_NAMES, choose_split
from shamsul_core.cohort.marks import Mark
from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.cohort.tabular import Tables, TabularCohort
from shamsul_core.imaging.boxes import read_box
from shamsul_core.imaging.refusals import MaskError
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_REPORTS = "grounded_reports*.json"
_MASTER = "master_table.csv"
_IN_SHARES = (1, 1)
_READERS = {"boxes": "reader 1", "extra_boxes": "reader 2"}


class _Fact(NamedTuple):
    split: str
    sex: str | None
    age: int | None
    patient: str


_UNKNOWN = _Fact(ALL, None, None, "")


def is_here(folder: Path) -> bool:
    """Return whether its reports are."""
    return any(folder.glob(_REPORTS))


def open_padchest_gr(folder: Path, split: str | None) -> TabularCohort:
    """Open the newest reports that there are; by default those of the test split, where the master table has one.

    Raises
    ------
    CohortError
        The reports cannot be read, or there is no such split.
    """
    path = max(folder.glob(_REPORTS), default=folder / _REPORTS)
    problems: list[Problem] = []
    reports = _reports(path, problems)
    facts = _facts(folder / _MASTER, problems)
    splits = {fact.split for fact in facts.values()} - {""}
    chosen = choose_split(split, (*sorted(splits, key=("test", "val", "train", *splits).index), ALL), folder)
    marks: dict[str, list[Mark]] = {}
    positive: dict[str, dict[str, None]] = {}
    names: dict[str, str] = {}
    for name, findings in reports:
        known = facts.get(id_of(name), _UNKNOWN)
        if chosen not in (ALL, known.split):
            continue
        image_id = _id_of(name, known)
        names.setdefault(image_id, name)
        for label, of_label in _by_label(findings).items():
            positive.setdefault(image_id, {})[label] = None
            marks.setdefault(image_id, []).extend(_marks(label, of_label, f"{path.name} {name}", problems))
    frequent = Counter(label for labels in positive.values() for label in labels)
    observations = tuple(name for name, _ in frequent.most_common())
    tables = Tables(
        layout="padchest-gr",
        folder=folder,
        split=chosen,
        rows=[
            LabelRow(
                number,
                image_id,
                name,
                {label: float(label in positive.get(image_id, ())) for label in observations},
                "frontal",
                None,
                *facts.get(id_of(name), _UNKNOWN)[1:3],
            )
            for number, (image_id, name) in enumerate(names.items(), 1)
        ],
        observations=observations,
        marks={image_id: of_image for image_id, of_image in marks.items() if of_image},
        is_exhaustive=False,
        drawn_on=_IN_SHARES,
        annotators={
            image_id: tuple(sorted({mark.annotator for mark in of_image}))
            for image_id, of_image in marks.items()
            if of_image
        },
        source=path.name,
        files={"radiographs": (folder,), "reports and boxes": (path,)},
        problems=problems,
    )
    return TabularCohort(tables, ImageIndex(folder))


def _reports(path: Path, problems: list[Problem]) -> list[tuple[str, list[dict[str, Any]]]]:
    try:
        content = json.loads(path.read_bytes())
    # RecursionError: brackets nested thousands deep
    except (OSError, ValueError, RecursionError) as error:
        message = f"the reports cannot be read ({error})"
        raise CohortError(message, subject=str(path)) from error
    if not isinstance(content, list):
        message = f"it must hold a list of reports, it holds {quoted(content)}"
        raise CohortError(message, subject=str(path))
    reports = []
    for report in content:
        if not isinstance(report, dict) or not isinstance(report.get("ImageID"), str):
            problems.append(Problem(path.name, f"a report names no ImageID, it is {quoted(report)}"))
            continue
        findings = report.get("findings") or []
        reports.append((report["ImageID"], [finding for finding in findings if isinstance(finding, dict)]))
    return reports


def _labels(finding: dict[str, Any]) -> list[str]:
    """Return what an abnormal finding is of; keys may be absent where it is normal."""
    labels = finding.get("labels") or []
    if not finding.get("abnormal", True) or not isinstance(labels, list):
        return []
    return list(dict.fromkeys(canonical_name(str(label)) for label in labels if str(label).strip()))


def _by_label(findings: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    by_label: dict[str, list[dict[str, Any]]] = {}
    for finding in findings:
        for label in _labels(finding):
            by_label.setdefault(label, []).append(finding)
    return by_label


def _marks(
    label: str, findings: list[dict[str, Any]], subject: str, problems: list[Problem]
) -> Iterator[Mark]:
    """Yield the boxes of all findings of an observation on one radiograph."""
    is_read_twice = all(finding.get("extra_boxes") for finding in findings if finding.get("boxes"))
    for finding in findings:
        phrase = str(finding.get("sentence_en") or finding.get("sentence_es") or "")
        for key, reader in _READERS.items():
            boxes = finding.get(key) or []
            if key == "extra_boxes" and not is_read_twice:
                continue
            for box in boxes if isinstance(boxes, list) else [boxes]:
                try:
                    yield Mark(label, read_box(box), annotator=reader, phrase=phrase)
                except MaskError as error:
                    problems.append(Problem(subject, f"{error}; it is left out"))


def _id_of(name: str, known: _Fact) -> str:
    """Return an id that names the patient, where the master table does."""
    return f"padchest{known.patient}_{id_of(name)}" if known.patient.isdecimal() else id_of(name)


def _facts(path: Path, problems: list[Problem]) -> dict[str, _Fact]:
    """Return what the master table has of each radiograph, by the name of its file."""
    if "ImageID" not in header_of(path):
        return {}
    optional = ("split", "PatientSex_DICOM", "PatientAge", "PatientID")
    return {
        id_of(name): _Fact(SPLIT_NAMES.get(split, split), sex_of(sex), age_of(age), patient)
        for _, (name, split, sex, age, patient) in read_columns(
            path, ("ImageID",), problems, optional=optional
        )
    }
