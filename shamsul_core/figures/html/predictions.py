"""What the classifier predicts for one radiograph, beside its labels."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from shamsul_core.figures.colours import ACCENT, SECOND
from shamsul_core.figures.scene.score_grid import sign_of
from shamsul_core.statistics.prediction.decisions import decide_one

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.statistics.prediction.decisions import Thresholds

DECISION_SIGNS = {
    "TP": ("✓", "true positive"),
    "TN": ("✓", "true negative"),
    "FP": ("✗", "false positive"),
    "FN": ("✗", "false negative"),
}
"""How a decision is drawn and what it is: right or wrong; nothing where there is no definite label."""

_STYLE = f"""<style>
.predictions {{ border-collapse: collapse; width: 100%; font-size: 0.8rem; font-variant-numeric: tabular-nums; }}
.predictions :is(th, td) {{ border: 0; padding: 0.13rem 0; font-weight: 400; text-align: left; white-space: nowrap; }}
.predictions th {{ white-space: normal; overflow-wrap: anywhere; }}
.predictions td:nth-child(2) {{ width: 40%; min-width: 2rem; padding: 0 0.5rem; }}
.predictions td:nth-child(n+3) {{ text-align: right; }}
.predictions td:nth-child(4) {{ padding-left: 0.4rem; }}
.predictions div {{ height: 0.6rem; background: {ACCENT}; min-width: 1px; }}
.predictions .chosen {{ color: {SECOND}; }}
.predictions .chosen div {{ background: {SECOND}; }}
</style>"""


def prediction_table(
    probabilities: Mapping[str, float],
    labels: Mapping[str, float | None],
    chosen: str | None = None,
    thresholds: Thresholds | None = None,
) -> str:
    """Return HTML: each observation's name with its label's sign, its probability as a bar from 0 to 1 and as a figure.

    A table rather than a chart: a chart's library takes the browser longer to load than all the rest of the page.

    Parameters
    ----------
    probabilities
        0..1 by observation, from top to bottom in this order; NaN where there is no prediction.
    labels
        1, 0, -1 (uncertain) or ``None`` (blank) by observation.
    chosen
        The observation to set off.
    thresholds
        From which probability on each counts as predicted; whether that is right then stands last in the row.
    """
    rows = (
        _row(name, value, labels.get(name), thresholds, is_chosen=name == chosen)
        for name, value in probabilities.items()
    )
    return f'{_STYLE}<table class="predictions" aria-label="Predicted probabilities">{"".join(rows)}</table>'


def _row(
    name: str, probability: float, label: float | None, thresholds: Thresholds | None, *, is_chosen: bool
) -> str:
    is_known = not math.isnan(probability)
    decision = _decision(name, probability, label, thresholds) if is_known and thresholds is not None else ""
    bar = f'<div style="width:{100 * probability:.1f}%"></div>' if is_known else ""
    return (
        f'<tr class="{"chosen" if is_chosen else ""}"><th scope="row">{escape(name.replace("Enlarged", "Enl."))} '
        f"{sign_of(label)}</th><td>{bar}</td><td>{f'{probability:.2f}' if is_known else '–'}</td>"
        f"<td>{decision}</td></tr>"
    )


def _decision(name: str, probability: float, label: float | None, thresholds: Thresholds) -> str:
    """Return whether the decision is right as a sign, on hover what it is and at which threshold."""
    decision = decide_one(probability, label, thresholds.of(name))
    if decision not in DECISION_SIGNS:
        return ""
    sign, meaning = DECISION_SIGNS[decision]
    return f'<span title="{meaning}: {escape(thresholds.in_words(name, probability))}">{sign}</span>'
