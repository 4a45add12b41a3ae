"""Methods held against each other on the same radiographs, the patient as the unit.

Demšar, *Statistical comparisons of classifiers over multiple data sets*, JMLR 7 (2006), for what to test and how:
Wilcoxon's signed ranks for two methods, Friedman's test and Nemenyi's for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, half a second, when it is first asked for

from shamsul_core.cohort.patients import patient_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.statistics.intervals import Floats

PAIR_COLUMNS = (
    "pathology",
    "method",
    "other",
    "n",
    "mean_difference",
    "median_difference",
    "effect",
    "p",
    "p_holm",
)


def paired_by_patient(scores: pd.DataFrame, methods: Sequence[str], column: str) -> pd.DataFrame:
    """Return a patient's mean score on each pathology, one column for each method.

    The mean is over those of the patient's radiographs that have a score by every one of the methods, and a patient
    without any is left out: radiographs of one patient are not independent, patients are.

    Returns
    -------
    pandas.DataFrame
        Pathology and patient as the index.
    """
    return _by_patient(_wide(scores, methods, column))


def _wide(scores: pd.DataFrame, methods: Sequence[str], column: str) -> pd.DataFrame:
    """Return a row for each pathology and radiograph, a column for each method, with the patient in the index."""
    table = scores.pivot_table(
        index=["pathology", "image_id"], columns="method", values=column, aggfunc="first"
    ).reindex(columns=list(methods))
    patients = [patient_of(image_id) for image_id in table.index.get_level_values("image_id")]
    return table.set_index(pd.Index(patients, name="patient", dtype="object"), append=True)


def _by_patient(wide: pd.DataFrame) -> pd.DataFrame:
    """Return a patient's means over the radiographs that have a score in every column."""
    means = wide.dropna().groupby(["pathology", "patient"]).mean()
    return means.round(12)  # the mean of equal scores is that score, so that ties stay ties


def compare_pairs(scores: pd.DataFrame, methods: Sequence[str], column: str = "iou") -> pd.DataFrame:
    """Compare every two methods on each pathology, one value a patient; see `paired_by_patient`.

    Parameters
    ----------
    scores
        The run's scores.
    column
        Which score; where either method has none (NaN), the radiograph does not count for the two.

    Returns
    -------
    pandas.DataFrame
        `PAIR_COLUMNS`. ``n`` counts patients. Differences are those of ``method`` less ``other``. ``effect`` is the
        matched-pairs rank-biserial correlation, -1..1: the share of ranks that speak for ``method`` less that against
        it (Kerby 2014). ``p`` is Wilcoxon's signed-rank test's, two-sided, NaN where all are equal or there is none;
        ``p_holm`` is corrected for all rows of the table (Holm 1979).
    """
    wide, rows = _wide(scores, methods, column), []
    pathologies = list(dict.fromkeys(scores["pathology"]))
    by_pair = {pair: _differences(wide, *pair) for pair in combinations(methods, 2)}
    for pathology in pathologies:
        for (method, other), differences in by_pair.items():
            is_here = differences.index.get_level_values("pathology") == pathology
            row = {"pathology": pathology, "method": method, "other": other}
            rows.append(row | _compared(differences[is_here].to_numpy(float)))
    table = pd.DataFrame(rows, columns=PAIR_COLUMNS)
    return table.assign(p_holm=_holm(table["p"].to_numpy(float)))


def _differences(wide: pd.DataFrame, method: str, other: str) -> pd.Series[float]:
    """Return by how much each patient's mean under a method is above that under the other; equal ones are 0."""
    both = _by_patient(wide[[method, other]])
    return (both[method] - both[other]).round(12)


def _holm(p: Floats) -> Floats:
    """Return each p corrected for all of them that are known (Holm 1979), float64."""
    from statsmodels.stats.multitest import (
        multipletests,  # a second, which no other view of a page should wait for
    )

    corrected, known = np.full(len(p), np.nan), ~np.isnan(p)
    if known.any():
        corrected[known] = multipletests(p[known], method="holm")[1]
    return corrected


