"""Means with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = npt.NDArray[np.float64]

_AT_ONCE = 2**22
"""Draws held in memory at a time."""


def bootstrap_mean(
    values: npt.ArrayLike, *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[Floats, Floats, Floats]:
    """Return the means of columns and their percentile bootstrap intervals over the rows.

    As in CheXlocalize's ``eval.py``, radiographs are drawn with replacement, those without a value too, and a
    resample's mean is that of the values in it. All columns share the resamples.

    Parameters
    ----------
    values
        float, radiographs × columns; NaN where a radiograph has no value.
    resamples
        How often radiographs are drawn.
    level
        Share of the resamples' means inside the interval.
    seed
        Of the draws.

    Returns
    -------
    tuple of numpy.ndarray
        Mean, lower and upper end, float64, one for each column. NaN where there is no value, and the ends also where
        there is only one, which tells nothing about their spread.

    Examples
    --------
    >>> mean, low, high = bootstrap_mean([[0.2], [0.4], [0.6]])
    >>> bool(low[0] < mean[0] < high[0])
    True
    """
    table = np.asarray(values, np.float64)
    means = resampled_means(table, resamples=resamples, seed=seed)
    low, high = np.full((2, table.shape[1]), np.nan)
    several = np.isfinite(table).sum(axis=0) > 1
    if several.any():
        tails = 100 * (1 - level) / 2
        ends = np.nanpercentile(means[:, several], [tails, 100 - tails], axis=0)
        low[several], high[several] = ends
    return mean_of_known(table, axis=0), low, high


def resampled_means(table: Floats, *, resamples: int = 1000, seed: int = 0) -> Floats:
    """Return the means of columns in each resample of the rows, `resamples` × columns; see `bootstrap_mean`."""
    known = np.isfinite(table)
    filled, counted = np.where(known, table, 0.0), known.astype(np.float64)
    means = [
        _ratio(times @ filled, times @ counted)
        for times in _times_drawn(len(table), resamples=resamples, seed=seed)
    ]
    return np.concatenate(means)


def mean_of_known(table: Floats, *, axis: int) -> Floats:
    """Return the means of the finite values along an axis, NaN where there is none."""
    known = np.isfinite(table)
    return _ratio(np.where(known, table, 0.0).sum(axis=axis), known.sum(axis=axis).astype(np.float64))


def draw(count: int, *, resamples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the indices of `count` rows drawn with replacement, k × `count`, until `resamples` are drawn."""
    generator = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // max(count, 1))
    for first in range(0, resamples, at_once):
        yield generator.integers(count, size=(min(at_once, resamples - first), count))


def _times_drawn(count: int, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each row was drawn, k × `count`."""
    if not count:
        yield np.zeros((resamples, 0))
        return
    for rows in draw(count, resamples=resamples, seed=seed):
        places = rows + count * np.arange(len(rows))[:, None]
        yield np.bincount(places.ravel(), minlength=rows.size).reshape(rows.shape).astype(np.float64)


def _ratio(total: Floats, number: Floats) -> Floats:
    return np.asarray(np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0))
