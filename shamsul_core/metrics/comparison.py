"""Methods held against each other on the same radiographs.

Demšar, *Statistical comparisons of classifiers over multiple data sets*, JMLR 7 (2006), for what to test and how:
Wilcoxon's signed ranks for two methods, Friedman's test and Nemenyi's for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, half a second, when it is first asked for

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def paired(scores: pd.DataFrame, methods: Sequence[str], column: str) -> pd.DataFrame:
    """Return one row per radiograph and pathology with a score by every one of the methods, one column per method."""
    table = scores.pivot_table(
        index=["pathology", "image_id"], columns="method", values=column, aggfunc="first"
    )
    return table.reindex(columns=list(methods)).dropna()


def compare_pairs(scores: pd.DataFrame, methods: Sequence[str], column: str = "iou") -> pd.DataFrame:
    """Compare every two methods on each pathology.

    Parameters
    ----------
    scores
        The run's scores.
    column
        Which score; where either method has none (NaN), the radiograph does not count for the two.

    Returns
    -------
    pandas.DataFrame
        `PAIR_COLUMNS`. Differences are those of ``method`` less ``other``. ``effect`` is the matched-pairs
        rank-biserial correlation, -1..1: the share of ranks that speak for ``method`` less that against it (Kerby
        2014). ``p`` is Wilcoxon's signed-rank test's, two-sided, NaN where all are equal or there is none; ``p_holm``
        is corrected for all rows of the table (Holm 1979).
    """
    from statsmodels.stats.multitest import (
        multipletests,  # a second, which no other view of a page should wait for
    )

    rows = []
    for pathology in dict.fromkeys(scores["pathology"]):
        of_pathology = scores[scores["pathology"] == pathology]
        for one, other in combinations(methods, 2):
            both = paired(of_pathology, [one, other], column)
            difference = (both[one] - both[other]).to_numpy(float)
            rows.append({"pathology": pathology, "method": one, "other": other} | _compared(difference))
    table = pd.DataFrame(rows, columns=PAIR_COLUMNS)
    tested = table["p"].notna()
    if tested.any():
        table.loc[tested, "p_holm"] = multipletests(table.loc[tested, "p"], method="holm")[1]
    return table.astype({"p_holm": "float64"})


def _compared(difference: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> dict[str, float]:
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
    row["p"] = float(scipy.stats.wilcoxon(difference).pvalue)
    return row


@dataclass(frozen=True)
class Ranking:
    """All methods together.

    Parameters
    ----------
    mean_ranks
        By method, 1 the best.
    blocks
        Radiographs and pathologies with a score by every method.
    statistic, p
        Friedman's test.
    critical_difference
        Mean ranks further apart than this differ at 5 % (Nemenyi).
    p_pairs
        Nemenyi's p of every two methods, methods × methods, 1 on the diagonal.
    """

    mean_ranks: pd.Series[float]
    blocks: int
    statistic: float
    p: float
    critical_difference: float
    p_pairs: pd.DataFrame


def rank_methods(scores: pd.DataFrame, methods: Sequence[str], column: str = "iou") -> Ranking:
    """Rank the methods on every radiograph and pathology that all of them have a score for; higher is better.

    Raises
    ------
    ValueError
        If there are fewer than three methods, or no radiograph that all have a score for.
    """
    if len(methods) < 3:
        message = f"Friedman's test compares three methods or more, not {len(methods)}"
        raise ValueError(message)
    table = paired(scores, methods, column)
    if table.empty:
        message = f"no radiograph and pathology has a {column} by every one of {', '.join(methods)}"
        raise ValueError(message)
    count, blocks = len(methods), len(table)
    ranks = scipy.stats.rankdata(-table.to_numpy(float), axis=1)
    mean_ranks = pd.Series(ranks.mean(axis=0), index=list(methods), name="mean_rank")
    if (np.ptp(table.to_numpy(float), axis=1) == 0).all():
        statistic, p = 0.0, 1.0
    else:
        statistic, p = scipy.stats.friedmanchisquare(*table.to_numpy(float).T)
    error = np.sqrt(count * (count + 1) / (6 * blocks))
    apart = np.abs(mean_ranks.to_numpy()[:, None] - mean_ranks.to_numpy()) / error
    p_pairs = pd.DataFrame(
        scipy.stats.studentized_range.sf(apart * np.sqrt(2), count, np.inf),
        index=list(methods),
        columns=list(methods),
    )
    critical = float(scipy.stats.studentized_range.isf(0.05, count, np.inf) / np.sqrt(2) * error)
    return Ranking(mean_ranks, blocks, float(statistic), float(p), critical, p_pairs)
