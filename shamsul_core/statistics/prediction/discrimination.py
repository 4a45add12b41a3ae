"""How well probabilities tell positive from negative: AUROC and AUPRC with their intervals, and the curves.

Tables in, tables out. `predictions` is a run's: ``image_id`` and a probability for each observation. `labels` has a row
a radiograph, ``image_id`` as its index, and a column an observation: 1 positive, 0 negative, -1 uncertain, NaN blank.
Only definite labels, 1 and 0, are evaluated; `u_zeros` makes the others negative, as the paper does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from shamsul_core.cohort.patients import number_patients
from shamsul_core.statistics.intervals import FEWEST, count_patients

if TYPE_CHECKING:
    from collections.abc import Iterator

FloatArray: TypeAlias = npt.NDArray[np.float64]
CountArray: TypeAlias = npt.NDArray[np.int64]

SAMPLES = 1000
"""Bootstrap samples, as many as CheXlocalize's scripts take."""

_CHUNK = 2**22
"""Counts that the bootstrap holds at once: 32 MB."""


@dataclass(frozen=True, eq=False)
class Performance:
    """How well a classifier predicts.

    Parameters
    ----------
    by_observation
        A row an observation, its name as the index. ``positive``, ``negative``, ``uncertain``, ``blank``: radiographs
        of that label that have a prediction; ``prevalence``: the positive among the definite; ``auroc``, ``auprc``
        with ``_low`` and ``_high``, the bounds of their 95 % intervals, NaN where fewer than `FEWEST` patients are
        positive or negative; ``resamples``: how many bootstrap samples had both labels and thus bear the interval;
        ``reason``: why there is no AUROC, ``None`` where there is one.
    weighted
        Rows ``auroc`` and ``auprc``, columns ``value``, ``low``, ``high``: the average over the observations with both
        labels, weighted with their positives. NaN where there is no such observation, and the bounds where fewer than
        `FEWEST` patients have any positive, or any negative, among these observations.
    radiographs
        Those that have a prediction.
    """

    by_observation: pd.DataFrame
    weighted: pd.DataFrame
    radiographs: int

    @property
    def is_labelled(self) -> bool:
        """Whether any of these radiographs has a definite label."""
        return bool(self.by_observation[["positive", "negative"]].to_numpy().any())

    @property
    def dropped(self) -> dict[str, str]:
        """The observations outside the weighted average, and why."""
        return dict(self.by_observation["reason"].dropna())


def u_zeros(labels: pd.DataFrame) -> pd.DataFrame:
    """Return the labels with uncertain and blank ones as negative: CheXpert's policy U-Zeros, which the paper takes."""
    return labels.replace(-1.0, 0.0).fillna(0.0)


def evaluate(
    predictions: pd.DataFrame, labels: pd.DataFrame, *, samples: int = SAMPLES, seed: int = 0
) -> Performance:
    """Return AUROC and AUPRC of each observation and their weighted averages, with 95 % bootstrap intervals.

    Both are scikit-learn's: ``roc_auc_score`` and ``average_precision_score``, the weighted averages its
    ``average="weighted"`` over the observations that have both labels. The bootstrap draws patients with all their
    radiographs, the same for all observations, and takes percentiles; a sample that lacks one of the labels bears
    nothing to that observation.

    Parameters
    ----------
    samples
        Bootstrap samples.
    seed
        Of the samples: the same seed gives the same intervals.
    """
    truth, probability = labels_and_probabilities(predictions, labels)
    patients = number_patients(predictions["image_id"])
    once_each = np.ones((1, patients.max(initial=-1) + 1), np.int64)
    # The first row is the cohort itself
    samplings = [once_each, *resamples(once_each.shape[1], samples, seed=seed)]
    drawn = [ranking_scores(truth, probability, counts[:, patients]) for counts in samplings]
    auroc, auprc, positives = (
        np.concatenate([resample[0] for resample in drawn]),
        np.concatenate([resample[1] for resample in drawn]),
        np.concatenate([resample[2] for resample in drawn]),
    )
    table = _counts(predictions, labels)
    weighted = {}
    enough, enough_on_average = _enough(truth, patients)
    for name, scores in (("auroc", auroc), ("auprc", auprc)):
        low, high = _interval(scores[1:], enough)
        table = table.assign(**{name: scores[0], f"{name}_low": low, f"{name}_high": high})
        average = _weighted_average(scores, positives)[:, None]
        low, high = _interval(average[1:], enough_on_average)
        weighted[name] = {"value": float(average[0, 0]), "low": float(low[0]), "high": float(high[0])}
    table["resamples"] = np.count_nonzero(~np.isnan(auroc[1:]), axis=0)
    table["reason"] = [_reason(*pair) for pair in zip(table["positive"], table["negative"], strict=True)]
    return Performance(table, pd.DataFrame.from_dict(weighted, orient="index"), len(truth))


