"""From a radiograph's heatmaps to rows of the run's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.labels import LOCALISED_PATHOLOGIES
from shamsul_core.metrics.localisation import hit, iou
from shamsul_core.segmentation import resize, segment

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.run import RadiographResult, Run
    from shamsul_core.segmentation import Mask, SegmentationSettings

Row: TypeAlias = "dict[str, Any]"
"""A row of one of the run's tables."""

NO_ANNOTATIONS = "the cohort has no expert annotations"
NO_CONTOUR = "the experts marked nothing"


def score_result(
    run: Run, image_id: str, cohort: Cohort, segmentation: SegmentationSettings
) -> tuple[list[Row], list[Row]]:
    """Segment and score all heatmaps of one radiograph, as they lie on disk.

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
    scores = []
    for pathology in run.manifest.pathologies:
        try:
            expert, nothing = expert_mask(cohort, result, pathology)
        except CohortError as error:
            expert, nothing = None, str(error)
            failures.append(_failure(image_id, "score", str(error), None, pathology))
        for method in run.manifest.methods:
            row = _row(cohort, result, method, pathology)
            heatmap = heatmaps.get((method, pathology))
            if heatmap is None:
                row["reason"] = reasons.get((method, pathology), "there is no heatmap")
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
    """Return threshold, IoU, hit, areas and, where there is no IoU, the reason.

    Parameters
    ----------
    expert
        bool, H × W, or ``None`` where there is none to compare with.
    nothing
        Why the experts marked nothing here.
    """
    resized = None if expert is None or not expert.any() else resize(heatmap.relevance, size)
    segmented = segment(heatmap, size, segmentation, probability=probability, resized=resized)
    return {
        "threshold": segmented.threshold,
        "iou": float("nan") if expert is None else iou(segmented.mask, expert),
        "hit": float("nan") if expert is None or resized is None else hit(resized, expert),
        "mask_area_px": int(np.count_nonzero(segmented.mask)),
        "expert_area_px": float("nan") if expert is None else int(np.count_nonzero(expert)),
        "reason": nothing or segmented.reason,
    }


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
