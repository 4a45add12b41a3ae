"""How well each observation is predicted, as an HTML table: AUROC with its interval drawn as a dot on a line."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

_HEADERS = (
    ("Observation", "", ""),
    ("Pos.", "", "Radiographs labelled positive"),
    ("Neg.", "", "Radiographs labelled negative"),
    ("Unc.", "", "Radiographs labelled uncertain; not evaluated"),
    ("Prev.", "", "Prevalence: positives among the definite labels"),
    ("AUROC, 0 to 1", "drawn", "Area under the ROC curve; the tick in the middle is 0.5, chance"),
    ("AUROC", "", "AUROC with its 95 % bootstrap interval"),
    ("AUPRC", "", "Average precision with its 95 % bootstrap interval; chance is the prevalence"),
    ("At", "", "Threshold: from this probability on the model says yes"),
    ("Sens.", "", "Sensitivity at the threshold: true positives among the positives"),
    ("Spec.", "", "Specificity at the threshold: true negatives among the negatives"),
)

_STYLE = """<style>
.observations { border-collapse: collapse; width: 100%; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
.observations :is(th, td) { border: 0; padding: 0.19rem 0.2rem; font-weight: 400; text-align: right;
  white-space: nowrap; }
.observations thead th { opacity: 0.75; cursor: help; }
.observations th:first-child { text-align: left; padding-left: 0; }
.observations tbody tr { border-top: 1px solid #2a2f34; }
.observations .drawn { width: 30%; min-width: 3rem; text-align: left; padding-left: 0.8rem; }
.observations .scale { position: relative; height: 0.8rem; border-bottom: 1px solid #59636c; }
.observations .scale i { position: absolute; display: block; }
.observations .chance { left: 50%; bottom: 0; width: 1px; height: 100%; background: #59636c; }
.observations .line { top: 50%; height: 2px; min-width: 2px; background: #f2b134; }
.observations .dot { top: calc(50% - 3px); width: 8px; height: 8px; margin-left: -4px; border-radius: 50%;
  background: #4fb3d9; }
.observations .range { opacity: 0.75; }
.observations .missing { opacity: 0.75; text-align: left; padding-left: 0.8rem; }
</style>"""


def observation_table(table: pd.DataFrame) -> str:
    """Return HTML: a row an observation; one that cannot be evaluated says why.

    Parameters
    ----------
    table
        `shamsul_core.metrics.assessment.Assessment.table`.
    """
    heads = "".join(
        f'<th scope="col" class="{kind}" title="{escape(words)}">{name}</th>'
        for name, kind, words in _HEADERS
    )
    rows = "".join(_row(str(name), row) for name, row in table.to_dict("index").items())
    return (
        f'{_STYLE}<table class="observations" aria-label="Prediction of each observation">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(name: str, row: Mapping[Hashable, Any]) -> str:
    counts = "".join(f"<td>{row[kind]:.0f}</td>" for kind in ("positive", "negative", "uncertain"))
    cells = f'<th scope="row">{escape(name)}</th>{counts}<td>{figure(row["prevalence"])}</td>'
    if math.isnan(row["auroc"]):
        cells += f'<td class="missing" colspan="3">not evaluated: {escape(str(row["reason"]))}</td>'
    else:
        cells += f'<td class="drawn">{_drawn(row)}</td>{_scored(row, "auroc")}{_scored(row, "auprc")}'
    decided = "".join(f"<td>{figure(row[rate])}</td>" for rate in ("threshold", "sensitivity", "specificity"))
    return f"<tr>{cells}{decided}</tr>"


def _drawn(row: Mapping[Hashable, Any]) -> str:
    low, high, value = (100 * row[column] for column in ("auroc_low", "auroc_high", "auroc"))
    return (
        '<div class="scale"><i class="chance"></i>'
        f'<i class="line" style="left:{low:.1f}%;width:{high - low:.1f}%"></i>'
        f'<i class="dot" style="left:{value:.1f}%"></i></div>'
    )


def _scored(row: Mapping[Hashable, Any], metric: str) -> str:
    bounds = f"{row[f'{metric}_low']:.2f}–{row[f'{metric}_high']:.2f}"
    return f'<td>{row[metric]:.2f} <span class="range">({bounds})</span></td>'


def interval(average: pd.Series) -> str:
    """Return an average's 95 % interval in words; `average` is a row of `Performance.weighted`."""
    if math.isnan(average["value"]):
        return "No observation has both positive and negative radiographs."
    return f"95 % interval {average['low']:.2f} to {average['high']:.2f}."


def figure(value: float) -> str:
    """Return a share from 0 to 1 with two digits, a dash where there is none.

    >>> figure(0.756), figure(float("nan"))
    ('0.76', '–')
    """
    if math.isnan(value):
        return "–"
    # A threshold this low is not zero
    return "&lt;0.01" if 0 < value < 0.005 else f"{value:.2f}"