def resamples(count: int, samples: int = SAMPLES, *, seed: int = 0) -> Iterator[CountArray]:
    """Yield bootstrap samples as how often each sample draws each patient.

    Yields
    ------
    int64, (some, count)
        A row a sample, `samples` rows in all, as many at once as fit into memory.
    """
    generator = np.random.default_rng(seed)
    step = max(1, _CHUNK // max(1, count))
    for start in range(0, samples, step):
        rows = min(step, samples - start)
        drawn = generator.integers(max(1, count), size=(rows, count)) + count * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)


def ranking_scores(
    truth: FloatArray, probability: FloatArray, counts: CountArray
) -> tuple[FloatArray, FloatArray, CountArray]:
    """Return AUROC, AUPRC and the number of positives in each sample.

    Parameters
    ----------
    truth, probability
        (radiographs, observations): 1 or 0, and 0..1; NaN where not known.
    counts
        (samples, radiographs): how often each sample holds each radiograph.

    Returns
    -------
    auroc, auprc
        (samples, observations), 0..1, NaN where a sample lacks positives or negatives.
    positives
        (samples, observations).
    """
    shape = (len(counts), truth.shape[1])
    auroc, auprc, positives = np.empty(shape), np.empty(shape), np.empty(shape, np.int64)
    for place in range(truth.shape[1]):
        true, false = _ranked(truth[:, place], probability[:, place], counts)
        auroc[:, place], auprc[:, place] = _areas(true, false)
        positives[:, place] = true[:, -1]
    return auroc, auprc, positives


