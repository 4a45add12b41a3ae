"""The chapter that holds the methods against each other, and against readers."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.cohort.truth_words import MIXED, parts_by_truth, words_by_pathology, words_in
from shamsul_core.figures.html.summary import (
    located_in_words,
    p_in_words,
    ranking_in_words,
    ranking_table,
)
from shamsul_core.report.chapter import Chapter, Table, Words
from shamsul_core.report.evidence import Evidence, score_meanings
from shamsul_core.run.wording import sentence
from shamsul_core.statistics.human_benchmark import (
    EACH_OTHER,
    READERS,
    benchmark_in_words,
    human_benchmark_scores,
    is_between_readers,
    percentage_decrease,
)
from shamsul_core.statistics.intervals import TOO_FEW
from shamsul_core.statistics.located_boxes import LOCATED_MEANING, located_boxes
from shamsul_core.statistics.method_comparison import compare_pairs, rank_methods

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shamsul_core.cohort.truth_words import TruthWords
    from shamsul_core.report.chapter import Block


def comparison_chapter(evidence: Evidence) -> Chapter:
    """Return what holds the methods against each other, and against readers."""
    parts = (_means, _pairs, _ranking, _all_scores, _boxes_found, _readers)
    return Chapter("Comparison of the methods", tuple(block for part in parts for block in part(evidence)))


def _means(evidence: Evidence) -> Iterator[Block]:
    methods, titles = list(evidence.titles), evidence.titles
    means = evidence.summary.pivot_table(index="pathology", columns="method", values="mean", dropna=False)
    hits = evidence.summary.pivot_table(index="pathology", columns="method", values="hit_rate", dropna=False)
    order = [name for name in evidence.run.manifest.pathologies if name in means.index]
    score = words_in(evidence.summary).score
    wide = means.reindex(index=order, columns=methods).rename(columns=lambda name: f"{titles[name]} {score}")
    wide = wide.join(
        hits.reindex(index=order, columns=methods).rename(columns=lambda name: f"{titles[name]} hits")
    )
    wide = wide.rename_axis("Pathology")
    truths = words_by_pathology(evidence.summary)
    frame = wide.assign(truth=[truths[name].noun for name in wide.index])
    shown = frame.rename(columns={"truth": "Experts drew"}) if words_in(evidence.summary) is MIXED else wide
    caption = f"Mean {score} and hit rate of each method."
    yield Table("methods", caption, frame, shown.reset_index())


def _pairs(evidence: Evidence) -> Iterator[Block]:
    titles = evidence.titles
    if len(titles) < 2:
        return
    pairs = compare_pairs(evidence.scores, list(titles))
    compared = pairs[pairs["n"] > 0]
    yield Table(
        "pairs",
        "Pairwise comparison of the methods on the same patients (n; several radiographs of one patient are averaged): "
        f"mean difference in {words_in(evidence.scores).score}, effect (rank-biserial correlation, -1 to 1), p of Wilcoxon's "
        "signed-rank test, and p "
        "corrected for the whole table (Holm).",
        pairs.assign(truth=_nouns(evidence, pairs["pathology"])).set_index("pathology"),
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


def _ranking(evidence: Evidence) -> Iterator[Block]:
    scores, titles, truth = evidence.scores, evidence.titles, words_in(evidence.scores)
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
        f"Mean rank of each method by {truth.score} on each pathology (1 is best), across patients for whom every method has "
        f"{truth.a_score}, with Friedman's test. Methods whose mean ranks are further apart than the critical difference differ at the "
        "5 % level (Nemenyi).",
        pd.DataFrame(rows)
        .assign(truth=_nouns(evidence, [str(row["pathology"]) for row in rows]))
        .set_index("pathology"),
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
        pairs.assign(truth=_nouns(evidence, pairs["Pathology"])).set_index("Pathology"),
        pairs.assign(p=pairs["p"].map(p_in_words)),
    )


def _all_scores(evidence: Evidence) -> Iterator[Block]:
    parts = parts_by_truth(evidence.scores)
    for truth, scores in parts:
        meanings, titles = score_meanings(truth), evidence.titles
        definitions = " ".join(f"{title}: {meaning}." for title, meaning in meanings.values())
        rows = {name: scores[scores["method"] == name][list(meanings)].astype(float) for name in titles}
        means = {titles[name]: rows[name].groupby(scores["pathology"]).mean().mean() for name in titles}
        table = pd.DataFrame(means).T.rename(columns={name: title for name, (title, _) in meanings.items()})
        table = table.rename_axis("Method")
        which = "" if len(parts) == 1 else f" marked as {truth.plural}"
        yield Table(
            "scores" if len(parts) == 1 else f"scores_{truth.plural}",
            f"All scores: means across pathologies{which} of the means across radiographs. {definitions}",
            table.assign(truth=truth.noun),
            table.reset_index(),
        )


def _boxes_found(evidence: Evidence) -> Iterator[Block]:
    shares = located_boxes(evidence.scores, list(evidence.titles))
    if not shares.empty:
        in_words = located_in_words(shares, evidence.titles)
        yield Table("boxes_found", LOCATED_MEANING, shares.set_index("pathology"), in_words)


def _nouns(evidence: Evidence, pathologies: Iterable[str]) -> list[str]:
    """Return for each of these what the experts drew of it, as the tables' column ``truth`` says it."""
    truths = words_by_pathology(evidence.scores)
    return [truths[name].noun for name in pathologies]


def _readers(evidence: Evidence) -> Iterator[Block]:
    run, cohort = evidence.run, evidence.cohort
    readers = human_benchmark_scores(cohort, run.explained_ids(), run.manifest.pathologies)
    if readers.empty:
        yield Words(
            "There is no human benchmark: on no radiograph did two readers mark the same pathology independently."
        )
        return
    parts = parts_by_truth(readers)
    for truth, of_readers in parts:
        which = "" if len(parts) == 1 else f"_{truth.plural}"
        for column, words in (("iou", truth.score), ("hit", "hit rate")):
            yield _decreases(evidence, of_readers, column, f"{READERS}_{column}{which}", words, truth)


def _decreases(
    evidence: Evidence, readers: pd.DataFrame, column: str, name: str, words: str, truth: TruthWords
) -> Table:
    """Return how far each method is below the readers, of pathologies marked as the same kind of truth."""
    whom = EACH_OTHER if is_between_readers(readers) else "second readers"
    table = percentage_decrease(evidence.scores, readers, list(evidence.titles), column)
    decreases = table.dropna(subset=["decrease"])
    return Table(
        name,
        f"Methods compared with the human benchmark: mean {words}, and how far the method's mean is below the readers', in "
        f"percent of the readers' mean, with its 95 % bootstrap interval (CheXlocalize). {benchmark_in_words(readers, truth)}",
        table.assign(truth=truth.noun).set_index("pathology"),
        pd.DataFrame(
            {
                "Pathology": decreases["pathology"],
                "Method": decreases["method"].map(evidence.titles),
                sentence(whom): decreases["readers"],
                "Method's mean": decreases["mean"],
                "Decrease, %": decreases["decrease"].map("{:.1f}".format),
                "95 % interval": [
                    TOO_FEW if pd.isna(low) else f"{low:.1f} to {high:.1f}"
                    for low, high in decreases[["decrease_low", "decrease_high"]].to_numpy(float)
                ],
            }
        ),
    )
