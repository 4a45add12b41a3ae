"""A chapter for each method: the paper's box plots and figures of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.cases.selection import best_iou, best_multilabel, best_probability, in_order
from shamsul_core.cohort.truth_words import MIXED, words_by_pathology, words_in
from shamsul_core.figures.html.summary import (
    has_paper,
    intervals,
)
from shamsul_core.figures.print.boxes import box_figure
from shamsul_core.figures.print.cases import case_figure
from shamsul_core.figures.scene.illustrated_case import make_case
from shamsul_core.report.chapter import Chapter, Drawing, Table, Words, cell
from shamsul_core.report.evidence import Evidence, shown_pathologies
from shamsul_core.run.wording import origin_in_words, sentence, threshold_in_words
from shamsul_core.statistics import paper
from shamsul_core.statistics.intervals import FEWEST, TOO_FEW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.report.chapter import Block

_CASE_PX = 600


def method_chapters(evidence: Evidence) -> Iterator[Chapter]:
    """Yield a chapter for each method."""
    for method, title in evidence.titles.items():
        yield Chapter(f"{title} compared with the experts", tuple(_method(evidence, method)))


def _method(evidence: Evidence, method: str) -> Iterator[Block]:
    summary = evidence.summary[evidence.summary["method"] == method]
    number = paper.BOX_FIGURES.get(method)
    stars = "; stars: the paper's means, where given" if has_paper(summary) else ""
    place = f" (as the paper's Figure {number}{stars})" if number else ""
    name = f"figure{number}" if number else f"boxes_{method}"
    truth = words_in(summary)
    if not summary["n"].any():
        yield Words(f"No radiograph has both a mask from this method and an expert {truth.noun}.")
        return
    yield Drawing(
        name,
        f"{sentence(truth.score)} by pathology{place}. Box: middle 50 % of the radiographs; line: median; dashed line and number: mean; "
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
    truths = words_by_pathology(summary)
    table = pd.DataFrame(
        {
            "Pathology": summary["pathology"],
            "Experts drew": [truths[name].plural for name in summary["pathology"]],
            "n": summary["n"],
            f"Mean {words_in(summary).score}": summary["mean"],
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
    # Of contours alone, or boxes alone, the title of the score says it
    left_out = ["Experts drew"] if words_in(summary) is not MIXED else []
    return table.drop(columns=left_out if has_paper(summary) else [*left_out, "Paper's mean"])


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
    best_title = f"highest {words_in(evidence.scores).score}"
    titles = {"best": best_title, "probable": "highest probability", "multilabel": "best multi-label case"}
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


def _reading(scores: pd.DataFrame, image_id: str, pathology: str) -> str:
    row = scores[(scores["image_id"] == image_id) & (scores["pathology"] == pathology)].iloc[0]
    score = words_by_pathology(scores)[pathology].score
    iou = f"no {score}" if pd.isna(row["iou"]) else f"{score} {row['iou']:.2f}"
    return (
        f"{pathology} {iou}, probability {cell(None if pd.isna(row['probability']) else row['probability'])}"
    )
