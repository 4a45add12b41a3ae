"""Scores made anew from the heatmaps on disk, without explaining again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.files.lock import locked
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.run import RunError
from shamsul_core.run.ledger import Ledger
from shamsul_core.run.scoring import score_result

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.localisation.segmentation import SegmentationSettings
    from shamsul_core.run import Run


def score_run(
    run: Run, cohort: Cohort, segmentation: SegmentationSettings, on_step: OnStep = say_nothing
) -> None:
    """Segment and score every heatmap of the run anew, without explaining again.

    The scores on disk stay as they are until all are made, and after an error.

    Parameters
    ----------
    segmentation
        How heatmaps become masks from now on.
    on_step
        Called after each radiograph with its id; by default nothing is.

    Raises
    ------
    RunError
        If another engine is at work on the run, or a result cannot be read.
    """
    with locked(run.folder, "run", RunError), Ledger.anew(run, segmentation) as ledger:
        for image_id in run.explained_ids():
            ledger.enter(image_id, *score_result(run, image_id, cohort, segmentation))
            on_step(image_id)
