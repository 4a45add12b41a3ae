"""What the chapters on localisation are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shamsul_core.cohort.truth_words import BOX
from shamsul_core.statistics import paper
from shamsul_core.statistics.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.cohort.truth_words import TruthWords
    from shamsul_core.run import Run


_OF_CONTOURS = {
    "iou": ("IoU", "intersection over union of the method's and the experts' mask (Jaccard index)"),
    "dice": ("Dice", "twice the intersection divided by the sum of both areas (Dice 1945)"),
    "precision": ("Precision", "share of the method's mask inside the experts'"),
    "recall": ("Recall", "share of the experts' mask inside the method's"),
    "specificity": (
        "Specificity",
        "share of the area outside the experts' mask that the method leaves out too",
    ),
    "average_precision": ("Average precision", "precision averaged over recall as the threshold is lowered"),
    "mass_accuracy": (
        "Relevance mass",
        "share of the positive relevance inside the experts' mask (Arras, Osman and Samek 2022)",
    ),
    "rank_accuracy": (
        "Relevance rank",
        "share of the k highest pixels inside the experts' mask, k being its number of pixels (Arras, Osman and Samek 2022)",
    ),
    "distance": (
        "Distance",
        "from the map's maximum to the experts' mask, divided by the radiograph's diagonal; lower is better",
    ),
    "best_iou": (
        "Best IoU",
        "the highest IoU that any threshold gives for a map: what the method could reach",
    ),
    "hit": ("Hit rate", "share of maps whose maximum lies inside the experts' mask (pointing game)"),
}
_OF_BOXES = {
    "iou": (
        "Box IoU",
        "intersection over union of each of the experts' boxes with the nearest of the bounding boxes around the regions of "
        "the method's mask (Wang et al. 2017)",
    ),
    "iobb": (
        "IoBB",
        "the same intersection over the area of the method's bounding box alone (Wang et al. 2017)",
    ),
    "mass_accuracy": (
        "Relevance mass",
        "share of the positive relevance inside the experts' boxes (Arras, Osman and Samek 2022)",
    ),
    "distance": (
        "Distance",
        "from the map's maximum to the experts' boxes, divided by the radiograph's diagonal; lower is better",
    ),
    "hit": ("Hit rate", "share of maps whose maximum lies inside the experts' boxes (pointing game)"),
}


def score_meanings(truth: TruthWords) -> Mapping[str, tuple[str, str]]:
    """Return the scores' columns that a kind of truth allows, their titles and definitions."""
    return _OF_BOXES if truth is BOX else _OF_CONTOURS


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the chapters on localisation are made from; made once."""

    run: Run
    cohort: Cohort

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The run's scores."""
        return self.run.scores

    @cached_property
    def summary(self) -> pd.DataFrame:
        """See `shamsul_core.statistics.summary.summarise`."""
        return summarise(
            self.scores,
            self.run.manifest.pathologies,
            list(self.titles),
            is_paper_cohort=self.why_not_paper is None,
        )

    @cached_property
    def why_not_paper(self) -> str | None:
        """See `shamsul_core.statistics.paper.why_not_comparable`."""
        return paper.why_not_comparable(self.cohort)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """Of the methods."""
        return self.run.manifest.titles


def shown_pathologies(run: Run) -> list[str]:
    """Return the two pathologies whose cases are shown: the paper's, or the run's first two."""
    there = [name for name in paper.SHOWN if name in run.manifest.pathologies]
    return there if len(there) == len(paper.SHOWN) else list(run.manifest.pathologies[:2])
