"""A chapter for each method: the paper's box plots and figures of cases; and one that holds the methods together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.cases.selection import best_iou, best_multilabel, best_probability, in_order
from shamsul_core.figures.html.summary import (
    has_paper,
    intervals,
    p_in_words,
    ranking_in_words,
    ranking_table,
)
from shamsul_core.figures.print.boxes import box_figure
from shamsul_core.figures.print.cases import case_figure
from shamsul_core.figures.scene.illustrated_case import make_case
from shamsul_core.report.chapter import Chapter, Drawing, Table, Words, cell
from shamsul_core.run.wording import origin_in_words, threshold_in_words
from shamsul_core.statistics import paper
from shamsul_core.statistics.human_benchmark import READERS, human_benchmark_scores, percentage_decrease
from shamsul_core.statistics.intervals import FEWEST, TOO_FEW
from shamsul_core.statistics.method_comparison import compare_pairs, rank_methods
from shamsul_core.statistics.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shamsul_core.cohort import Cohort
    from shamsul_core.report.chapter import Block
    from shamsul_core.run import Run

_CASE_PX = 600

SCORES = {
    "iou": ("IoU", "intersection over union of the method's and the experts' mask (Jaccard index)"),
    "dice": ("Dice", "twice the intersection divided by the sum of both areas (Dice 1945)"),
    "precision": ("Precision", "share of the method's mask inside the experts'"),
    "recall": ("Recall", "share of the experts' mask inside the method's"),
    "specificity": (
        "Specificity",
        "share of the area outside the experts' mask that the method leaves out too",
    ),
    "average_precision": ("Average precision", "precision averaged over recall as the threshold is lowered"),
    "mass_accuracy": (
        "Relevance mass",
        "share of the positive relevance inside the experts' mask (Arras, Osman and Samek 2022)",
    ),
    "rank_accuracy": (
        "Relevance rank",
        "share of the k highest pixels inside the experts' mask, k being its number of pixels (Arras, Osman and Samek 2022)",
    ),
    "distance": (
        "Distance",
        "from the map's maximum to the experts' mask, divided by the radiograph's diagonal; lower is better",
    ),
    "best_iou": (
        "Best IoU",
        "the highest IoU that any threshold gives for a map: what the method could reach",
    ),
    "hit": ("Hit rate", "share of maps whose maximum lies inside the experts' mask (pointing game)"),
}
"""Columns of the scores, their titles and definitions."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the chapters on localisation are made from; made once."""

    run: Run
    cohort: Cohort

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The run's scores."""
        return self.run.scores

    @cached_property
    def summary(self) -> pd.DataFrame:
        """See `shamsul_core.statistics.summary.summarise`."""
        return summarise(
            self.scores,
            self.run.manifest.pathologies,
            list(self.titles),
            is_paper_cohort=self.why_not_paper is None,
        )

    @cached_property
    def why_not_paper(self) -> str | None:
        """See `shamsul_core.statistics.paper.why_not_comparable`."""
        return paper.why_not_comparable(self.cohort)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """Of the methods."""
        return self.run.manifest.titles


def method_chapters(evidence: Evidence) -> Iterator[Chapter]:
    """Yield a chapter for each method."""
    for method, title in evidence.titles.items():
        yield Chapter(f"{title} compared with the experts", tuple(_method(evidence, method)))


def comparison_chapter(evidence: Evidence) -> Chapter:
    """Return what holds the methods against each other, and against a second group of readers."""
    return Chapter("Comparison of the methods", tuple(_comparison(evidence)))


def _method(evidence: Evidence, method: str) -> Iterator[Block]:
    summary = evidence.summary[evidence.summary["method"] == method]
    number = paper.BOX_FIGURES.get(method)
    stars = "; stars: the paper's means, where given" if has_paper(summary) else ""
    place = f" (as the paper's Figure {number}{stars})" if number else ""
    name = f"figure{number}" if number else f"boxes_{method}"
    if not summary["n"].any():
        yield Words("No radiograph has both a mask from this method and an expert contour.")
        return
    yield Drawing(
        name,
        f"IoU by pathology{place}. Box: middle 50 % of the radiographs; line: median; dashed line and number: mean; "
        f"each point is a radiograph. {threshold_in_words(evidence.run.segmentation)}",
        box_figure(evidence.scores, evidence.summary, method),
    )
    yield Table(
        f"summary_{method}",
        "The same as numbers. Intervals of means: bootstrap, resampling patients with all their radiographs "
        f"({TOO_FEW}: fewer than {FEWEST} patients); of hit rates: Wilson's.",
        summary.set_index("pathology"),
        _summary(summary),
    )
    yield from _cases(evidence, method, number)


