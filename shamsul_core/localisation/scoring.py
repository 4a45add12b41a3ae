"""From a radiograph's heatmaps to rows of the run's tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.files.lock import alone
from shamsul_core.localisation.overlap import distance_of_maximum, hit, mass_accuracy, overlap
from shamsul_core.localisation.segmentation import (
    PRESETS,
    SegmentationSettings,
    grey_levels,
    resize,
    scale,
    segment,
)
from shamsul_core.localisation.thresholds import count_levels
from shamsul_core.run.ledger import Ledger
from shamsul_core.run.manifest import ALL
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.localisation.segmentation import Mask
    from shamsul_core.run import RadiographResult, Run

Row: TypeAlias = "dict[str, Any]"
"""A row of one of the run's tables."""

Report: TypeAlias = Callable[[str], None]
"""Called after each step with what was done."""

NO_ANNOTATIONS = "there is no contour to compare with"
NO_CONTOUR = "the experts marked nothing"
NOT_ASKED = "neither present nor predicted, so not explained"


def segmentation_of(run: Run) -> SegmentationSettings:
    """Return how the run's masks are made: as its scores say, which may be tuned; before there are any, by its preset."""
    stored = run.segmentation
    if stored is not None:
        return SegmentationSettings.from_json(stored)
    return PRESETS.get(run.manifest.preset, PRESETS["default"])


def score_run(
    run: Run, cohort: Cohort, segmentation: SegmentationSettings, report: Report = lambda _: None
) -> None:
    """Segment and score every heatmap of the run anew, without explaining again.

    The scores on disk stay as they are until all are made, and after an error.

    Raises
    ------
    RunError
        If another engine is at work on the run, or a result cannot be read.
    """
    with alone(run.folder), Ledger.anew(run, segmentation) as ledger:
        for image_id in run.explained_ids():
            ledger.enter(image_id, *score_result(run, image_id, cohort, segmentation))
            report(image_id)


def score_result(
    run: Run,
    image_id: str,
    cohort: Cohort,
    segmentation: SegmentationSettings,
    pathologies: Sequence[str] | None = None,
) -> tuple[list[Row], list[Row]]:
    """Segment and score all heatmaps of one radiograph, as they lie on disk.

    Parameters
    ----------
    pathologies
        Those to score; ``None`` for all of the run.

    Returns
    -------
    tuple
        Rows for the scores, one for each pathology and method of the run, and rows for the failures.

    Raises
    ------
    RunError
        If the result cannot be read.
    """
    result = run.read(image_id)
    failures = [
        _failure(image_id, "explain", reason, method, name) for method, name, reason in result.failures
    ]
    reasons = {(method, pathology): reason for method, pathology, reason in result.failures}
    heatmaps = {(one.method, one.pathology): one for one in result.heatmaps}
    absent = "there is no heatmap" if run.manifest.explained == ALL else NOT_ASKED
    scores = []
    for pathology in run.manifest.pathologies if pathologies is None else pathologies:
        try:
            expert, nothing = expert_mask(cohort, result, pathology)
        except CohortError as error:
            expert, nothing = None, str(error)
            failures.append(_failure(image_id, "score", str(error), None, pathology))
        for method in run.manifest.methods:
            row = _row(cohort, result, method, pathology)
            heatmap = heatmaps.get((method, pathology))
            if heatmap is None:
                row["reason"] = reasons.get((method, pathology), absent)
            else:
                row |= _sampling(heatmap)
                try:
                    row |= score_heatmap(
                        heatmap, result.size, segmentation, row["probability"], expert, nothing
                    )
                except ValueError as error:  # a map that is no map, such as one imported with NaN
                    row["reason"] = str(error)
                    failures.append(_failure(image_id, "score", str(error), method, pathology))
            scores.append(row)
    return scores, failures


def score_heatmap(
    heatmap: Heatmap,
    size: tuple[int, int],
    segmentation: SegmentationSettings,
    probability: float | None,
    expert: Mask | None,
    nothing: str | None = None,
) -> Row:
    """Return threshold, areas, every score and, where there is no IoU, the reason.

    Parameters
    ----------
    expert
        bool, H × W, or ``None`` where there is none to compare with.
    nothing
        Why the experts marked nothing here.
    """
    full = resize(heatmap.relevance, size)
    scaled = None if heatmap.is_mask else scale(heatmap, size, segmentation.sign, resized=full)
    segmented = segment(heatmap, size, segmentation, probability=probability, scaled=scaled)
    row: Row = {
        "threshold": segmented.threshold,
        "mask_area_px": int(np.count_nonzero(segmented.mask)),
        "reason": nothing or segmented.reason,
    }
    if expert is None:
        return row
    found = overlap(segmented.mask, expert)
    row |= {name: getattr(found, name) for name in ("iou", "dice", "precision", "recall", "specificity")}
    row["expert_area_px"] = found.both + found.only_expert
    if heatmap.is_mask:  # it has neither a maximum nor thresholds
        return row
    if row["expert_area_px"]:
        row["hit"] = hit(full, expert)
        row["distance"] = distance_of_maximum(full, expert)
        row["mass_accuracy"] = mass_accuracy(full, expert)
    if row["expert_area_px"] and scaled is not None and not isinstance(scaled, str):
        counts = count_levels(grey_levels(scaled), expert)
        row["best_iou"], row["best_threshold"] = counts.best_iou
        row["average_precision"] = counts.average_precision
        row["rank_accuracy"] = counts.rank_accuracy
    return row


def expert_mask(cohort: Cohort, result: RadiographResult, pathology: str) -> tuple[Mask | None, str | None]:
    """Return the experts' mask and, where there is nothing to compare with, why.

    Raises
    ------
    CohortError
        If what the experts' file has cannot be used, or is of another size than the radiograph.
    """
    annotation = cohort.annotation(result.image_id, pathology) if pathology in LOCALISED_PATHOLOGIES else None
    if annotation is None:
        return None, NO_ANNOTATIONS
    if tuple(annotation.size) != tuple(result.size):
        message = f"the expert's mask is {annotation.size} pixels, the radiograph {result.size}"
        raise CohortError(message, subject=f"{result.image_id} {pathology}")
    if annotation.is_empty:
        return np.zeros(result.size, bool), NO_CONTOUR
    return annotation.mask(), None


def _row(cohort: Cohort, result: RadiographResult, method: str, pathology: str) -> Row:
    radiograph = cohort.radiographs.get(result.image_id)
    return {
        "image_id": result.image_id,
        "pathology": pathology,
        "method": method,
        "label": None if radiograph is None else radiograph.labels.get(pathology),
        "probability": result.probabilities.get(pathology),
    }


def _sampling(heatmap: Heatmap) -> Row:
    error = heatmap.standard_error
    return {
        "converged": heatmap.converged,
        "standard_error": None if error is None else float(np.sqrt(np.mean(np.square(error)))),
        "evaluations": heatmap.evaluations,
    }


def _failure(image_id: str, step: str, error: str, method: str | None, pathology: str | None) -> Row:
    return {"image_id": image_id, "step": step, "method": method, "pathology": pathology, "error": error}
