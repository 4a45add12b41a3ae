"""What is wrong with a cohort: a line in a list where the rest goes on, an error where nothing can."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shamsul_core.imaging.refusals import MaskError
from shamsul_core.messages import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a cohort, while the rest of it can be used.

    Parameters
    ----------
    subject
        The file or radiograph it is about.
    message
        What is wrong and what to do.
    is_used
        Whether what it is about is used all the same.

    Examples
    --------
    >>> print(Problem("val_labels.csv line 7", "the file it names is missing"))
    val_labels.csv line 7: the file it names is missing
    """

    subject: str
    message: str
    is_used: bool = False

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
def naming(subject: str) -> Iterator[None]:
    """Let an error from inside name its subject, where it does not already.

    Parameters
    ----------
    subject
        The file or radiograph.

    Raises
    ------
    CohortError
        The one raised inside, with its subject; also of a mask that cannot be used.
    """
    try:
        yield
    except MaskError as error:
        raise CohortError(str(error), subject=subject) from error
    except CohortError as error:
        if error.subject:
            raise
        raise CohortError(error.message, subject=subject) from error


def _rebuild(message: str, subject: str) -> CohortError:
    return CohortError(message, subject=subject)
