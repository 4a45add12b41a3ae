"""A chosen case with what there is to see of it, for cards, figures and slides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.scene import EXPERT
from shamsul_core.localisation.baselines import LOCATION_ALONE
from shamsul_core.run.wording import sentence

if TYPE_CHECKING:
    from shamsul_core.cases.selection import ChosenCase
    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.scene.scene import Panel, Scene
    from shamsul_core.run.reader import RunReader


@dataclass(frozen=True, kw_only=True, eq=False)
class IllustratedCase:
    """A chosen case.

    Parameters
    ----------
    scene
        What there is to see.
    reason
        Why it was chosen, in words.
    probability
        Predicted for the scene's pathology; ``None`` where it is not known.
    methods
        The methods it was chosen for, none where it was not chosen for one.
    """

    scene: Scene
    reason: str
    probability: float | None = None
    methods: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Why it was chosen, and for which methods."""
        titles = [panel.title for panel in self.scene.panels if panel.key in self.methods]
        return sentence(": ".join(filter(None, (", ".join(titles), self.reason))))

    @property
    def location(self) -> str:
        """What location alone scores here, in words; empty where that is not known."""
        return next(
            (f"{fact.name}: {fact.value}" for fact in self.scene.facts if fact.name == LOCATION_ALONE), ""
        )

    @property
    def prediction(self) -> str:
        """The predicted probability in words."""
        return (
            "Not predicted" if self.probability is None else f"Predicted probability {self.probability:.2f}"
        )


def make_case(
    run: RunReader,
    cohort: Cohort,
    scores: pd.DataFrame,
    chosen: ChosenCase,
    *,
    longest_px: int,
    yardsticks: pd.DataFrame | None = None,
) -> IllustratedCase:
    """Return a chosen case with what there is to see of it, at most so large; `yardsticks` as in `comparison_scene`.

    Raises
    ------
    CohortError
        If the radiograph cannot be read.
    RunError
        If its result cannot be read.
    """
    scene = comparison_scene(
        run, cohort, chosen.image_id, chosen.pathology, scores, longest_px=longest_px, yardsticks=yardsticks
    )
    here = scores[(scores["image_id"] == chosen.image_id) & (scores["pathology"] == chosen.pathology)]
    probability = here["probability"].max()
    return IllustratedCase(
        scene=scene,
        reason=chosen.reason,
        probability=None if pd.isna(probability) else float(probability),
        methods=() if chosen.method is None else (chosen.method,),
    )


def panel_caption(scene: Scene, panel: Panel) -> str:
    """Return a panel's title and IoU, or why there is none."""
    if panel.key == EXPERT:
        return sentence(scene.own_mark) if scene.expert_outlines else panel.title
    score = scene.truth.score
    iou = next((metric.value for metric in panel.metrics if metric.name == sentence(score)), None)
    if panel.message is not None:
        return f"{panel.title}: {panel.message}"
    return f"{panel.title}, {score} {iou}" if iou and iou[0].isdigit() else panel.title
