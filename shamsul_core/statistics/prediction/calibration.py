"""Whether a probability means what it says: reliability, Brier score, expected calibration error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shamsul_core.statistics.prediction.discrimination import labels_and_probabilities, observations_of

if TYPE_CHECKING:
    from shamsul_core.statistics.prediction.discrimination import FloatArray

BINS = 10
"""Bins of equal width between 0 and 1; each holds its upper bound, the first both."""


def reliability(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the reliability curve of each observation that has definite labels.

    Parameters
    ----------
    predictions, labels
        As in `shamsul_core.statistics.prediction.discrimination`.

    Returns
    -------
    DataFrame
        A row an observation and bin that holds radiographs: ``observation``, ``low`` and ``high`` (the bin's bounds),
        ``count`` (radiographs), ``mean_probability`` and ``positive_share`` among them.
    """
    truth, probability = labels_and_probabilities(predictions, labels)
    tables = [
        _reliability_of_one(name, truth[:, place], probability[:, place])
        for place, name in enumerate(observations_of(predictions))
    ]
    nothing = np.empty(0)
    return pd.concat([_reliability_of_one("", nothing, nothing), *tables], ignore_index=True)


def calibration_scores(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    r"""Return ``brier`` and ``calibration_error`` of each observation; NaN where it has no definite label.

    The Brier score is the mean of :math:`(p - y)^2`; the expected calibration error is the mean over radiographs of
    how far their bin's mean probability lies from its share of positives (Guo et al. 2017).
    """
    truth, probability = labels_and_probabilities(predictions, labels)
    known = ~np.isnan(truth)
    squares = np.where(known, (probability - truth) ** 2, 0).sum(axis=0)
    counts = known.sum(axis=0)
    table = pd.DataFrame(
        {"brier": np.where(counts > 0, squares / np.maximum(counts, 1), np.nan)},
        index=pd.Index(observations_of(predictions), name="observation"),
    )
    bins = reliability(predictions, labels)
    bins = bins.assign(off=(bins["mean_probability"] - bins["positive_share"]).abs() * bins["count"])
    sums = bins.groupby("observation")[["off", "count"]].sum().astype(float)
    return table.assign(calibration_error=sums["off"] / sums["count"])


def _reliability_of_one(name: str, truth: FloatArray, probability: FloatArray) -> pd.DataFrame:
    known = ~np.isnan(truth)
    edges = np.linspace(0, 1, BINS + 1)
    bins = np.searchsorted(edges[1:-1], probability[known])
    counts = np.bincount(bins, minlength=BINS)
    held = counts > 0
    return pd.DataFrame(
        {
            "observation": name,
            "low": edges[:-1][held],
            "high": edges[1:][held],
            "count": counts[held],
            "mean_probability": np.bincount(bins, probability[known], BINS)[held] / counts[held],
            "positive_share": np.bincount(bins, truth[known], BINS)[held] / counts[held],
        }
    )
