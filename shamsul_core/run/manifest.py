"""The manifest: what a run is about, and what makes it another run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shamsul_core.messages import quoted
from shamsul_core.run.bounds import check_name, check_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
"""Version of the run's format; a run of another version is refused by name."""


ALL = "all"
PRESENT_OR_PREDICTED = "present or predicted"


class RunError(ValueError):
    """A run that cannot be used; the message says in one line which file, what is wrong and what to do."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a run is about.

    Parameters
    ----------
    model
        source, fingerprint, is_trained, pathologies, preprocessing, precision; card (see `shamsul_core.classifier.model_card`) where
        anything is known of its training.
    cohort
        path (relative to the run's folder), name, split, fingerprint, simulated (its label, or ``None``), radiographs; in
        runs since there is more than one, layout, and names: those of observations that the cohort calls otherwise, each
        with the cohort's.
    methods
        For each method's name its title and settings, in the order in which they are shown.
    pathologies
        Those explained.
    explained
        Of them on each radiograph: `ALL`, or `PRESENT_OR_PREDICTED`.
    preset
        Name of the settings.
    created
        ISO 8601, UTC.
    versions
        Of Python and the libraries.
    made_with
        Under what its radiographs were explained, by the name that their results give it: see
        `shamsul_core.run.provenance.circumstances`; empty in runs from before this was kept, and in imported ones.
    schema
        Version of the run's format.
    """

    model: Mapping[str, Any]
    cohort: Mapping[str, Any]
    methods: Mapping[str, Mapping[str, Any]]
    pathologies: tuple[str, ...]
    preset: str
    created: str
    versions: Mapping[str, str]
    explained: str = ALL
    made_with: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schema: int = SCHEMA

    def differences(self, other: Manifest) -> list[str]:
        """Name what makes `other` another run than this one; empty if nothing does."""
        compared = {
            "model": (self.model["fingerprint"], other.model["fingerprint"]),
            "cohort": (self.cohort["fingerprint"], other.cohort["fingerprint"]),
            "pathologies": (
                [self.explained, *self.pathologies],
                [other.explained, *other.pathologies],
            ),
            "methods": (list(self.methods), list(other.methods)),
            "names of observations": (self.names, other.names),
        }
        for name in self.methods.keys() & other.methods.keys():
            compared[f"settings of {name}"] = (self.methods[name], other.methods[name])
        return [what for what, (ours, theirs) in compared.items() if ours != theirs]

    @property
    def names(self) -> dict[str, str]:
        """The run's names of observations that the cohort calls otherwise, each with the cohort's."""
        return dict(self.cohort.get("names") or {})

    @property
    def titles(self) -> dict[str, str]:
        """What readers call each method, by its name."""
        return {name: str(method["title"]) for name, method in self.methods.items()}

    def to_json(self) -> str:
        """Return the manifest as the text of ``manifest.json``."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If it is not a manifest, or one of another format.
        """
        stored = json.loads(text)
        schema = stored.get("schema") if isinstance(stored, dict) else None
        if schema != SCHEMA:
            message = f"run format {quoted(schema)}, this version of SHAMSUL reads {SCHEMA}; explain the cohort again"
            raise ValueError(message)
        stored.setdefault("explained", ALL)  # runs from before there was a choice
        stored.setdefault("made_with", {})
        missing = {field.name for field in fields(cls)} - stored.keys()
        if missing:
            message = f"{', '.join(sorted(missing))} missing"
            raise ValueError(message)
        check_texts("it", stored)
        _check(stored)
        _name_what_hides(stored["methods"])
        return cls(
            **{field.name: stored[field.name] for field in fields(cls)}
            | {"pathologies": tuple(stored["pathologies"])}
        )


_PARTS: Mapping[str, Mapping[str, type]] = {
    "model": {"source": str, "fingerprint": str, "is_trained": bool, "pathologies": list},
    "cohort": {"path": str, "name": str, "split": str, "fingerprint": str},
    "method": {"title": str, "settings": dict},
    "circumstances": {"software": str, "engine": str, "precision": str, "device": str, "versions": dict},
}
"""What each part of a manifest has at least, in every version."""


def _check(stored: Mapping[str, Any]) -> None:
    """Raise a `ValueError` unless each part is what those who read it take it for."""
    kinds = {"methods": dict, "versions": dict, "pathologies": list, "made_with": dict}
    kinds |= dict.fromkeys(("preset", "created", "explained"), str)
    _check_kinds("it", stored, kinds)
    _check_kinds("model", stored["model"], _PARTS["model"])
    _check_kinds("cohort", stored["cohort"], _PARTS["cohort"])
    for name, method in stored["methods"].items():
        check_name("a method", name)
        if "/" in name or "\\" in name:  # it is part of files' names
            message = f"a method has a name that no file can have: {name}"
            raise ValueError(message)
        _check_kinds(f"method {name}", method, _PARTS["method"])
        check_name(f"the title of method {name}", method["title"])
    if len({method["title"] for method in stored["methods"].values()}) < len(stored["methods"]):
        message = "two methods have the same title"
        raise ValueError(message)
    names = stored["pathologies"]
    if not stored["methods"] or not names or len({str(name) for name in names}) < len(names):
        message = "it must name at least one method and one pathology, and none twice"
        raise ValueError(message)
    if not all(isinstance(name, str) for name in [*names, *stored["model"]["pathologies"]]):
        message = "a pathology is not a name"
        raise ValueError(message)
    for name in names:
        check_name("a pathology", name)
    datetime.fromisoformat(stored["created"])
    for part in stored["made_with"].values():
        _check_kinds("made_with", part, _PARTS["circumstances"])
    parts = [stored, *stored["made_with"].values()]
    if not all(isinstance(version, str) for part in parts for version in part["versions"].values()):
        message = "a version is not a text"
        raise ValueError(message)
    if not isinstance(stored["cohort"].get("simulated"), str | None):
        message = "what it says of the cohort's simulation is not a text"
        raise ValueError(message)
    if not isinstance(stored["cohort"].get("layout"), str | None):
        message = "what it says of the cohort's layout is not a text"
        raise ValueError(message)
    names = stored["cohort"].get("names") or {}
    _check_kinds("the cohort's names", names, dict.fromkeys(names, str))


def _name_what_hides(methods: Mapping[str, Mapping[str, Any]]) -> None:
    """Give the mean grey its name in runs from before there was anything else, which have its value of 0."""
    for method in methods.values():
        if method["settings"].get("hide") == 0:
            method["settings"]["hide"] = "grey"


def _check_kinds(part: str, stored: object, kinds: Mapping[str, type]) -> None:
    if not isinstance(stored, dict):
        message = f"{part} is not an object"
        raise ValueError(message)
    for name, kind in kinds.items():
        if not isinstance(stored.get(name), kind):
            message = f"{part} has no {name}, or one of another kind"
            raise ValueError(message)