def _summary(summary: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "Pathology": summary["pathology"],
            "n": summary["n"],
            "Mean IoU": summary["mean"],
            "95 % interval": intervals(summary["mean_low"], summary["mean_high"], summary["n"], digits=3),
            "Paper's mean": summary["paper_mean"],
            "Median": summary["median"],
            "Best": summary["best"],
            "Hit rate": summary["hit_rate"],
            "95 % interval of hits": intervals(
                summary["hit_low"], summary["hit_high"], summary["hit_n"], digits=3
            ),
        }
    )
    return table if has_paper(summary) else table.drop(columns="Paper's mean")


def _cases(evidence: Evidence, method: str, number: int | None) -> Iterator[Block]:
    """Yield the figures of cases: best IoU of each of two pathologies, best probability of both, best multi-label."""
    pathologies = shown_pathologies(evidence.run)
    if pathologies != list(paper.SHOWN):
        number = None  # these are not the paper's figures
    of_method = evidence.scores[evidence.scores["method"] == method]
    best = best_iou(of_method)
    asked = [("best", best[best["pathology"] == name], [name]) for name in pathologies]
    probable = best_probability(evidence.scores)
    asked.append(("probable", probable[probable["pathology"].isin(pathologies)], pathologies))
    if len(pathologies) == 2:
        asked.append(("multilabel", best_multilabel(evidence.scores, *pathologies), pathologies))
    titles = {"best": "highest IoU", "probable": "highest probability", "multilabel": "best multi-label case"}
    for step, (criterion, table, names) in enumerate(asked, start=1):
        cases = [
            make_case(evidence.run, evidence.cohort, evidence.scores, chosen, longest_px=_CASE_PX)
            for chosen in in_order(table, evidence.run.manifest.pathologies)
        ]
        if not cases:
            yield Words(f"This run has no {titles[criterion]} for {' and '.join(names)}.")
            continue
        figure = case_figure(cases, [method], origin_in_words(evidence.run.manifest))
        name = f"figure{number + step}" if number else f"cases_{method}_{step}"
        papers_cases = paper.CASES.get(method, {}).get(criterion)
        beside = ""
        if papers_cases is not None and number is not None and evidence.why_not_paper is None:
            words = "; ".join(f"{name} {papers_cases[paper.SHOWN.index(name)]}" for name in names)
            beside = f" The paper's Figure {number + step}: {words}."
        ours = "; ".join(_reading(of_method, case.scene.image_id, case.scene.pathology) for case in cases)
        yield Drawing(
            name,
            f"{titles[criterion][0].upper()}{titles[criterion][1:]} for {' and '.join(names)}: {ours}.{beside}",
            figure,
        )


def shown_pathologies(run: Run) -> list[str]:
    """Return the two pathologies whose cases are shown: the paper's, or the run's first two."""
    there = [name for name in paper.SHOWN if name in run.manifest.pathologies]
    return there if len(there) == len(paper.SHOWN) else list(run.manifest.pathologies[:2])


def _reading(scores: pd.DataFrame, image_id: str, pathology: str) -> str:
    row = scores[(scores["image_id"] == image_id) & (scores["pathology"] == pathology)].iloc[0]
    iou = "no IoU" if pd.isna(row["iou"]) else f"IoU {row['iou']:.2f}"
    return (
        f"{pathology} {iou}, probability {cell(None if pd.isna(row['probability']) else row['probability'])}"
    )


