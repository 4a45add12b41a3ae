"""The chapter on whether the maps can be believed, of a run whose methods were put to the proof."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.localisation.baselines import BASELINES
from shamsul_core.proof.catalogue import COMPARED, FIGURES, TESTS
from shamsul_core.report.chapter import Chapter, Table, Words
from shamsul_core.statistics.proof import Estimate, summarise_proof
from shamsul_core.statistics.proof_words import VERDICTS, headline, interval_of, says_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shamsul_core.report.evidence import Evidence
    from shamsul_core.statistics.proof import MethodProof

_SHOWN = {
    "depends": "Depends on the model",
    "stable": "Stable",
    "faithful": "Faithful",
    "cause": "Finds the cause",
    "reproducible": "Reproducible",
}
_SIGNED = {"faithful", "cause"}


def proof_chapters(evidence: Evidence) -> Iterator[Chapter]:
    """Yield the chapter, where there is a proof."""
    proof = evidence.run.proof
    if proof.empty:
        return
    summary = summarise_proof(proof, list(evidence.titles))
    tested = proof["image_id"].nunique()
    first, rest = headline(summary, evidence.titles)
    words = [Words(f"{first} {rest} Tested on {tested} radiographs drawn by lot.".replace("  ", " "))]
    words += [
        Words(f"{evidence.titles[one.method]}. {' '.join(says_of(one))}")
        for one in summary
        if one.method in evidence.titles and says_of(one)
    ]
    caption = (
        "Each test's figure, its 95 % interval (BCa bootstrap over patients) and what it is held against. Depends: rank correlation "
        "with the map of a network with all layers random, against 1. Stable: rank correlation under small changes, against another "
        "patient's map. Faithful: relevance gain in logits over a map by lot, against location's. Finds the cause: rank correlation of "
        "the density on the finding with the fall of the logit, against location's."
    )
    meanings = [
        Words(f"{TESTS[one.test]} {one.title} ({one.better} is better): {one.definition}. {one.source}.")
        for one in FIGURES
        if one.test in set(proof["test"])
    ]
    table = Table("proof", caption, _frame(summary), _shown(summary, evidence.titles))
    yield Chapter("Can the maps be believed?", (*words, table, *meanings))


def _frame(summary: Sequence[MethodProof]) -> pd.DataFrame:
    rows = []
    for one in summary:
        row: dict[str, object] = {"method": one.method}
        for part in fields(one)[1:]:
            estimate: Estimate = getattr(one, part.name)
            row |= {f"{part.name}_{name.name}": getattr(estimate, name.name) for name in fields(estimate)}
        rows.append(row)
    return pd.DataFrame(rows).set_index("method")


def _shown(summary: Sequence[MethodProof], titles: Mapping[str, str]) -> pd.DataFrame:
    every = {**BASELINES, **COMPARED, **titles}
    rows = []
    for one in summary:
        row = {"Map": every.get(one.method, one.method)}
        for part, title in _SHOWN.items():
            estimate: Estimate = getattr(one, part)
            row[title] = _told(estimate, is_signed=part in _SIGNED)
        rows.append(row)
    return pd.DataFrame(rows)


def _told(estimate: Estimate, *, is_signed: bool) -> str:
    if not estimate.cases:
        return "–"
    against = "" if pd.isna(estimate.against) else f"; against {estimate.against:.2f}"
    figure, between = value_of(estimate, sign=is_signed), interval_of(estimate, sign=is_signed)
    return f"{VERDICTS[estimate.verdict]}: {figure} ({between}){against}, n = {estimate.patients}"
