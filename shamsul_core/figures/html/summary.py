"""The summary of a run's scores in a reader's words and as a table to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from shamsul_core.cohort.truth_words import CONTOUR, parts_by_truth, words_in
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.localisation.baselines import LOCATION_ALONE
from shamsul_core.localisation.boxes import WANG_THRESHOLDS
from shamsul_core.run.wording import sentence
from shamsul_core.statistics.intervals import FEWEST, TOO_FEW
from shamsul_core.statistics.method_comparison import compare_pairs, rank_methods
from shamsul_core.statistics.paper import SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shamsul_core.cohort.truth_words import TruthWords

LOCATION_INTERVAL = "95 % interval of location"
LEVEL = 0.05
"""Below this p the methods are said to differ."""


def column_help(truth: TruthWords = CONTOUR) -> dict[str, str]:
    """Return what the columns of these tables mean."""
    return {
        "n": f"Radiographs with {truth.a_score}",
        mean_title(
            truth
        ): f"{sentence(truth.in_full)} with the experts' {truth.plural}, averaged over the radiographs",
        "95 % interval": (
            f"Bootstrap interval of the mean {truth.score}, 1,000 resamples of patients; {TOO_FEW}: fewer than {FEWEST} patients"
        ),
        "Hit rate": f"Share of radiographs on which the map's maximum lies inside the experts' {truth.noun}",
        "95 % interval of hits": "Wilson's score interval of the hit rate",
        "Patients": f"Patients with {truth.a_score} for every method compared; several radiographs of one patient are averaged",
        "Difference": f"Mean difference in {truth.score}, first method minus the other",
        "Effect": "Rank-biserial correlation: 1 where the first method is always better, -1 where the other is",
        "Critical difference": (
            "If Holm-corrected p is below 0.05, two methods whose mean ranks are further apart than this differ (Nemenyi test)"
        ),
        "p": "Wilcoxon's signed-rank test for two methods, Friedman's test for all methods",
        "p, Holm": "p corrected for all rows of the table (Holm's method)",
    }


def mean_title(truth: TruthWords) -> str:
    """Return the title of a column of mean scores."""
    return f"Mean {truth.score}"


def mean_rank(truth: TruthWords = CONTOUR) -> str:
    """Return what a method's column of `ranking_table` means."""
    return f"Mean rank by {truth.score} across patients; 1 is best"


