"""What a score goes with: the threshold rule, the lesion's size and shape, the model's certainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from shamsul_core.cohort.truth_words import BOX, parts_by_truth, words_in
from shamsul_core.figures.print.boxes import rule_figure
from shamsul_core.report.chapter import Chapter, Drawing, Table, Words
from shamsul_core.run.wording import sentence
from shamsul_core.statistics.lesions import FEATURES, lesion_table
from shamsul_core.statistics.summary import rank_correlations
from shamsul_core.statistics.threshold_rules import PAPER, RULES, SIGNS, level_scores, rank_rules, rule_scores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shamsul_core.cohort.truth_words import TruthWords
    from shamsul_core.report.chapter import Block
    from shamsul_core.report.evidence import Evidence
    from shamsul_core.statistics.prediction.assessment import Assessment


def threshold_chapter(evidence: Evidence) -> Chapter:
    """Return how much of the ranking of the methods comes from the rule that makes masks of maps."""
    return Chapter("How much depends on the threshold", tuple(_thresholds(evidence)))


def correlation_chapter(evidence: Evidence, assessment: Assessment) -> Chapter:
    """Return what IoU goes with: probability, AUROC and the lesions' number, size and shape."""
    score = words_in(evidence.scores).score
    return Chapter(f"What the {score} correlates with", tuple(_correlations(evidence, assessment)))


def _thresholds(evidence: Evidence) -> Iterator[Block]:
    levels = level_scores(evidence.run, evidence.cohort)
    if levels.empty:
        if words_in(evidence.scores) is BOX:
            yield Words(
                "The experts drew boxes. The overlap of bounding boxes has not been compared under other thresholds."
            )
            return
        yield Words(
            "There is no heatmap of a finding that the experts marked, so no threshold can be compared. Methods imported "
            "as masks have no heatmap."
        )
        return
    thresholded = set(levels["method"])
    titles = {name: title for name, title in evidence.titles.items() if name in thresholded}
    ranked = rank_rules(rule_scores(levels), list(titles))
    words = {f"{sign} {rule}": f"{SIGNS[sign]}, {RULES[rule]}" for sign in SIGNS for rule in RULES}
    yield Words(_in_words(ranked, titles))
    yield Drawing(
        "threshold_rules",
        "Mean IoU of each method under every rule. Here an empty mask counts as an IoU of 0, holes are not filled, and "
        "tuned thresholds are never scored on the radiographs they were tuned on (5 folds). Best possible: each map's "
        "own best threshold, which no rule can know in advance.",
        rule_figure(ranked, titles, words),
    )
    in_words = ranked.assign(
        sign=[SIGNS[sign] for sign in ranked["sign"]],
        rule=[RULES[rule] for rule in ranked["rule"]],
        ranking=[
            " > ".join(titles[name] for name in line.split(" > ") if name) for line in ranked["ranking"]
        ],
    ).rename(columns={"sign": "Map", "rule": "Threshold", "ranking": "Ranking", "tau": "τ"} | dict(titles))
    yield Table(
        "threshold_rules",
        "The same as numbers, with Kendall's τ between each ranking and the one under the paper's rule (signed map, Otsu).",
        ranked.set_index(["sign", "rule"]),
        in_words,
    )


def _in_words(ranked: pd.DataFrame, titles: Mapping[str, str]) -> str:
    if len(titles) < 2:
        return f"{', '.join(titles.values())} is the only method with heatmaps, so there is no ranking."
    rules = ranked[ranked["rule"] != "best"].set_index(["sign", "rule"])
    order, others = rules.loc[[PAPER]]["ranking"].iloc[0], rules.drop(index=[PAPER])
    same = int((others["ranking"] == order).sum())
    first = " or ".join(sorted({titles[line.split(" > ")[0]] for line in rules["ranking"]}))
    tau = others["tau"]
    agreement = (
        "" if tau.isna().all() else f"; Kendall's τ with it is between {tau.min():.2f} and {tau.max():.2f}"
    )
    return (
        f"Under the paper's rule the methods rank {' > '.join(titles[name] for name in order.split(' > '))}. Of the "
        f"{len(others)} other combinations of sign and rule {same} give the same ranking{agreement}. First place: "
        f"{first}. Where the order changes with the rule, it reflects the rule rather than the "
        f"methods."
    )


def _correlations(evidence: Evidence, assessment: Assessment) -> Iterator[Block]:
    run, cohort = evidence.run, evidence.cohort
    lesions = lesion_table(cohort, run.explained_ids(), run.manifest.pathologies)
    joined = evidence.scores.merge(lesions, on=["image_id", "pathology"], how="left")
    parts = parts_by_truth(joined)
    for truth, scores in parts:
        table = _ranks(scores, evidence.titles).rename_axis(f"{sentence(truth.score)} against")
        yield Table(
            "correlations" if len(parts) == 1 else f"correlations_{truth.plural}",
            f"Spearman's rank correlation of {truth.score}, over all cases, with the predicted probability and with the number, "
            "size and shape of the lesions (CheXlocalize's definitions. Elongation: the longer side of the smallest rectangle "
            "around the lesion divided by the shorter. Irrectangularity: the share of that rectangle outside the lesion)."
            f"{_OF_BOXES if truth is BOX else ''}",
            table.assign(truth=truth.noun),
            table.reset_index(),
        )
    for truth, summary in parts_by_truth(evidence.summary):
        yield Words(_against_auroc(summary, evidence.titles, assessment, truth))


_OF_BOXES = " Here the lesions are the experts' boxes."


def _ranks(scores: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    rows = {}
    for column, words in {"probability": "predicted probability", **FEATURES}.items():
        ranks = rank_correlations(scores, column, list(titles))
        rows[words] = {titles[str(method)]: rho for method, rho in ranks[["method", "rho"]].to_numpy()}
        rows[words]["n"] = int(ranks["n"].max()) if len(ranks) else 0
    return pd.DataFrame(rows).T


def _against_auroc(
    summary: pd.DataFrame, titles: Mapping[str, str], assessment: Assessment, truth: TruthWords
) -> str:
    auroc = assessment.table["auroc"].astype(float)
    parts = []
    for method, title in titles.items():
        means = summary[summary["method"] == method].set_index("pathology")["mean"]
        both = pd.DataFrame({"iou": means.astype(float), "auroc": auroc}).dropna()
        varies = len(both) > 2 and bool((both.max() > both.min()).all())
        rho = float(spearmanr(both["iou"], both["auroc"]).statistic) if varies else np.nan
        parts.append(f"{title} {'–' if np.isnan(rho) else f'{rho:.2f}'} ({len(both)} pathologies)")
    return (
        f"Spearman's rank correlation of a pathology's mean {truth.score} with its AUROC: {', '.join(parts)}. In the paper, "
        f"predicting well and pointing at the right place were not related."
    )
