"""What the readers think together: per method, how far they agree, and whether with the IoU."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

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
        method, n (ratings), readers, mean and deviation of significance (1..5; the deviation is that of a sample), shares
        ``covers_wholly`` and ``marks_much`` of the answers to these questions, and ``best``: how often it was chosen.
    """
    rows = []
    chosen = answers.loc[answers["question"] == "best", "value"]
    for method in methods:
        here = answers[answers["method"] == method]
        rated = here.loc[here["question"] == "significance", "value"].astype(float)
        rows.append(
            {
                "method": method,
                "n": len(rated),
                "readers": here["reader"].nunique(),
                "mean": rated.mean(),
                "deviation": rated.std(),
                "covers_wholly": _share(here, "covers", "wholly"),
                "marks_much": _share(here, "beside", "much"),
                "best": int((chosen == method).sum()),
            }
        )
    return pd.DataFrame(rows)


def agreement(answers: pd.DataFrame, question: str = "significance") -> tuple[float, pd.DataFrame]:
    """Return how far the readers agree on a scale.

    Returns
    -------
    tuple
        Krippendorff's alpha for ordinal data (Hayes and Krippendorff 2007; NaN where no two readers rated the same map,
        or all ratings are equal), and for every two readers reader, other, n (maps both rated) and kappa (Cohen's,
        weighted by squared distance, Cohen 1968; NaN where it is not defined).
    """
    table = ratings(answers, question)
    shared = table[table.notna().sum(axis=1) > 1]
    values = shared.to_numpy(float)
    varies = len(np.unique(values[np.isfinite(values)])) > 1
    alpha = (
        krippendorff.alpha(reliability_data=values.T, level_of_measurement="ordinal") if varies else np.nan
    )
    rows = []
    levels = list(range(1, len(QUESTIONS[question].answers) + 1))
    for one, other in combinations(table.columns, 2):
        both = table[[one, other]].dropna().astype(int)
        defined = len(both) > 0 and len(np.unique(both)) > 1
        kappa = (
            cohen_kappa_score(both[one], both[other], weights="quadratic", labels=levels)
            if defined
            else np.nan
        )
        rows.append({"reader": one, "other": other, "n": len(both), "kappa": float(kappa)})
    return float(alpha), pd.DataFrame(rows, columns=["reader", "other", "n", "kappa"])


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


def _share(answers: pd.DataFrame, question: str, value: str) -> float:
    given = answers.loc[answers["question"] == question, "value"]
    return float((given == value).mean()) if len(given) else float("nan")
