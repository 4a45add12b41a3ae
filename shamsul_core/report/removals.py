"""The chapter on what the model used, of a cohort that knows its radiographs without their findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.figures.html.summary import intervals, two_digits
from shamsul_core.report.chapter import Chapter, Table, Words
from shamsul_core.run.removal import MOVED_FROM
from shamsul_core.statistics.removals import removals_by_pathology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.report.evidence import Evidence


def removal_chapters(evidence: Evidence) -> Iterator[Chapter]:
    """Yield the chapter, where anything was removed."""
    table = removals_by_pathology(evidence.scores, evidence.run.manifest.pathologies)
    if table.empty:
        return
    used, known = int(table["used"].sum()), int(table["radiographs"].sum())
    words = (
        f"The cohort holds each radiograph also without each of its findings: the same patient, exposure and noise. Where the "
        f"logit falls by less than {MOVED_FROM:g} without a finding, the prediction does not rest on it, and an IoU with its "
        f"contour says nothing about the method. The prediction rests on {used} of {known} findings."
    )
    caption = (
        "How far the logit falls without the finding: mean and 95 % bootstrap interval over patients; on how many radiographs "
        f"by {MOVED_FROM:g} and more; mean IoU over all methods on these, and on the others."
    )
    shown = pd.DataFrame(
        {
            "Pathology": table["pathology"],
            "Radiographs": table["radiographs"],
            "Fall of the logit": table["change"].map(two_digits),
            "95 % interval": intervals(table["low"], table["high"], table["radiographs"]),
            "Used": [f"{row.used} of {row.radiographs}" for row in table.itertuples()],
            "IoU, used": table["iou_used"].map(two_digits),
            "IoU, not used": table["iou_unused"].map(two_digits),
        }
    )
    yield Chapter(
        "What the model used", (Words(words), Table("removals", caption, table.set_index("pathology"), shown))
    )
