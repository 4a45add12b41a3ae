"""CheXlocalize's annotation files, read on the first question about them."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, canonical_name

if TYPE_CHECKING:
    from pathlib import Path

_NOT_THERE = object()
_SIZE = "img_size"
_NO_JSON = "the file is cut off or is not JSON ({}); copy it again; until then it is ignored"


class ExpertFile:
    """One JSON file ``{image id: {pathology: something}}``, by CheXpert's names, in which anything may be wrong.

    Parameters
    ----------
    path
        The file; ``None`` where the cohort has none, which is as good as an unreadable one.
    """

    def __init__(self, path: Path | None) -> None:
        self.name = "" if path is None else path.name
        self._path = path

    @cached_property
    def _content(self) -> tuple[dict[str, object] | None, tuple[Problem, ...]]:
        if self._path is None:
            return None, ()
        try:
            content = json.loads(self._path.read_bytes())
        except OSError as error:
            return None, (Problem(self.name, f"the file cannot be read ({error.strerror})"),)
        # RecursionError: brackets nested thousands deep. ValueError: bad syntax, bad encoding, numbers of 5,000 digits.
        except (ValueError, RecursionError) as error:
            return None, (Problem(self.name, _NO_JSON.format(error)),)
        if not isinstance(content, dict):
            message = (
                f"the file must hold an object of radiograph ids, it holds {quoted(content)}; it is ignored"
            )
            return None, (Problem(self.name, message),)
        problems: list[Problem] = []
        entries = {
            image_id: self._by_canonical_name(image_id, entry, problems)
            for image_id, entry in content.items()
        }
        return entries, tuple(problems)

    def _by_canonical_name(self, image_id: str, entry: object, problems: list[Problem]) -> object:
        if not isinstance(entry, dict):
            message = f"the entry must be an object of pathologies, it is {quoted(entry)}"
            problems.append(Problem(f"{self.name} {image_id}", message))
            return entry
        named: dict[str, object] = {}
        for key, value in entry.items():
            name = key if key == _SIZE else canonical_name(key)
            if name in named:
                problems.append(Problem(f"{self.name} {image_id}", f"{name} occurs twice; the first is used"))
            elif name != _SIZE and name not in LOCALISED_PATHOLOGIES:
                problems.append(
                    Problem(f"{self.name} {image_id}", f"{quoted(key)} is not one of the ten pathologies")
                )
            named.setdefault(name, value)
        return named

    @property
    def is_readable(self) -> bool:
        """Whether there is a file and it could be read."""
        return self._content[0] is not None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the file or with single entries."""
        return self._content[1]

    @property
    def ids(self) -> tuple[str, ...]:
        """The radiographs it has an entry for, in its order."""
        return tuple(self._content[0] or ())

    def get(self, image_id: str, key: str) -> object | None:
        """Return what the file says under an id and a pathology (or ``img_size``), ``None`` where it says nothing.

        Raises
        ------
        CohortError
            The radiograph's entry, or what stands under the key, is nothing that can be read.
        """
        entry = (self._content[0] or {}).get(image_id, {})
        if not isinstance(entry, dict):
            message = f"the entry must be an object of pathologies, it is {quoted(entry)}"
            raise CohortError(message, subject=f"{self.name} {image_id}")
        value = entry.get(key, _NOT_THERE)
        if value is None:
            message = f"{key} is null"
            raise CohortError(message, subject=f"{self.name} {image_id}")
        return None if value is _NOT_THERE else value
