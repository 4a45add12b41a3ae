"""How foreign content stands in a message, and how many messages that are alike are told."""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_QUOTE = 60
EXAMPLES = 3
"""So many stand for all that are alike."""

# What differs between lines that say the same of many radiographs: what is quoted, ids, numbers and paths
_VARYING = re.compile(r"""'[^']*'|"[^"]*"|\S*[\d/\\]\S*""")

# A file may hold megabytes of text, or brackets nested so deep that repr() itself fails.
_REPR = reprlib.Repr()
_REPR.maxlevel = 3
_REPR.maxstring = _REPR.maxother = _LONGEST_QUOTE


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
