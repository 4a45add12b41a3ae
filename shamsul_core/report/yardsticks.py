"""The chapter on what chance and location would give: what every score after it is to be held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort.truth_words import parts_by_truth
from shamsul_core.figures.html.yardsticks import yardstick_help, yardstick_table
from shamsul_core.localisation.baselines import BASELINES, MEANINGS
from shamsul_core.report.chapter import Block, Chapter, Table, Words
from shamsul_core.statistics.yardstick_words import verdict_in_words
from shamsul_core.statistics.yardsticks import hold_against

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.report.evidence import Evidence


def yardstick_chapter(evidence: Evidence) -> Chapter:
    """Return the chapter; where nothing was measured it says so."""
    return Chapter("What chance and location would give", tuple(_blocks(evidence)))


def _blocks(evidence: Evidence) -> Iterator[Block]:
    measured = evidence.run.yardsticks
    if measured.empty:
        yield Words("What chance and location alone would give has not been measured for this run.")
        return
    baselines = ". ".join(f"{title}: {MEANINGS[name]}" for name, title in BASELINES.items())
    yield Words(f"A score says something only beside what never saw the network. {baselines}.")
    parts = parts_by_truth(evidence.scores)
    for truth, part in parts:
        of_kind = measured[measured["pathology"].isin(part["pathology"])]
        if of_kind.empty:
            continue
        held = hold_against(of_kind, list(evidence.titles))
        yield Words(" ".join(verdict_in_words(held, evidence.titles, truth)))
        helps = yardstick_help(truth)
        caption = "Methods and baselines on the same radiographs. " + " ".join(
            f"{name}: {helps[name]}." for name in ("Less location", "Less other patients'", "Ceiling")
        )
        name = "yardsticks" if len(parts) == 1 else f"yardsticks_{truth.noun}"
        yield Table(name, caption, held.set_index("method"), yardstick_table(held, evidence.titles, truth))
