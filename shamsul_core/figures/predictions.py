"""What the classifier predicts for one radiograph, beside its labels."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL_SIGNS = {1.0: "●", 0.0: "○", -1.0: "◐", None: "·"}
"""How a label is drawn: positive, negative, uncertain, blank; told apart without colour."""

DECISION_SIGNS = {
    "TP": '<span title="true positive">✓</span>',
    "TN": '<span title="true negative">✓</span>',
    "FP": '<span title="false positive">✗</span>',
    "FN": '<span title="false negative">✗</span>',
}
"""How a decision is drawn: right or wrong; nothing where there is no definite label."""

_STYLE = """<style>
.predictions { border-collapse: collapse; width: 100%; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
.predictions :is(th, td) { border: 0; padding: 0.13rem 0; font-weight: 400; text-align: left; white-space: nowrap; }
.predictions td:nth-child(2) { width: 100%; padding: 0 0.5rem; }
.predictions td:nth-child(n+3) { text-align: right; }
.predictions td:nth-child(4) { padding-left: 0.4rem; }
.predictions div { height: 0.6rem; background: #4fb3d9; min-width: 1px; }
.predictions .chosen { color: #f2b134; }
.predictions .chosen div { background: #f2b134; }
</style>"""


def prediction_table(
    probabilities: Mapping[str, float],
    labels: Mapping[str, float | None],
    chosen: str | None = None,
    decisions: Mapping[str, str] | None = None,
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
    decisions
        By observation, from `shamsul_core.metrics.decisions.decide`: whether it is right stands last in the row.
    """
    signs = {name: DECISION_SIGNS.get(decision, "") for name, decision in (decisions or {}).items()}
    rows = (
        _row(name, value, labels.get(name), name == chosen, signs.get(name, ""))
        for name, value in probabilities.items()
    )
    return f'{_STYLE}<table class="predictions" aria-label="Predicted probabilities">{"".join(rows)}</table>'


def sign_of(label: float | None) -> str:
    """Return the sign of a label; NaN is blank too.

    >>> sign_of(1.0), sign_of(float("nan"))
    ('●', '·')
    """
    return LABEL_SIGNS[None if label is None or math.isnan(label) else label]


def _row(name: str, probability: float, label: float | None, is_chosen: bool, decision: str) -> str:  # noqa: FBT001
    known = not math.isnan(probability)
    bar = f'<div style="width:{100 * probability:.1f}%"></div>' if known else ""
    return (
        f'<tr class="{"chosen" if is_chosen else ""}"><th scope="row">{escape(name.replace("Enlarged", "Enl."))} '
        f"{sign_of(label)}</th><td>{bar}</td><td>{f'{probability:.2f}' if known else '–'}</td>"
        f"<td>{decision}</td></tr>"
    )
