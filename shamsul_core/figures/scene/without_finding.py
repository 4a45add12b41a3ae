"""A simulated radiograph without one of its findings: the picture, what changed, and what the model says then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort import CohortError
from shamsul_core.figures.scene.overlay import picture_of
from shamsul_core.figures.scene.scene import WithoutFinding
from shamsul_core.figures.scene.score_grid import Metric
from shamsul_core.localisation.segmentation import outline

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.run.removal import Removal


def without_finding(
    cohort: Cohort, image_id: str, pathology: str, removal: Removal | None
) -> WithoutFinding | None:
    """Return the radiograph without a finding; ``None`` where the cohort does not know it or its file cannot be used."""
    if pathology not in cohort.marked_pathologies:
        return None
    try:
        counterfactual = cohort.counterfactual(image_id, pathology)
    except CohortError:  # stands in the run's failures
        return None
    if counterfactual is None:
        return None
    said = "" if removal is None else f": probability {_text(removal.probability_without)}"
    return WithoutFinding(
        picture=picture_of(counterfactual.pixels),
        changed=outline(counterfactual.changed),
        caption=f"Without {pathology}{said}",
    )


def removal_fact(removal: Removal) -> Metric:
    """Return what the model says without the finding, as it is read above the pictures."""
    before, after = _text(removal.probability), _text(removal.probability_without)
    return Metric(
        name="Without the finding",
        value=f"{before} → {after}" + ("" if removal.was_used else ", not used by the model"),
        help="Predicted probability with the finding, and of the same simulated patient, exposure and noise without it. The "
        f"finding changes the logit by {removal.change:+.2f}",
    )


def unused_remark(removal: Removal | None) -> str | None:
    """Return what must be said beside a score where the prediction does not rest on the finding."""
    if removal is None or removal.was_used:
        return None
    before, after = _text(removal.probability), _text(removal.probability_without)
    return f"The prediction does not rest on this finding: {before} with it, {after} without."


def _text(probability: float) -> str:
    return f"{probability:.2f}"
