"""What is said, before any number, of radiographs that are unlike those that a model was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import scipy  # loads scipy.stats, half a second, when it is first asked for

if TYPE_CHECKING:
    import pandas as pd

LINE = 1.0
"""The novelty that 99 of 100 radiographs of the training's kind stay below, see `shamsul_core.classifier.novelty`."""

BY_CHANCE = 0.01
"""Share of radiographs of the training's kind beyond it."""

HOW_IT_IS_KNOWN = (
    "Measured on what the network's first layer sees: how far the radiograph lies from the mean of the training radiographs "
    "(Mahalanobis distance), in units of the distance that 99 of 100 radiographs held out from training stay within. "
    "A radiograph within it may still be unlike them in other ways."
)


def novelty_in_words(novelty: float | None) -> str | None:
    """Say that a radiograph lies beyond the line; ``None`` where it does not, or nothing is known.

    >>> novelty_in_words(2.345)
    'This radiograph is unlike those that the model was trained on (2.3 times the limit): do not rely on its predictions and heatmaps.'
    >>> novelty_in_words(1.0)
    """
    if novelty is None or novelty <= LINE:
        return None
    return (
        f"This radiograph is unlike those that the model was trained on ({times_the_limit(novelty)}): "
        "do not rely on its predictions and heatmaps."
    )


def times_the_limit(novelty: float) -> str:
    """Return a novelty above 1 in words, never as if it were 1.

    >>> times_the_limit(1.02), times_the_limit(1234.5)
    ('1.1 times the limit', '1,234 times the limit')
    """
    shown = f"{max(novelty, LINE + 0.1):.1f}" if novelty < 10 else f"{novelty:,.0f}"
    return f"{shown} times the limit"


def novelties_in_words(novelty: pd.Series) -> str | None:
    """Say how many of a run's radiographs lie beyond the line; ``None`` where nothing is known of any.

    Parameters
    ----------
    novelty
        By radiograph, see `shamsul_core.run.Run.novelty`.

    Examples
    --------
    >>> import pandas as pd
    >>> novelties_in_words(pd.Series([0.5] * 198 + [3.0] * 2))
    '2 of 200 radiographs are unlike those that the model was trained on; by chance, about 2 would be.'
    """
    if novelty.empty:
        return None
    beyond, count = int((novelty > LINE).sum()), len(novelty)
    told = f"{f'{beyond:,}' if beyond else 'None'} of {count:,} radiographs {'is' if beyond == 1 else 'are'}"
    if are_more_than_chance(novelty):
        relied = "Do not rely on the predictions and heatmaps of these."
        return f"{told} unlike those that the model was trained on; by chance, {_expected(count)} would be. {relied}"
    return f"{told} unlike those that the model was trained on; by chance, {_expected(count)} would be."


def are_more_than_chance(novelty: pd.Series) -> bool:
    """Return whether more radiographs lie beyond the line than 1 of 100 explains (binomial test, one-sided, 5 %)."""
    beyond = int((novelty > LINE).sum())
    return beyond > 0 and bool(scipy.stats.binom.sf(beyond - 1, len(novelty), BY_CHANCE) < 0.05)


def _expected(count: int) -> str:
    expected = BY_CHANCE * count
    return f"about {expected:,.0f}" if expected >= 1 else "fewer than 1"
