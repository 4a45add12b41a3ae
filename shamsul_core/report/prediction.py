"""The chapter on how well the model predicts: the paper's Figure 3, curves, calibration and every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.figures.html.run_facts import left_out
from shamsul_core.figures.print.assessment import ASSESSMENT_FIGURES
from shamsul_core.report.chapter import Chapter, Drawing, Table, Words, cell
from shamsul_core.statistics.intervals import FEWEST, TOO_FEW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.report.chapter import Block
    from shamsul_core.statistics.prediction.assessment import Assessment

AVERAGE = "Weighted average"
"""Name of the last row of ``prediction.csv``: over the observations without a reason, weights are their positives."""

_CAPTIONS = {
    "figure3": "AUROC and number of positives for each observation (the paper's Figure 3).",
    "roc": "Receiver operating characteristic (ROC) curves.",
    "precision_recall": "Precision-recall curves.",
    "calibration": "Calibration: share of positives against predicted probability.",
}


def prediction_chapter(assessment: Assessment, *said: str | None) -> Chapter:
    """Return the chapter; what is `said` of the model and these radiographs stands before any number."""
    return Chapter(
        "How well the model predicts", (*(Words(words) for words in said if words), *_blocks(assessment))
    )


def _blocks(assessment: Assessment) -> Iterator[Block]:
    table = pd.concat([assessment.table, _average(assessment.performance.weighted)]).rename_axis(
        "observation"
    )
    in_words = pd.DataFrame(
        {"Observation": table.index, "Positive": table["positive"].to_numpy(object)}
        | {
            name.upper(): [_with_interval(row, name) for _, row in table.iterrows()]
            for name in ("auroc", "auprc")
        }
        | {"Threshold": table["threshold"].to_numpy(object)}
        | {
            name.capitalize(): [_with_interval(row, name) for _, row in table.iterrows()]
            for name in ("sensitivity", "specificity")
        }
    )
    yield Table(
        "prediction",
        "Area under the receiver operating characteristic curve (AUROC) and under the precision-recall curve (AUPRC) with "
        "95 % bootstrap intervals, resampling patients with all their radiographs "
        f"({TOO_FEW}: fewer than {FEWEST} patients with a label); sensitivity and specificity at the threshold with "
        "Wilson's 95 % intervals.",
        table,
        in_words,
    )
    dropped = assessment.performance.dropped
    if dropped:
        yield Words(f"Not in the weighted average: {left_out(dropped)}.")
    yield Table(
        "decisions",
        "Number of decisions of each kind; decisions.csv lists every one.",
        assessment.decisions.set_index("image_id"),
        assessment.decisions["decision"].value_counts().rename_axis("Decision").reset_index(name="Number"),
    )
    for name, draw in ASSESSMENT_FIGURES.items():
        yield Drawing(name, _CAPTIONS[name], draw(assessment, "print"))


def _with_interval(row: pd.Series[float], name: str) -> str:
    if pd.isna(row[name]):
        return cell(row[name])
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{row[name]:.3f} ({TOO_FEW if pd.isna(low) else f'{low:.3f} to {high:.3f}'})"


def _average(weighted: pd.DataFrame) -> pd.DataFrame:
    columns = {"value": "", "low": "_low", "high": "_high"}
    row = {
        f"{metric}{ending}": weighted.loc[metric, column]
        for metric in weighted.index
        for column, ending in columns.items()
    }
    return pd.DataFrame([row], index=[AVERAGE])