def means_in_words(summary: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Return each method's IoU and hit rate, the mean over the pathologies that have one, the best method first.

    As Markdown, a paragraph for each kind of truth.
    A mean over pathologies, not over cases, so that frequent pathologies do not decide alone.
    """
    parts = parts_by_truth(summary)
    return "\n\n".join(_means_of_part(truth, part, titles, len(parts)) for truth, part in parts)


def _means_of_part(truth: TruthWords, part: pd.DataFrame, titles: Mapping[str, str], parts: int) -> str:
    means = part.groupby("method")[["mean", "hit_rate"]].mean().loc[list(titles)]
    words = [
        f"**{as_markdown(titles[method])}** {two_digits(iou)} (hits {two_digits(hits)})"
        for method, iou, hits in means.sort_values("mean", ascending=False).itertuples()
    ]
    which = "" if parts == 1 else f" marked as {truth.plural}"
    return f"Mean {truth.score_and_full} across pathologies{which}: " + " · ".join(words)


def ranks_in_words(ranks: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Return the correlations of `rank_correlations`, each with its number of radiographs and pathologies."""
    return ", ".join(f"{titles[method]} {two_digits(rho)} (n = {n})" for method, n, rho in ranks.to_numpy())


def pair_table(scores: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return every two methods compared on the same patients as a reader sees it, the surest difference first."""
    pairs = compare_pairs(scores, list(titles)).query("n > 0").sort_values("p", kind="stable")
    return pd.DataFrame(
        {
            "Pathology": pairs["pathology"],
            "Method": pairs["method"].map(titles),
            "Other method": pairs["other"].map(titles),
            "Patients": pairs["n"],
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
    """Return on which pathologies the methods differ and how that was tested; why not, where there is no ranking."""
    try:
        rankings = rank_methods(scores, list(titles))
    except ValueError as error:
        return f"The methods cannot be ranked: {error}."
    differing = [ranking.pathology for ranking in rankings if ranking.p_holm < LEVEL]
    count = "1 pathology" if len(rankings) == 1 else f"{len(rankings)} pathologies"
    verdict = (
        f"The methods differ on {', '.join(differing)}."
        if differing
        else "No difference between the methods was found on any pathology."
    )
    return (
        f"{verdict} Friedman's test on each pathology separately, with one value per patient, because the findings of one "
        f"patient are not independent; p corrected for {count} (Holm), 5 % level."
    )


def ranking_table(scores: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return the methods' mean ranks on each pathology as a reader sees them; no row where there is no ranking."""
    try:
        rankings = rank_methods(scores, list(titles))
    except ValueError:
        rankings = ()
    return pd.DataFrame(
        {
            "Pathology": [ranking.pathology for ranking in rankings],
            "Patients": [ranking.patients for ranking in rankings],
            **{title: [ranking.mean_ranks[name] for ranking in rankings] for name, title in titles.items()},
            "Critical difference": [ranking.critical_difference for ranking in rankings],
            "p": [p_in_words(ranking.p) for ranking in rankings],
            "p, Holm": [p_in_words(ranking.p_holm) for ranking in rankings],
        }
    )


def summary_table(
    summary: pd.DataFrame,
    titles: Mapping[str, str],
    address: Callable[[str, str], str],
    location: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the summary of some methods as a reader sees it.

    Parameters
    ----------
    address
        Of a radiograph and a pathology; best and worst case are such addresses that end in ``#`` and the IoU.
    location
        The summary of the baseline *location*, one row a pathology, where it was measured.

    Returns
    -------
    pandas.DataFrame
        The paper's means, and location, are columns only where they can be held beside these.
    """
    rows = summary[summary["method"].isin(list(titles))]

    def link(row: pd.Series[Any], which: str) -> str | None:
        case = row[f"{which}_id"]
        return None if pd.isna(case) else f"{address(case, row['pathology'])}#{row[which]:.2f}"

    table = pd.DataFrame(
        {
            "Pathology": rows["pathology"],
            "Method": rows["method"].map(titles),
            "n": rows["n"],
            mean_title(words_in(summary)): rows["mean"],
            "95 % interval": intervals(rows["mean_low"], rows["mean_high"], rows["n"]),
            **({} if location is None else _location_columns(rows["pathology"], location)),
            "Paper's mean": rows["paper_mean"],
            "Median": rows["median"],
            "Best case": [link(row, "best") for _, row in rows.iterrows()],
            "Worst case": [link(row, "worst") for _, row in rows.iterrows()],
            "Hit rate": rows["hit_rate"],
            "95 % interval of hits": intervals(rows["hit_low"], rows["hit_high"], rows["hit_n"]),
        }
    )
    return table if has_paper(summary) else table.drop(columns="Paper's mean")


def _location_columns(pathologies: pd.Series[str], location: pd.DataFrame) -> dict[str, Any]:
    """Return what location alone gives on each of these rows' pathologies; none where it was not measured at all."""
    here = location.set_index("pathology").reindex(pathologies)
    if here["mean"].isna().all():
        return {}
    between = intervals(here["mean_low"], here["mean_high"], here["n"].fillna(0))
    return {LOCATION_ALONE: here["mean"].to_numpy(), LOCATION_INTERVAL: between}


def located_in_words(shares: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return the shares of `shamsul_core.statistics.located_boxes.located_boxes` as a reader sees them."""
    named = {threshold: f"Box IoU ≥ {threshold:g}" for threshold in WANG_THRESHOLDS}
    words = shares[shares["method"].isin(list(titles))].rename(columns=named)
    words = words.assign(method=words["method"].map(titles)).drop(columns="truth")
    return words.rename(columns={"pathology": "Pathology", "method": "Method"})


def has_paper(summary: pd.DataFrame) -> bool:
    """Return whether the paper's means stand beside these; see `shamsul_core.statistics.paper.why_not_comparable`."""
    return bool(summary["paper_mean"].notna().any())


def boxes_in_words(summary: pd.DataFrame) -> str:
    """Return how to read the boxes of `shamsul_core.figures.html.distributions.iou_boxes`."""
    star = f" Star: mean in the paper ({SOURCE})." if has_paper(summary) else ""
    return f"Box: middle 50 % of the radiographs; line: median; dashed line and number above: mean.{star}"


def intervals(
    low: pd.Series[float], high: pd.Series[float], number: pd.Series[int], digits: int = 2
) -> list[str]:
    """Return intervals in words; `TOO_FEW` where there is a value without one, a dash where there is no value."""
    return [
        (TOO_FEW if count else "–") if np.isnan(lower) else f"{lower:.{digits}f}–{upper:.{digits}f}"
        for lower, upper, count in zip(low, high, number, strict=True)
    ]


def two_digits(value: float) -> str:
    """Return a figure as it is read, a dash where there is none."""
    return "–" if np.isnan(value) else f"{value:.2f}"
