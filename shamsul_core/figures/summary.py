"""The summary of a run's scores in a reader's words and as a table to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from shamsul_core.metrics.comparison import compare_pairs, rank_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def means_in_words(summary: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Return each method's IoU and hit rate, the mean over the pathologies that have one, the best method first.

    A mean over pathologies, not over cases, so that frequent pathologies do not decide alone.
    """
    means = summary.groupby("method")[["mean", "hit_rate"]].mean().loc[list(titles)]
    words = [
        f"**{titles[method]}** {_two_digits(iou)} (hits {_two_digits(hits)})"
        for method, iou, hits in means.sort_values("mean", ascending=False).itertuples()
    ]
    return "Mean IoU over the pathologies: " + " · ".join(words)


def ranks_in_words(ranks: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Return the correlations of `rank_correlations`, each with its number of radiographs and pathologies."""
    return ", ".join(f"{titles[method]} {_two_digits(rho)} (n = {n})" for method, n, rho in ranks.to_numpy())


def pair_table(scores: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return every two methods compared on the same radiographs as a reader sees it, the surest difference first."""
    pairs = compare_pairs(scores, list(titles)).query("n > 0").sort_values("p", kind="stable")
    return pd.DataFrame(
        {
            "Pathology": pairs["pathology"],
            "Method": pairs["method"].map(titles),
            "Other method": pairs["other"].map(titles),
            "Radiographs": pairs["n"],
            "Difference": pairs["mean_difference"],
            "Effect": pairs["effect"],
            "p": pairs["p"].map(p_in_words),
            "p, Holm": pairs["p_holm"].map(p_in_words),
        }
    )


def p_in_words(p: float) -> str:
    """Return a p as it is read.

    >>> [p_in_words(p) for p in (0.04567, 0.00002, float("nan"))]
    ['0.046', '< 0.001', '–']
    """
    if np.isnan(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def ranking_in_words(scores: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Return the methods' mean ranks and what may be said of their differences; why not, where there is no ranking."""
    try:
        ranking = rank_methods(scores, list(titles))
    except ValueError as error:
        return f"No ranking of the methods: {error}."
    ranks = " · ".join(
        f"**{titles[str(name)]}** {rank:.2f}" for name, rank in ranking.mean_ranks.sort_values().items()
    )
    differ = "differ" if ranking.p < 0.05 else "do not differ surely"
    return (
        f"Mean rank by IoU over {ranking.blocks} cases (1 is best): {ranks}. The methods {differ} (Friedman's test, p "
        f"{p_in_words(ranking.p)}); any two whose mean ranks lie more than {ranking.critical_difference:.2f} apart differ at 5 % (Nemenyi). "
        f"Below, every two methods on the same radiographs."
    )


def summary_table(
    summary: pd.DataFrame, titles: Mapping[str, str], address: Callable[[str, str], str]
) -> pd.DataFrame:
    """Return the summary of some methods as a reader sees it.

    Parameters
    ----------
    address
        Of a radiograph and a pathology; best and worst case are such addresses that end in ``#`` and the IoU.
    """
    rows = summary[summary["method"].isin(list(titles))]

    def link(row: pd.Series[Any], which: str) -> str | None:
        case = row[f"{which}_id"]
        return None if pd.isna(case) else f"{address(case, row['pathology'])}#{row[which]:.2f}"

    return pd.DataFrame(
        {
            "Pathology": rows["pathology"],
            "Method": rows["method"].map(titles),
            "n": rows["n"],
            "Mean IoU": rows["mean"],
            "95 % interval": _intervals(rows["mean_low"], rows["mean_high"]),
            "Paper's mean": rows["paper_mean"],
            "Median": rows["median"],
            "Best case": [link(row, "best") for _, row in rows.iterrows()],
            "Worst case": [link(row, "worst") for _, row in rows.iterrows()],
            "Hit rate": rows["hit_rate"],
            "95 % interval of hits": _intervals(rows["hit_low"], rows["hit_high"]),
        }
    )


def _intervals(low: pd.Series[float], high: pd.Series[float]) -> list[str]:
    return [
        "–" if np.isnan(one) else f"{one:.2f} – {other:.2f}" for one, other in zip(low, high, strict=True)
    ]


def _two_digits(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"
