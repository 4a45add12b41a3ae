"""How long readers took for each step of a case, by the server's clock.

A step counts while it is on the reader's screen: from its opening until its first answers are given, the reader goes to
another case, or the browser no longer shows the page (another tab, a minimised or closed window). Nobody can tell a pause
before the screen from reading, so it counts. Where the end is not known, as after a lost connection or where the reader
went to another page of the dashboard, the time ends with the last answer given until then: it took at least so long.
"""

from __future__ import annotations

import pandas as pd

_STEP = ["reader", "image_id", "pathology", "step"]

COLUMNS = (*_STEP, "opened", "closed", "ended", "seconds")
"""Of `showing_times`."""


def showing_times(showings: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each time that a step was shown to a reader.

    Parameters
    ----------
    showings
        From `Reviews.showings`.
    history
        From `Reviews.history`, for the answers in showings of which the end is not known.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: ``opened`` and ``closed`` are UTC times; ``ended`` is the event that ended it, or ``unknown``, where
        ``closed`` is the last answer in it, or as opened where there is none.
    """
    rows = []
    for reader, of_reader in showings.groupby("reader", sort=False):
        first = of_reader.drop_duplicates("showing")
        last = of_reader.drop_duplicates("showing", keep="last").set_index("showing")
        until = first["happened"].shift(-1)
        answers = history[history["reader"] == reader]
        for (_, opened), following in zip(first.iterrows(), until, strict=True):
            end = last.loc[opened["showing"]]
            closed, ended = end["happened"], end["event"]
            if ended == "opened":
                closed, ended = _last_answer(answers, opened, following), "unknown"
            seconds = (closed - opened["happened"]).total_seconds()
            rows.append((*opened[_STEP], opened["happened"], closed, ended, seconds))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def step_times(times: pd.DataFrame) -> pd.DataFrame:
    """Return how long a case took its readers at each step.

    Parameters
    ----------
    times
        From `showing_times`.

    Returns
    -------
    pandas.DataFrame
        step, n (readings: one reader, one case), median_seconds; a case opened several times counts once, with the sum.
    """
    sums = times.groupby(_STEP, sort=False)["seconds"].sum().reset_index()
    steps = sums.groupby("step")["seconds"].agg(["size", "median"]).reset_index()
    return steps.set_axis(["step", "n", "median_seconds"], axis=1)


def _last_answer(answers: pd.DataFrame, opened: pd.Series, following: pd.Timestamp) -> pd.Timestamp:
    """Return when the last answer was given between an opening and the reader's next."""
    is_in_it = answers["step"] == opened["step"]
    for column in ("image_id", "pathology"):
        is_in_it &= answers[column] == opened[column]
    # the last opening has no next one: nothing is later than NaT
    is_in_it &= (answers["answered"] >= opened["happened"]) & ~(answers["answered"] > following)
    last: pd.Timestamp = answers.loc[is_in_it, "answered"].max() if is_in_it.any() else opened["happened"]
    return last
