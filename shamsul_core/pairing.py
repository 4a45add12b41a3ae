"""Which of a model's observations is which of a cohort's: the same names, and what a reader's own mapping says.

The mapping is a TOML file (``--names names.toml``)::

    [observations]
    "what the model calls it" = "what the cohort calls it"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shamsul_core.messages import one_line, quoted
from shamsul_core.vocabulary import canonical_name, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_TABLE = "observations"
_LARGEST_FILE = 1_000_000
"""Bytes of a mapping, a thousand times what any needs."""


class MappingError(ValueError):
    """A mapping of names that cannot be used; the message names the file or the observation, and what to do."""


@dataclass(frozen=True)
class Pairing:
    """What of a model and a cohort belongs together.

    Parameters
    ----------
    pairs
        The model's name and the cohort's of each observation that both have, in the model's order.
    of_model_alone, of_cohort_alone
        What has no partner on the other side, each with the nearest name there, ``None`` where nothing is near.
    """

    pairs: tuple[tuple[str, str], ...]
    of_model_alone: Mapping[str, str | None]
    of_cohort_alone: Mapping[str, str | None]

    @property
    def names(self) -> dict[str, str]:
        """The model's names of what the cohort calls otherwise, each with the cohort's."""
        return {name: partner for name, partner in self.pairs if name != partner}

    def lines(self) -> Iterator[str]:
        r"""Say in a line each what had no partner; a name that is near could be paired by one's own mapping.

        >>> print(*pair(["Mass", "Edema"], ["Edema", "Lung Lesion"]).lines(), sep="\n")
        the cohort does not label or mark Mass (near: Lung Lesion)
        the model does not predict Lung Lesion (near: Mass)
        """
        if self.of_model_alone:
            yield f"the cohort does not label or mark {_listed(self.of_model_alone)}"
        if self.of_cohort_alone:
            yield f"the model does not predict {_listed(self.of_cohort_alone)}"


def read_mapping(path: Path) -> dict[str, str]:
    """Read a reader's own mapping of names.

    Parameters
    ----------
    path
        The TOML file, see the module's text.

    Returns
    -------
    dict
        Canonical names: the model's to the cohort's.

    Raises
    ------
    MappingError
        It cannot be read, or is no such file.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise MappingError(one_line(str(path), "it is larger than any mapping of names"))
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MappingError(one_line(str(path), f"it cannot be read ({error.strerror})")) from error
    # RecursionError: brackets nested thousands deep
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MappingError(one_line(str(path), f"this is not TOML ({error})")) from error
    table = content.get(_TABLE)
    if not isinstance(table, dict) or not table:
        message = f'it has no table [{_TABLE}] with lines such as "Mass" = "Lung Lesion"'
        raise MappingError(one_line(str(path), message))
    for name, partner in table.items():
        if not isinstance(partner, str):
            message = f"{quoted(name)} must be followed by what the cohort calls it, not by {quoted(partner)}"
            raise MappingError(one_line(str(path), message))
    return {canonical_name(name): canonical_name(partner) for name, partner in table.items()}


def pair(
    model_names: Sequence[str], cohort_names: Sequence[str], mapping: Mapping[str, str] | None = None
) -> Pairing:
    """Pair a model's observations with a cohort's: by the mapping where it names one, else by equal names.

    Parameters
    ----------
    model_names, cohort_names
        Canonical names, in either's order.
    mapping
        A reader's own, as `read_mapping` returns it; two of the model's may have the same partner.

    Raises
    ------
    MappingError
        The mapping names what the model or the cohort does not have.

    Examples
    --------
    >>> pair(["Edema", "Mass"], ["Lung Lesion", "Edema"], {"Mass": "Lung Lesion"}).pairs
    (('Edema', 'Edema'), ('Mass', 'Lung Lesion'))
    """
    mapping = mapping or {}
    _check(mapping, model_names, "the model has no output")
    _check(mapping.values(), cohort_names, "the cohort does not label or mark")
    partners = {name: mapping.get(name, name) for name in model_names}
    pairs = tuple((name, partner) for name, partner in partners.items() if partner in set(cohort_names))
    paired = {partner for _, partner in pairs}
    return Pairing(
        pairs,
        {
            name: nearest_name(name, cohort_names)
            for name, partner in partners.items()
            if partner not in paired
        },
        {name: nearest_name(name, model_names) for name in cohort_names if name not in paired},
    )


def _check(names: Iterable[str], known: Sequence[str], what: str) -> None:
    for name in names:
        if name not in known:
            message = f"the mapping of names: {what} {quoted(name)}; there are {', '.join(known)}"
            raise MappingError(message)


def _listed(names: Mapping[str, str | None]) -> str:
    return ", ".join(
        name if nearest is None else f"{name} (near: {nearest})" for name, nearest in names.items()
    )
