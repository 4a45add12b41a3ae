"""What the tests say of each method: one table at first glance, which on a narrow screen stands as cards."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.figures.colours import ACCENT, FAINT, LINE, MUTED, SECOND, TEXT
from shamsul_core.localisation.baselines import BASELINES, LOCATION
from shamsul_core.proof.catalogue import COMPARED
from shamsul_core.statistics.proof import Estimate
from shamsul_core.statistics.proof_words import (
    VERDICTS,
    interval_of,
    is_model_free,
    patients_of,
    questions,
    unsigned,
    value_of,
)
from shamsul_core.statistics.yardstick_words import signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from shamsul_core.statistics.proof import MethodProof, Verdict

_STYLE = f"""<style>
.proof {{ font-size: 0.88rem; font-variant-numeric: tabular-nums; overflow-x: auto; }}
.proof table {{ border-collapse: collapse; width: 100%; }}
.proof :is(th, td) {{ border: 0; padding: 0.45rem 1rem 0.45rem 0; text-align: left; vertical-align: top; font-weight: 400; }}
.proof thead th {{ color: {MUTED}; box-shadow: inset 0 -1px {LINE}; cursor: help; text-decoration: underline dotted {FAINT}; text-underline-offset: 0.25em; }}
.proof thead th:first-child {{ cursor: auto; text-decoration: none; }}
.proof tbody tr {{ border-top: 1px solid #1c2023; }}
.proof tbody th {{ color: {TEXT}; font-weight: 600; }}
.proof tbody tr.free th {{ font-weight: 400; color: {MUTED}; }}
.proof b {{ display: block; font-weight: 600; color: {TEXT}; }}
.proof b.yes {{ color: {ACCENT}; }}
.proof b.no {{ color: {SECOND}; }}
.proof span {{ display: block; color: {MUTED}; }}
@media (max-width: 800px) {{
  .proof thead {{ display: none; }}
  .proof tbody tr {{ display: block; padding: 0.6rem 0; }}
  .proof tbody :is(th, td) {{ display: grid; grid-template-columns: 9.5rem 1fr; padding: 0.25rem 0; }}
  .proof tbody th {{ font-size: 1rem; display: block; }}
  .proof td::before {{ content: attr(data-question); color: {MUTED}; grid-row: span 4; }}
}}
</style>"""


def proof_table(proofs: Sequence[MethodProof], held: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Return the table as HTML: methods in rows, then the maps that they are held against; every word of it is escaped.

    Parameters
    ----------
    proofs
        As `shamsul_core.statistics.proof.summarise_proof` returns them.
    held
        As `shamsul_core.statistics.yardsticks.hold_against` returns it, for the first column.
    titles
        Of the run's methods.
    """
    asked = questions()
    if not any(proof.reproducible.cases for proof in proofs):
        asked.pop("Reproducible?")
    if not any(proof.cause.cases for proof in proofs):
        asked.pop("Finds the cause?")
    head = "".join(
        f'<th scope="col" title="{escape(meaning)}">{escape(question)}</th>'
        for question, meaning in asked.items()
    )
    rows = "".join(_row(proof, held, titles, list(asked)) for proof in proofs)
    return (
        f'{_STYLE}<div class="proof" role="region" tabindex="0" aria-label="What the tests say of each method">'
        f'<table><thead><tr><th scope="col">Map</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(proof: MethodProof, held: pd.DataFrame, titles: Mapping[str, str], asked: Sequence[str]) -> str:
    title = {**BASELINES, **COMPARED, **titles}.get(proof.method, proof.method)
    cells = {
        "Beats location?": _located(proof.method, held),
        "Depends on the model?": _depends(proof),
        "Stable?": _stable(proof),
        "Faithful?": _cell(
            proof.faithful,
            f"{value_of(proof.faithful, sign=True)} logits over lot",
            None if np.isnan(proof.faithful.against) else f"location {signed(proof.faithful.against)}",
            is_signed=True,
        ),
        "Finds the cause?": _cause(proof),
        "Reproducible?": _cell(proof.reproducible, f"keeps {value_of(proof.reproducible)}"),
    }
    kind = ' class="free"' if proof.method not in titles else ""
    return (
        f'<tr{kind}><th scope="row">{escape(title)}</th>'
        + "".join(f'<td data-question="{escape(question)}">{cells[question]}</td>' for question in asked)
        + "</tr>"
    )


def _located(method: str, held: pd.DataFrame) -> str:
    rows = held[held["method"] == method]
    if method == LOCATION or rows.empty or np.isnan(rows["over_location_mean"].iloc[0]):
        return "–"
    row = rows.iloc[0]
    low, high = float(row["over_location_low"]), float(row["over_location_high"])
    verdict: Verdict = "too few" if np.isnan(low) else "yes" if low > 0 else "no" if high <= 0 else "unclear"
    estimate = Estimate(
        value=float(row["over_location_mean"]),
        low=low,
        high=high,
        cases=1,
        patients=int(row["patients"]),
        verdict=verdict,
    )
    of = held.loc[held["method"] == LOCATION, "iou"]
    against = (
        f"IoU {unsigned(float(row['iou']))}, location {unsigned(float(of.iloc[0]))}" if len(of) else None
    )
    return _cell(estimate, f"{value_of(estimate, sign=True)} IoU over location", against, is_signed=True)


def _depends(proof: MethodProof) -> str:
    if is_model_free(proof.method) and proof.depends.cases:
        return _cell(proof.depends, f"keeps {value_of(proof.depends)}", "never saw the model")
    output = proof.output_layer
    return _cell(
        proof.depends,
        f"keeps {value_of(proof.depends)} of 1",
        f"output layer alone: {value_of(output)}" if output.cases else None,
    )


def _stable(proof: MethodProof) -> str:
    stable = proof.stable
    if stable.cases and proof.depends.verdict == "no":
        return f"<b>does not count</b><span>keeps {value_of(stable)}, but not of the model</span>"
    another = None if np.isnan(stable.against) else f"another patient's map: {unsigned(stable.against)}"
    return _cell(stable, f"keeps {value_of(stable)}", another)


def _cause(proof: MethodProof) -> str:
    dense = proof.density
    against = [] if np.isnan(proof.cause.against) else [f"location {signed(proof.cause.against)}"]
    against += [f"density {unsigned(dense.value)}, chance 1"] if dense.cases else []
    return _cell(
        proof.cause,
        f"rank correlation {value_of(proof.cause, sign=True)}",
        "; ".join(against) or None,
        is_signed=True,
    )


def _cell(estimate: Estimate, figure: str, against: str | None = None, *, is_signed: bool = False) -> str:
    if not estimate.cases:
        return "–"
    verdict = VERDICTS[estimate.verdict]
    kind = f' class="{estimate.verdict}"' if estimate.verdict in {"yes", "no"} else ""
    between = interval_of(estimate, sign=is_signed)
    lines = [figure, f"{between} · {patients_of(estimate)}", *filter(None, [against])]
    return f"<b{kind}>{escape(verdict)}</b>" + "".join(f"<span>{escape(line)}</span>" for line in lines)