def _compared(difference: Floats) -> dict[str, float]:
    row = {"n": len(difference), "p": float("nan"), "p_holm": float("nan"), "effect": float("nan")}
    row |= dict.fromkeys(("mean_difference", "median_difference"), float("nan"))
    if not len(difference):
        return row
    row["mean_difference"], row["median_difference"] = difference.mean(), np.median(difference)
    unequal = difference[difference != 0]
    if not len(unequal):
        return row | {"effect": 0.0}
    ranks = scipy.stats.rankdata(np.abs(unequal))
    row["effect"] = float(np.sign(unequal) @ ranks / ranks.sum())
    # Wilcoxon leaves equal pairs out; with them SciPy would permute for seconds to the same end
    row["p"] = float(scipy.stats.wilcoxon(unequal).pvalue)
    return row


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """All methods together on one pathology, a patient a block.

    Parameters
    ----------
    pathology
        Which.
    patients
        With a score by every method.
    mean_ranks
        By method, 1 the best.
    statistic, p
        Friedman's test.
    p_holm
        Corrected for all pathologies ranked (Holm 1979).
    critical_difference
        Mean ranks further apart than this differ at 5 % (Nemenyi).
    p_pairs
        Nemenyi's p of every two methods, methods × methods, 1 on the diagonal.
    """

    pathology: str
    patients: int
    mean_ranks: pd.Series[float]
    statistic: float
    p: float
    p_holm: float
    critical_difference: float
    p_pairs: pd.DataFrame


def rank_methods(scores: pd.DataFrame, methods: Sequence[str], column: str = "iou") -> tuple[Ranking, ...]:
    """Rank the methods on each pathology, over the patients that all of them have a score for; higher is better.

    The findings of one patient are not independent of each other. So each pathology is tested by itself, with one value
    a patient (see `paired_by_patient`), and the p are corrected for the number of pathologies.

    Returns
    -------
    tuple of Ranking
        In the order in which the pathologies come first in `scores`.

    Raises
    ------
    ValueError
        If there are fewer than three methods, or no patient that all have a score for.
    """
    if len(methods) < 3:
        message = f"Friedman's test compares three or more methods, not {len(methods)}"
        raise ValueError(message)
    table = paired_by_patient(scores, methods, column)
    if table.empty:
        message = f"no finding has a {column} for each of {', '.join(methods)}"
        raise ValueError(message)
    there = set(table.index.get_level_values("pathology"))
    rankings = [
        _ranked(table.loc[name], name) for name in dict.fromkeys(scores["pathology"]) if name in there
    ]
    corrected = _holm(np.array([ranking.p for ranking in rankings]))
    return tuple(replace(ranking, p_holm=float(p)) for ranking, p in zip(rankings, corrected, strict=True))


def _ranked(table: pd.DataFrame, pathology: str) -> Ranking:
    """Return the ranking on one pathology, patients × methods, its p not corrected yet."""
    values, methods = table.to_numpy(float), list(table.columns)
    count, patients = len(methods), len(values)
    ranks = scipy.stats.rankdata(-values, axis=1)
    mean_ranks = pd.Series(ranks.mean(axis=0), index=methods, name="mean_rank")
    if (np.ptp(values, axis=1) == 0).all():
        statistic, p = 0.0, 1.0
    else:
        statistic, p = scipy.stats.friedmanchisquare(*values.T)
    error = np.sqrt(count * (count + 1) / (6 * patients))
    apart = np.abs(mean_ranks.to_numpy()[:, None] - mean_ranks.to_numpy()) / error
    p_pairs = pd.DataFrame(
        scipy.stats.studentized_range.sf(apart * np.sqrt(2), count, np.inf), index=methods, columns=methods
    )
    return Ranking(
        pathology=pathology,
        patients=patients,
        mean_ranks=mean_ranks,
        statistic=float(statistic),
        p=float(p),
        p_holm=float("nan"),
        critical_difference=float(
            scipy.stats.studentized_range.isf(0.05, count, np.inf) / np.sqrt(2) * error
        ),
        p_pairs=p_pairs,
    )
