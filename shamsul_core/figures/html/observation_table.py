"""How well each observation is predicted, as an HTML table: AUROC with its interval drawn as a dot on a line."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from shamsul_core.figures.colours import ACCENT, FAINT, LINE, SECOND
from shamsul_core.statistics.intervals import FEWEST, TOO_FEW

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd

_FEWER = f"{TOO_FEW}: fewer than {FEWEST} positive or negative patients"
_HEADERS = (
    ("Observation", "", ""),
    ("Pos.", "", "Radiographs labelled positive"),
    ("Neg.", "", "Radiographs labelled negative"),
    ("Unc.", "", "Radiographs labelled uncertain; not evaluated"),
    ("Prev.", "", "Prevalence: share of positives among the definite labels"),
    (
        "AUROC, 0 to 1",
        "drawn",
        "Area under the receiver operating characteristic (ROC) curve; the mark in the middle is chance (0.5)",
    ),
    ("AUROC", "", f"AUROC with its 95 % bootstrap interval; {_FEWER}"),
    (
        "AUPRC",
        "",
        "Area under the precision-recall curve (average precision) with its 95 % bootstrap interval; chance is the "
        f"prevalence; {_FEWER}",
    ),
    (
        "At",
        "",
        "Decision threshold: an observation counts as predicted if its probability is at least this high",
    ),
    (
        "Sens.",
        "",
        "Sensitivity at the threshold: true positives among the positives, with Wilson's 95 % interval",
    ),
    (
        "Spec.",
        "",
        "Specificity at the threshold: true negatives among the negatives, with Wilson's 95 % interval",
    ),
)

_STYLE = f"""<style>
.observations {{ border-collapse: collapse; width: 100%; font-size: 0.8rem; font-variant-numeric: tabular-nums; }}
.observations :is(th, td) {{ border: 0; padding: 0.19rem 0.2rem; font-weight: 400; text-align: right;
  white-space: nowrap; line-height: 1.25; }}
.observations thead th {{ opacity: 0.75; cursor: help; }}
.observations th:first-child {{ text-align: left; padding-left: 0; max-width: 13rem; overflow: hidden; text-overflow: ellipsis; }}
.observations tbody tr {{ border-top: 1px solid {LINE}; }}
.observations .drawn {{ width: 30%; min-width: 3rem; text-align: left; padding-left: 0.8rem; }}
.observations .scale {{ position: relative; height: 0.8rem; border-bottom: 1px solid {FAINT}; }}
.observations .scale i {{ position: absolute; display: block; }}
.observations .chance {{ left: 50%; bottom: 0; width: 1px; height: 100%; background: {FAINT}; }}
.observations .line {{ top: 50%; height: 2px; min-width: 2px; background: {SECOND}; }}
.observations .dot {{ top: calc(50% - 3px); width: 8px; height: 8px; margin-left: -4px; border-radius: 50%;
  background: {ACCENT}; }}
.observations .range {{ opacity: 0.75; }}
.observations-room {{ container-type: inline-size; }}
@container (max-width: 48rem) {{ .observations .rate .range {{ display: none; }} }}
.observations .missing {{ opacity: 0.75; text-align: left; padding-left: 0.8rem; }}
</style>"""


def observation_table(table: pd.DataFrame) -> str:
    """Return HTML: a row an observation; one that cannot be evaluated says why.

    Parameters
    ----------
    table
        `shamsul_core.statistics.prediction.assessment.Assessment.table`.
    """
    heads = "".join(
        f'<th scope="col" class="{kind}" title="{escape(words)}">{name}</th>'
        for name, kind, words in _HEADERS
    )
    rows = "".join(_row(str(name), row) for name, row in table.to_dict("index").items())
    return (
        f'{_STYLE}<div class="observations-room"><table class="observations" '
        f'aria-label="Prediction of each observation"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(name: str, row: Mapping[Hashable, Any]) -> str:
    counts = "".join(f"<td>{row[kind]:.0f}</td>" for kind in ("positive", "negative", "uncertain"))
    cells = f'<th scope="row" title="{escape(name, quote=True)}">{escape(name)}</th>{counts}<td>{number(row["prevalence"])}</td>'
    if math.isnan(row["auroc"]):
        cells += f'<td class="missing" colspan="3">not evaluated: {escape(str(row["reason"]))}</td>'
    else:
        cells += f'<td class="drawn">{_drawn(row)}</td>{_scored(row, "auroc")}{_scored(row, "auprc")}'
    rates = "".join(_rate(row, rate) for rate in ("sensitivity", "specificity"))
    return f"<tr>{cells}<td>{number(row['threshold'])}</td>{rates}</tr>"


def _rate(row: Mapping[Hashable, Any], rate: str) -> str:
    if math.isnan(row[rate]):
        return f"<td>{number(row[rate])}</td>"
    bounds = _bounds(row, rate)
    return f'<td class="rate" title="95 % interval {bounds}">{row[rate]:.2f} <span class="range">({bounds})</span></td>'


def _drawn(row: Mapping[Hashable, Any]) -> str:
    low, high, value = (100 * row[column] for column in ("auroc_low", "auroc_high", "auroc"))
    line = f'<i class="line" style="left:{low:.1f}%;width:{high - low:.1f}%"></i>'
    return (
        f'<div class="scale"><i class="chance"></i>{"" if math.isnan(low) else line}'
        f'<i class="dot" style="left:{value:.1f}%"></i></div>'
    )


def _scored(row: Mapping[Hashable, Any], metric: str) -> str:
    return f'<td>{row[metric]:.2f} <span class="range">({_bounds(row, metric)})</span></td>'


def _bounds(row: Mapping[Hashable, Any], metric: str) -> str:
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return TOO_FEW if math.isnan(low) else f"{low:.2f}–{high:.2f}"


def interval(average: pd.Series) -> str:
    """Return an average's 95 % interval in words; `average` is a row of `Performance.weighted`."""
    if math.isnan(average["value"]):
        return "No observation has both positive and negative radiographs."
    if math.isnan(average["low"]):
        return f"No interval: this takes at least {FEWEST} patients with each label."
    return f"95 % interval {average['low']:.2f} to {average['high']:.2f}."


def number(value: float) -> str:
    """Return a share from 0 to 1 with two digits, a dash where there is none.

    >>> number(0.756), number(float("nan"))
    ('0.76', '–')
    """
    if math.isnan(value):
        return "–"
    # A threshold this low is not zero
    return "&lt;0.01" if 0 < value < 0.005 else f"{value:.2f}"
