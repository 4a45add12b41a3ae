"""How long a step took, from times set by hand."""

from __future__ import annotations

import pandas as pd

from shamsul_core.reviews.store import COLUMNS, SHOWING_COLUMNS
from shamsul_core.reviews.times import showing_times, step_times

START = pd.Timestamp("2026-01-01 10:00:00")


def events(*rows):
    """Seconds after the start, showing, event, step, case and reader, as the store returns them."""
    return pd.DataFrame(
        [
            (reader, case, "Edema", step, showing, event, START + pd.Timedelta(seconds=second))
            for second, showing, event, step, case, reader in rows
        ],
        columns=list(SHOWING_COLUMNS),
    )


def answers(*rows):
    """Seconds after the start, step, case and reader of an answer."""
    table = pd.DataFrame(columns=list(COLUMNS))
    for second, step, case, reader in rows:
        answered = START + pd.Timedelta(seconds=second)
        table.loc[len(table)] = {
            "reader": reader, "image_id": case, "pathology": "Edema", "step": step, "answered": answered,
        }  # fmt: skip
    return table


def test_a_step_counts_while_it_is_on_the_screen():
    shown = events(
        (0, "a", "opened", 1, "p", "Ada"),
        (5, "x", "opened", 1, "p", "Bo"),
        (20, "a", "answered", 1, "p", "Ada"),
        (20, "b", "opened", 2, "p", "Ada"),
        (50, "b", "hidden", 2, "p", "Ada"),
        (900, "c", "opened", 2, "p", "Ada"),
        (910, "c", "left", 2, "p", "Ada"),
        (915, "x", "answered", 1, "p", "Bo"),
    )
    times = showing_times(shown, answers())
    assert times[["reader", "step", "ended", "seconds"]].to_numpy().tolist() == [
        ["Ada", 1, "answered", 20.0],
        ["Ada", 2, "hidden", 30.0],
        ["Ada", 2, "left", 10.0],
        ["Bo", 1, "answered", 910.0],
    ]
    # at step two Ada's 40 s are one reading, in two parts
    assert step_times(times).to_numpy().tolist() == [[1, 2, 465.0], [2, 1, 40.0]]


def test_where_the_end_is_not_known_the_last_answer_ends_it():
    shown = events(
        (0, "a", "opened", 2, "p", "Ada"),
        (100, "b", "opened", 2, "q", "Ada"),
        (200, "c", "opened", 2, "p", "Ada"),
    )
    given = answers((12, 2, "p", "Ada"), (30, 2, "p", "Ada"), (40, 2, "p", "Bo"), (230, 2, "p", "Ada"))
    times = showing_times(shown, given)
    assert times["ended"].tolist() == ["unknown"] * 3
    assert times["seconds"].tolist() == [30.0, 0.0, 30.0]


def test_nobody_has_read_yet():
    times = showing_times(events(), answers())
    assert times.empty
    assert step_times(times).empty
