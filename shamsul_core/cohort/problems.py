"""What is wrong with a cohort: a line in a list where the rest goes on, an error where nothing can."""

from __future__ import annotations

import re
import reprlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST_QUOTE = 60
EXAMPLES = 3
"""So many stand for all that are alike."""

# What differs between lines that say the same of many radiographs: what is quoted, ids, numbers and paths
_VARYING = re.compile(r"""'[^']*'|"[^"]*"|\S*[\d/\\]\S*""")

# A file may hold megabytes of text, or brackets nested so deep that repr() itself fails.
_REPR = reprlib.Repr()
_REPR.maxlevel = 3
_REPR.maxstring = _REPR.maxother = _LONGEST_QUOTE


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a cohort, while the rest of it can be used.

    Parameters
    ----------
    subject
        The file or radiograph it is about.
    message
        What is wrong and what to do.

    Examples
    --------
    >>> print(Problem("val_labels.csv line 7", "the file it names is missing"))
    val_labels.csv line 7: the file it names is missing
    """

    subject: str
    message: str

    def __str__(self) -> str:
        return one_line(self.subject, self.message)


class CohortError(ValueError):
    """A cohort, or the part of it asked for, cannot be read.

    A `ValueError`, so that whoever reports bad input in one line does not need to know of cohorts.

    Parameters
    ----------
    message
        What is wrong and what to do.
    subject
        The file or radiograph it is about, where the message does not name it.
    """

    def __init__(self, message: str, *, subject: str = "") -> None:
        super().__init__(one_line(subject, message))
        self.message = message
        self.subject = subject

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call __init__ with the joined line, and the subject would stand twice in a worker's error.
        return _rebuild, (self.message, self.subject)

    @property
    def problem(self) -> Problem:
        """The same as a line for a list of problems."""
        return Problem(self.subject, self.message)


@contextmanager
def about(subject: str) -> Iterator[None]:
    """Let a `CohortError` from inside say what it is about, where it does not already.

    Parameters
    ----------
    subject
        The file or radiograph.

    Raises
    ------
    CohortError
        The one raised inside, with its subject.
    """
    try:
        yield
    except CohortError as error:
        if error.subject:
            raise
        raise CohortError(error.message, subject=subject) from error


def one_line(subject: str, message: str) -> str:
    r"""Return ``subject: message`` on one line; whatever breaks lines in a file's name is a space.

    >>> one_line("odd\nname.csv", "is empty")
    'odd name.csv: is empty'
    """
    return " ".join(f"{subject}: {message}".split()) if subject else " ".join(message.split())


def brief(lines: Iterable[object], everything: object = "") -> list[str]:
    """Return lines in which three stand for all that are alike, followed by how many there are.

    Parameters
    ----------
    lines
        Problems, or text.
    everything
        Where all of them stand, to be named.

    Examples
    --------
    >>> brief(["a.png: too large", *(f"{n}.png: no file" for n in range(9))], "all.txt")  # doctest: +NORMALIZE_WHITESPACE
    ['a.png: too large', '0.png: no file', '1.png: no file', '2.png: no file',
     'and 6 more like these, 9 in all; see all.txt']
    """
    alike: dict[str, list[str]] = {}
    for line in map(str, lines):
        alike.setdefault(kind_of(line), []).append(line)
    return [shown for group in alike.values() for shown in _shown(group, everything)]


def kind_of(line: str) -> str:
    """Return what a line says whatever it says it of: the same for all that are alike.

    >>> kind_of("labels.csv line 4: no file 'a.png'") == kind_of("labels.csv line 17: no file 'b.png'")
    True
    """
    return _VARYING.sub("", line)


def _shown(group: list[str], everything: object) -> list[str]:
    if len(group) <= EXAMPLES + 1:
        return group
    where = f"; see {everything}" if everything else ""
    rest = f"and {len(group) - EXAMPLES:,} more like these, {len(group):,} in all{where}"
    return [*group[:EXAMPLES], rest]


def quoted(value: object) -> str:
    r"""Return foreign content as it may stand in a message: quoted, on one line, not longer than about 60 characters.

    >>> quoted("two\nlines")
    "'two\\nlines'"
    """
    text = _REPR.repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."


def _rebuild(message: str, subject: str) -> CohortError:
    return CohortError(message, subject=subject)
