"""How far an upload has come, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from shamsul_core.upload.job import Job

_A_MINUTE_S = 60
_STEP_S = 5


def progress_in_words(job: Job, ahead: int, methods: Mapping[str, Mapping[str, Any]]) -> tuple[float, str]:
    """Return how far a job has come, 0 to 1, and what is being done.

    Parameters
    ----------
    ahead
        How many radiographs are explained before it.
    methods
        As the worker told of them; empty while it loads its model.
    """
    if job.state == "waiting":
        if not methods:
            return 0.0, "Waiting: loading the model"
        return 0.0, f"Waiting: {_radiographs(ahead)} before this one" if ahead else "Waiting: next in line"
    if not job.method:
        return 0.05, "Predicting"
    words = f"Computing {methods[job.method]['title']}"
    if job.left_s is not None:
        words += f", {time_in_words(job.left_s)} left"
    return min(0.99, max(0.1 + 0.2 * len(job.outcomes), job.share)), words


def time_in_words(seconds: float) -> str:
    """Return a time that was estimated, no more exactly than it is known.

    >>> time_in_words(3), time_in_words(41), time_in_words(61)
    ('a few seconds', 'about 45 seconds', 'about 2 minutes')
    """
    if seconds <= _STEP_S:
        return "a few seconds"
    if seconds <= _A_MINUTE_S:
        return f"about {_STEP_S * math.ceil(seconds / _STEP_S)} seconds"
    return f"about {math.ceil(seconds / _A_MINUTE_S)} minutes"


def _radiographs(count: int) -> str:
    return "1 radiograph" if count == 1 else f"{count} radiographs"
