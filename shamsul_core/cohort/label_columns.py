"""The columns of a label file: which observation is where, by whatever name, and which name is misspelt."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import OBSERVATIONS, canonical_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLUS_COLUMNS = {
    "path_to_image": "Path",
    "sex": "Sex",
    "age": "Age",
    "frontal_lateral": "Frontal/Lateral",
    "ap_pa": "AP/PA",
}
_NAMES_IN_WORDS = f"The observations are {', '.join(OBSERVATIONS)}"
# Share of two names' letters that are the same: "Fractures" is near, "Effusion" and "Pleural Effusion" are not
_NEARLY = 0.8


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where the columns are, from 0 on; ``None`` for those the file does not have.

    Parameters
    ----------
    count
        How many fields a line has.
    path
        The radiograph's path or, where `names_studies`, its study's.
    split
        Which part of CheXpert Plus a radiograph is in.
    labels
        Each observation that has a column, and where.
    absent
        The observations without one.
    sex, age, view, projection
        Of patient and radiograph.
    """

    count: int
    path: int
    names_studies: bool
    split: int | None
    labels: tuple[tuple[str, int], ...]
    absent: tuple[str, ...]
    sex: int | None
    age: int | None
    view: int | None
    projection: int | None


def find_columns(header: Sequence[str], name: str, problems: list[Problem]) -> Columns:
    """Find the columns that a header names.

    Parameters
    ----------
    header
        The fields of the first line.
    name
        The file's name, for problems.
    problems
        Columns that occur twice or are misspelt are added.

    Raises
    ------
    CohortError
        It names no radiographs, or nothing about them.
    """
    places: dict[str, int] = {}
    is_plus = {"path_to_image", "split"} <= set(header)
    for place, title in enumerate(header):
        column = title.strip()
        column = _PLUS_COLUMNS.get(column, column) if is_plus else column
        column = observation if (observation := canonical_name(column)) in OBSERVATIONS else column
        if places.setdefault(column, place) != place and column:
            problems.append(Problem(name, f"there are two columns for {quoted(column)}; the first is used"))
    path = places.get("Path", places.get("Study"))
    if path is None or (places.keys().isdisjoint(OBSERVATIONS) and not is_plus):
        raise CohortError(_header_message(header))
    misspelt = {} if is_plus else _misspelt(header)
    problems += [Problem(name, _misspelling(title, nearest)) for title, nearest in misspelt.items()]
    named = {*places, *misspelt.values()}
    return Columns(
        count=len(header),
        path=path,
        names_studies="Path" not in places,
        split=places["split"] if is_plus else None,
        labels=tuple((name, places[name]) for name in OBSERVATIONS if name in places),
        absent=() if is_plus else tuple(name for name in OBSERVATIONS if name not in named),
        sex=places.get("Sex"),
        age=places.get("Age"),
        view=places.get("Frontal/Lateral"),
        projection=places.get("AP/PA"),
    )


def _header_message(header: Sequence[str]) -> str:
    if not header:
        return "the label file is empty; it should begin with Path,Sex,Age,..."
    nearest = [f"by {quoted(title)} you may mean {name}" for title, name in _misspelt(header).items()]
    wanted = (
        f"the first line must name the columns Path and the observations, it is {quoted(','.join(header))}"
    )
    return "; ".join((wanted, *nearest, _NAMES_IN_WORDS))


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


def _misspelling(title: str, nearest: str) -> str:
    return f"no observation is called {quoted(title)}; did you mean {nearest}? {_NAMES_IN_WORDS}; until then its labels are blank"
