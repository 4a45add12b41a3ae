"""What the readers think together: per method, how far they agree, and whether with the IoU."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import krippendorff
import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, half a second, when it is first asked for
from sklearn.metrics import cohen_kappa_score

from shamsul_core.reviews.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNIT = ["image_id", "pathology", "method"]


def method_results(answers: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Return a row for each method.

    Parameters
    ----------
    answers
        From `Reviews.answers`.

    Returns
    -------
    pandas.DataFrame
        method, n (ratings of its significance), blinded (how many of them were given with the methods' names hidden),
        readers, radiographs, mean and deviation of significance (1..5; the deviation is that of a sample); and of the
        other questions how often an answer was given and how many there are: covers_wholly of covers_n, marks_much of
        marks_n, best of best_n.
    """
    rows = []
    chosen = answers.loc[answers["question"] == "best", "value"]
    for method in methods:
        here = answers[answers["method"] == method]
        ratings_here = here[here["question"] == "significance"]
        covers = here.loc[here["question"] == "covers", "value"]
        beside = here.loc[here["question"] == "beside", "value"]
        rated = ratings_here["value"].astype(float)
        rows.append(
            {
                "method": method,
                "n": len(rated),
                "blinded": int((ratings_here["is_blinded"] == True).sum()),  # noqa: E712 - not known is not True
                "readers": ratings_here["reader"].nunique(),
                "radiographs": ratings_here["image_id"].nunique(),
                "mean": rated.mean(),
                "deviation": rated.std(),
                "covers_wholly": int((covers == "wholly").sum()),
                "covers_n": len(covers),
                "marks_much": int((beside == "much").sum()),
                "marks_n": len(beside),
                "best": int((chosen == method).sum()),
                "best_n": len(chosen),
            }
        )
    return pd.DataFrame(rows)


class Agreement(NamedTuple):
    """How far readers agree on a scale.

    Parameters
    ----------
    alpha
        Krippendorff's for ordinal data (Hayes and Krippendorff 2007); NaN where no two readers rated the same map, or
        all ratings are equal.
    n
        Number of maps that two readers or more rated, which alpha rests on.
    pairs
        For every two readers reader, other, n (maps both rated) and kappa (Cohen's, weighted by squared distance, Cohen
        1968; NaN where it is not defined).
    """

    alpha: float
    n: int
    pairs: pd.DataFrame


def agreement(answers: pd.DataFrame, question: str = "significance") -> Agreement:
    """Return how far the readers agree on a scale; `answers` from `Reviews.answers`."""
    table = ratings(answers, question)
    shared = table[table.notna().sum(axis=1) > 1]
    values = shared.to_numpy(float)
    varies = len(np.unique(values[np.isfinite(values)])) > 1
    alpha = (
        krippendorff.alpha(reliability_data=values.T, level_of_measurement="ordinal") if varies else np.nan
    )
    rows = []
    levels = list(range(1, len(QUESTIONS[question].answers) + 1))
    for reader, other in combinations(table.columns, 2):
        both = table[[reader, other]].dropna().astype(int)
        defined = len(both) > 0 and len(np.unique(both)) > 1
        kappa = (
            cohen_kappa_score(both[reader], both[other], weights="quadratic", labels=levels)
            if defined
            else np.nan
        )
        rows.append({"reader": reader, "other": other, "n": len(both), "kappa": float(kappa)})
    return Agreement(float(alpha), len(shared), pd.DataFrame(rows, columns=["reader", "other", "n", "kappa"]))


def ratings(answers: pd.DataFrame, question: str = "significance") -> pd.DataFrame:
    """Return a scale's answers, a row for each map (image_id, pathology, method), a column for each reader."""
    rated = answers[answers["question"] == question]
    rated = rated.assign(value=rated["value"].astype(float))
    return rated.pivot_table(index=_UNIT, columns="reader", values="value", aggfunc="last")


def against_iou(answers: pd.DataFrame, scores: pd.DataFrame) -> tuple[float, int]:
    """Return Spearman's rank correlation of the maps' mean significance with their IoU, and how many maps have both."""
    means = ratings(answers).mean(axis=1).rename("rating").reset_index()
    both = means.merge(scores[[*_UNIT, "iou"]], on=_UNIT).dropna()
    if len(both) < 3 or both["rating"].nunique() < 2 or both["iou"].nunique() < 2:
        return float("nan"), len(both)
    return float(scipy.stats.spearmanr(both["rating"], both["iou"].astype(float)).statistic), len(both)
