"""How good each method is for each pathology over a cohort: the run's scores in one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
import scipy  # loads scipy.stats, half a second, when it is first asked for

from shamsul_core.cohort.patients import number_patients
from shamsul_core.statistics.intervals import bootstrap_mean, count_patients, mean_of_known, wilson
from shamsul_core.statistics.paper import MEAN_IOU

if TYPE_CHECKING:
    from collections.abc import Collection

Slice: TypeAlias = Literal["true positive", "full"]
"""Which radiographs count, as CheXlocalize has it: those where both masks hold something, or where at least one does."""

SUMMARY_COLUMNS = (
    *("pathology", "method", "n", "mean", "mean_low", "mean_high", "whisker_low", "q1", "median", "q3"),
    *("whisker_high", "best", "best_id", "worst", "worst_id", "paper_mean"),
    *("hit_n", "hit_rate", "hit_low", "hit_high", "truth"),
)


def in_slice(scores: pd.DataFrame, which: Slice) -> pd.DataFrame:
    """Return the scores with the IoU of a slice.

    In the full slice the IoU is 0 where exactly one of the two masks is empty, see
    `shamsul_core.localisation.overlap.full_slice`. Where one of them is not known, there is no IoU in either.
    """
    if which == "true positive":
        return scores
    known = scores["mask_area_px"].notna() & scores["expert_area_px"].notna()
    one_is_empty = known & ((scores["mask_area_px"] == 0) != (scores["expert_area_px"] == 0))
    return scores.assign(iou=scores["iou"].mask(one_is_empty, 0.0))


def summarise(
    scores: pd.DataFrame,
    pathologies: Collection[str],
    methods: Collection[str],
    *,
    is_paper_cohort: bool = False,
) -> pd.DataFrame:
    """Summarise IoU and hits.

    Parameters
    ----------
    scores
        As `shamsul_core.run.SCORE_COLUMNS`, of one slice; each patient in it is one of those drawn by the bootstrap.
    pathologies, methods
        In the order wanted.
    is_paper_cohort
        Whether the paper's means can be held beside these, see `shamsul_core.statistics.paper.why_not_comparable`.

    Returns
    -------
    pandas.DataFrame
        `SUMMARY_COLUMNS`, one row per pathology and method. ``n`` counts the radiographs that have an IoU, ``hit_n``
        those that hit or miss; ``mean_low`` to ``mean_high`` is the 95 % bootstrap interval over patients, ``hit_low``
        to ``hit_high`` Wilson's with as many trials as patients; the whiskers are the last IoUs within 1.5
        interquartile ranges of the box; ``truth`` is the kind of what the experts marked. NaN where there is nothing,
        or too few for an interval.
    """
    pairs = pd.MultiIndex.from_product([pathologies, methods], names=["pathology", "method"])
    iou, hit = (
        scores.pivot_table(
            index="image_id", columns=["pathology", "method"], values=column, dropna=False
        ).reindex(columns=pairs)
        for column in ("iou", "hit")
    )
    table = pd.DataFrame({"n": iou.notna().sum(), "hit_n": hit.notna().sum()}, index=pairs)
    patients = number_patients(iou.index)
    ious, hits = (values.to_numpy(np.float64, na_value=np.nan) for values in (iou, hit))
    table["mean"], table["mean_low"], table["mean_high"] = bootstrap_mean(ious, patients)
    table["hit_rate"] = mean_of_known(hits, axis=0)
    table["hit_low"], table["hit_high"] = wilson(
        table["hit_rate"], count_patients(np.isfinite(hits), patients)
    )
    boxes = pd.DataFrame([_box(iou[pair].dropna()) for pair in pairs], index=pairs)
    table = table.join(boxes)
    known = MEAN_IOU if is_paper_cohort else {}
    table["paper_mean"] = [known.get(method, {}).get(pathology, np.nan) for pathology, method in pairs]
    table = table.reset_index()
    table["truth"] = table["pathology"].map(_kinds(scores)).astype("string")
    return table[list(SUMMARY_COLUMNS)]


def rank_correlations(scores: pd.DataFrame, against: str, methods: Collection[str]) -> pd.DataFrame:
    """Return Spearman's rank correlation of the IoU with another column, for each method.

    Returns
    -------
    pandas.DataFrame
        method, n, rho; rho is NaN below three radiographs or where either does not vary.
    """
    rows = []
    for method in methods:
        both = scores.loc[scores["method"] == method, ["iou", against]].dropna()
        varies = len(both) > 2 and (both.max() > both.min()).all()
        rho = float(scipy.stats.spearmanr(both["iou"], both[against]).statistic) if varies else np.nan
        rows.append({"method": method, "n": len(both), "rho": rho})
    return pd.DataFrame(rows, columns=["method", "n", "rho"])


def _kinds(scores: pd.DataFrame) -> dict[str, str]:
    """Return as what each pathology was marked, as far as the scores say."""
    if "truth" not in scores:
        return {}
    known = scores[["pathology", "truth"]].dropna().drop_duplicates("pathology")
    return dict(zip(known["pathology"].astype(str), known["truth"].astype(str), strict=True))


def _box(iou: pd.Series[float]) -> dict[str, object]:
    if iou.empty:
        numbers = ("whisker_low", "q1", "median", "q3", "whisker_high", "best", "worst")
        return dict.fromkeys(numbers, np.nan) | {"best_id": None, "worst_id": None}
    q1, median, q3 = np.percentile(iou, [25, 50, 75])
    inside = iou[(iou >= q1 - 1.5 * (q3 - q1)) & (iou <= q3 + 1.5 * (q3 - q1))]
    return {
        "whisker_low": inside.min(),
        "q1": q1,
        "median": median,
        "q3": q3,
        "whisker_high": inside.max(),
        "best": iou.max(),
        "best_id": iou.idxmax(),
        "worst": iou.min(),
        "worst_id": iou.idxmin(),
    }