def _comparison(evidence: Evidence) -> Iterator[Block]:
    methods, titles, scores = list(evidence.titles), evidence.titles, evidence.scores
    means = evidence.summary.pivot_table(index="pathology", columns="method", values="mean", dropna=False)
    hits = evidence.summary.pivot_table(index="pathology", columns="method", values="hit_rate", dropna=False)
    order = [name for name in evidence.run.manifest.pathologies if name in means.index]
    wide = means.reindex(index=order, columns=methods).rename(columns=lambda name: f"{titles[name]} IoU")
    wide = wide.join(
        hits.reindex(index=order, columns=methods).rename(columns=lambda name: f"{titles[name]} hits")
    )
    yield Table("methods", "Mean IoU and hit rate of each method.", wide.rename_axis("Pathology"))
    if len(methods) > 1:
        pairs = compare_pairs(scores, methods)
        compared = pairs[pairs["n"] > 0]
        yield Table(
            "pairs",
            "Pairwise comparison of the methods on the same patients (n; several radiographs of one patient are averaged): "
            "mean difference in IoU, effect (rank-biserial correlation, -1 to 1), p of Wilcoxon's signed-rank test, and p "
            "corrected for the whole table (Holm).",
            pairs.set_index("pathology"),
            pd.DataFrame(
                {
                    "Pathology": compared["pathology"],
                    "Methods": [
                        f"{titles[a]} − {titles[b]}" for a, b in compared[["method", "other"]].to_numpy()
                    ],
                    "n": compared["n"],
                    "Difference": compared["mean_difference"],
                    "Effect": compared["effect"],
                    "p": compared["p"].map(p_in_words),
                    "p, Holm": compared["p_holm"].map(p_in_words),
                }
            ),
        )
    yield from _ranking(evidence)
    definitions = " ".join(f"{title}: {meaning}." for title, meaning in SCORES.values())
    rows = {name: scores[scores["method"] == name][list(SCORES)].astype(float) for name in methods}
    by_pathology = {titles[name]: rows[name].groupby(scores["pathology"]).mean().mean() for name in methods}
    table = pd.DataFrame(by_pathology).T.rename(columns={name: title for name, (title, _) in SCORES.items()})
    yield Table(
        "scores",
        f"All scores: means across pathologies of the means across radiographs. {definitions}",
        table.rename_axis("Method"),
    )
    yield from _readers(evidence)


def _ranking(evidence: Evidence) -> Iterator[Block]:
    scores, titles = evidence.scores, evidence.titles
    yield Words(ranking_in_words(scores, titles))
    in_words = ranking_table(scores, titles)
    if in_words.empty:
        return
    rankings = rank_methods(scores, list(titles))
    facts = ("pathology", "patients", "statistic", "p", "p_holm", "critical_difference")
    rows = [
        {name: getattr(ranking, name) for name in facts} | ranking.mean_ranks.to_dict()
        for ranking in rankings
    ]
    yield Table(
        "friedman",
        "Mean rank of each method by IoU on each pathology (1 is best), across patients for whom every method has an "
        "IoU, with Friedman's test. Methods whose mean ranks are further apart than the critical difference differ at the "
        "5 % level (Nemenyi).",
        pd.DataFrame(rows).set_index("pathology"),
        in_words,
    )
    pairs = pd.DataFrame(
        [
            (ranking.pathology, titles[first], titles[second], ranking.p_pairs.loc[first, second])
            for ranking in rankings
            for first, second in combinations(titles, 2)
        ],
        columns=["Pathology", "Method", "Other method", "p"],
    )
    yield Table(
        "nemenyi",
        "Nemenyi's p for each pair of methods on each pathology, not corrected for the number of pathologies. Valid only "
        "where Friedman's corrected p is below 0.05.",
        pairs.set_index("Pathology"),
        pairs.assign(p=pairs["p"].map(p_in_words)),
    )


def _readers(evidence: Evidence) -> Iterator[Block]:
    run, cohort = evidence.run, evidence.cohort
    readers = human_benchmark_scores(cohort, run.explained_ids(), run.manifest.pathologies)
    if readers.empty:
        yield Words(
            "The cohort has no second readers (CheXlocalize's hb files), so there is no human benchmark."
        )
        return
    for column, words in (("iou", "IoU"), ("hit", "hit rate")):
        table = percentage_decrease(evidence.scores, readers, list(evidence.titles), column)
        decreases = table.dropna(subset=["decrease"])
        yield Table(
            f"{READERS}_{column}",
            f"Methods compared with second readers: mean {words}, and how far the method's mean is below the readers', in "
            f"percent of the readers' mean, with its 95 % bootstrap interval (CheXlocalize).",
            table.set_index("pathology"),
            pd.DataFrame(
                {
                    "Pathology": decreases["pathology"],
                    "Method": decreases["method"].map(evidence.titles),
                    "Second readers": decreases["readers"],
                    "Method's mean": decreases["mean"],
                    "Decrease, %": decreases["decrease"].map("{:.1f}".format),
                    "95 % interval": [
                        TOO_FEW if pd.isna(low) else f"{low:.1f} to {high:.1f}"
                        for low, high in decreases[["decrease_low", "decrease_high"]].to_numpy(float)
                    ],
                }
            ),
        )