def curves(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the points of the ROC and the precision-recall curves of the observations with both labels.

    Returns
    -------
    DataFrame
        ``observation``, ``threshold`` (falling, each distinct probability, before them infinity), ``true_positive``,
        ``false_positive``, ``true_positive_rate`` (sensitivity, recall), ``false_positive_rate`` and ``precision``,
        which is 1 at infinity, where nothing is called positive.
    """
    truth, probability = labels_and_probabilities(predictions, labels)
    tables = [
        _curve(name, truth[:, place], probability[:, place])
        for place, name in enumerate(observations_of(predictions))
    ]
    return pd.concat([_NO_CURVE, *tables], ignore_index=True)


def observations_of(predictions: pd.DataFrame) -> list[str]:
    """Return the observations that a table of predictions has, in the model's order."""
    return [name for name in predictions.columns if name != "image_id"]


def labels_and_probabilities(
    predictions: pd.DataFrame, labels: pd.DataFrame
) -> tuple[FloatArray, FloatArray]:
    """Return definite labels and probabilities side by side.

    Returns
    -------
    truth, probability : float64, (radiographs, observations)
        Both NaN where there is no definite label or no probability; a radiograph without a row of labels has none.
    """
    names = observations_of(predictions)
    probability = predictions[names].to_numpy(np.float64)
    truth = labels.reindex(index=predictions["image_id"], columns=names).to_numpy(np.float64)
    known = np.isin(truth, (0, 1)) & ~np.isnan(probability)
    return np.where(known, truth, np.nan), np.where(known, probability, np.nan)


def _ranked(truth: FloatArray, probability: FloatArray, counts: CountArray) -> tuple[CountArray, CountArray]:
    """Return true and false positives at each distinct probability as the threshold, falling, from none on."""
    known = ~np.isnan(truth)
    order = np.flatnonzero(known)[np.argsort(-probability[known], kind="stable")]
    last_of_ties = np.flatnonzero(np.diff(probability[order], append=np.nan))
    drawn = counts[:, order]
    positive = np.cumsum(drawn * truth[order].astype(np.int64), axis=1)[:, last_of_ties]
    called = np.cumsum(drawn, axis=1)[:, last_of_ties]
    start = ((0, 0), (1, 0))
    return np.pad(positive, start), np.pad(called - positive, start)


def _areas(true: CountArray, false: CountArray) -> tuple[FloatArray, FloatArray]:
    positives, negatives = true[:, -1], false[:, -1]
    both = (positives > 0) & (negatives > 0)
    # Trapezoids over the false positives; in whole numbers, so that ties and order change nothing
    area = np.sum(np.diff(false, axis=1) * (true[:, 1:] + true[:, :-1]), axis=1) / 2
    precision = true[:, 1:] / np.maximum(true[:, 1:] + false[:, 1:], 1)
    steps = np.sum(np.diff(true, axis=1) * precision, axis=1)
    auroc = np.where(both, area / np.maximum(positives * negatives, 1), np.nan)
    return auroc, np.where(both, steps / np.maximum(positives, 1), np.nan)


def _weighted_average(scores: FloatArray, positives: CountArray) -> FloatArray:
    weights = np.where(np.isnan(scores), 0, positives)
    total = weights.sum(axis=1)
    average = (np.nan_to_num(scores) * weights).sum(axis=1) / np.maximum(total, 1)
    return np.where(total > 0, average, np.nan)


def _enough(truth: FloatArray, patients: CountArray) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return of which observations, (observations,), and whether of all averaged, (1,), enough patients are of each kind."""
    kinds = [truth == 1, truth == 0]
    both = np.logical_and(*(kind.any(axis=0) for kind in kinds))
    of_each = np.array([count_patients(kind, patients) for kind in kinds]) >= FEWEST
    of_any = [count_patients(kind[:, both].any(axis=1, keepdims=True), patients) for kind in kinds]
    return np.asarray(of_each.all(axis=0)), np.asarray((np.array(of_any) >= FEWEST).all(axis=0))


def _interval(draws: FloatArray, enough: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Return the 2.5th and 97.5th percentile of the columns with enough, over the samples that have a value."""
    known = enough & ~np.isnan(draws).all(axis=0)
    bounds = np.full((2, draws.shape[1]), np.nan)
    if known.any():
        bounds[:, known] = np.nanpercentile(draws[:, known], (2.5, 97.5), axis=0)
    return bounds[0], bounds[1]


def _counts(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    names = observations_of(predictions)
    given = labels.reindex(index=predictions["image_id"], columns=names).to_numpy(np.float64)
    predicted = ~np.isnan(predictions[names].to_numpy(np.float64))
    kinds = {
        "positive": given == 1,
        "negative": given == 0,
        "uncertain": given == -1,
        "blank": np.isnan(given),
    }
    table = pd.DataFrame(
        {kind: np.count_nonzero(is_kind & predicted, axis=0) for kind, is_kind in kinds.items()},
        index=pd.Index(names, name="observation"),
    )
    definite = table["positive"] + table["negative"]
    return table.assign(prevalence=table["positive"] / definite.where(definite > 0))


def _reason(positive: int, negative: int) -> str | None:
    if positive and negative:
        return None
    return "no label" if not positive and not negative else f"no {'negative' if positive else 'positive'}"


_NO_CURVE = pd.DataFrame(
    {
        "observation": pd.Series(dtype="str"),
        "threshold": pd.Series(dtype="float64"),
        "true_positive": pd.Series(dtype="int64"),
        "false_positive": pd.Series(dtype="int64"),
        "true_positive_rate": pd.Series(dtype="float64"),
        "false_positive_rate": pd.Series(dtype="float64"),
        "precision": pd.Series(dtype="float64"),
    }
)


def _curve(name: str, truth: FloatArray, probability: FloatArray) -> pd.DataFrame:
    true, false = (counts[0] for counts in _ranked(truth, probability, np.ones((1, len(truth)), np.int64)))
    if not true[-1] or not false[-1]:
        return _NO_CURVE
    distinct = np.unique(probability[~np.isnan(probability)])[::-1]
    return pd.DataFrame(
        {
            "observation": name,
            "threshold": np.concatenate([[np.inf], distinct]),
            "true_positive": true,
            "false_positive": false,
            "true_positive_rate": true / true[-1],
            "false_positive_rate": false / false[-1],
            "precision": np.where(true + false == 0, 1.0, true / np.maximum(true + false, 1)),
        }
    )
