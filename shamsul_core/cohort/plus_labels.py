"""CheXpert Plus's labels: a line of JSON a radiograph, made by CheXbert from one section of its report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from shamsul_core.cohort.image_files import image_id_of
from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import OBSERVATIONS, canonical_name

if TYPE_CHECKING:
    from pathlib import Path

Labels: TypeAlias = dict[str, float | None]

_VALUES = (1.0, 0.0, -1.0)


def read_plus_labels(path: Path, problems: list[Problem]) -> dict[str, Labels]:
    """Read such a file as ``{"path_to_image": "train/patient1/study1/view1_frontal.jpg", "Edema": 1.0, ...}``.

    Parameters
    ----------
    path
        ``impression_fixed.json`` of ``chexbert_labels``.
    problems
        Lines that could not be read are added.

    Returns
    -------
    dict
        For each radiograph's id the label of all fourteen observations, ``None`` where blank.

    Raises
    ------
    CohortError
        The file cannot be read.
    """
    labels: dict[str, Labels] = {}
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number, line in enumerate(file, 1):
                _read_line(line, f"{path.name} line {number}", labels, problems)
    except OSError as error:
        message = f"the label file cannot be read ({error.strerror})"
        raise CohortError(message, subject=str(path)) from error
    return labels


def _read_line(line: str, subject: str, labels: dict[str, Labels], problems: list[Problem]) -> None:
    if not line.strip():
        return
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        problems.append(Problem(subject, f"this is not JSON ({error}); the line is left out"))
        return
    image_id = image_id_of(str(entry.get("path_to_image"))) if isinstance(entry, dict) else None
    if image_id is None:
        message = (
            f"a line must be an object with path_to_image and labels, it is {quoted(entry)}; it is left out"
        )
        problems.append(Problem(subject, message))
        return
    named = {canonical_name(name): value for name, value in entry.items()}
    labels[image_id] = {
        name: float(named[name]) if named.get(name) in _VALUES else None for name in OBSERVATIONS
    }
    wrong = [name for name in OBSERVATIONS if named.get(name) not in (*_VALUES, None)]
    problems += [
        Problem(subject, f"{name} is {quoted(named[name])}, not 1, 0, -1 or null; read as blank")
        for name in wrong
    ]
