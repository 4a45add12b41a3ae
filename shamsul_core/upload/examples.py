"""Radiographs of a run's cohort for readers who have none at hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from shamsul_core.upload.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.cohort import Cohort, Radiograph

COUNT = 3
_TELLING = (
    *("Pneumothorax", "Pleural Effusion", "Cardiomegaly", "Edema", "Consolidation", "Atelectasis"),
    *("Lung Opacity", "Lung Lesion", "Support Devices", "Enlarged Cardiomediastinum"),
)
"""Findings, those that are seen best first."""

_LOOKED_THROUGH = 1000
"""Radiographs of a cohort, which may have hundreds of thousands."""


@dataclass(frozen=True)
class Example:
    """A radiograph to try.

    Parameters
    ----------
    radiograph
        Of the cohort.
    finding
        A pathology that it is labelled with.
    simulated
        Its label if it is simulated.
    """

    radiograph: Radiograph
    finding: str
    simulated: str | None

    @property
    def title(self) -> str:
        """What a reader calls it."""
        return f"Example: {self.finding}"

    def intake(self) -> Intake:
        """Return its picture as if a reader had brought it.

        Raises
        ------
        CohortError
            If it cannot be read.
        """
        return Intake(self.radiograph.pixels(), self.radiograph.view, self.radiograph.projection)


def choose_examples(cohort: Cohort, count: int = COUNT) -> list[Example]:
    """Return frontal radiographs with a finding each, no finding and no radiograph twice.

    Of each finding it is the radiograph with the fewest others, so that it shows that finding.
    """
    frontal = [
        radiograph
        for radiograph in islice(cohort.radiographs.values(), _LOOKED_THROUGH)
        if radiograph.view == "frontal"
    ]
    note = cohort.simulated_note if cohort.is_simulated else None
    chosen: list[Example] = []
    for finding in _TELLING:
        taken = [example.radiograph for example in chosen]
        positive = [
            radiograph
            for radiograph in frontal
            if radiograph.labels.get(finding) == 1.0 and radiograph not in taken
        ]
        if positive and len(chosen) < count:
            chosen.append(Example(_plainest(positive), finding, note))
    return chosen


def _plainest(radiographs: Sequence[Radiograph]) -> Radiograph:
    return min(radiographs, key=lambda radiograph: sum(label == 1.0 for label in radiograph.labels.values()))
