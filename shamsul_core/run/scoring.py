"""The scores of one radiograph's result, as rows of the run's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.localisation.scoring import expert_truths, score_heatmap
from shamsul_core.localisation.segmentation import PRESETS, SegmentationSettings
from shamsul_core.run.manifest import ALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.run.reader import RunReader
    from shamsul_core.run.result import RadiographResult
    from shamsul_core.run.tables import TableRow

NOT_ASKED = "neither present nor predicted, so not explained"


def segmentation_of(run: RunReader) -> SegmentationSettings:
    """Return how the run's masks are made: as its scores say, which may be tuned; before there are any, by its preset."""
    stored = run.segmentation
    if stored is not None:
        return SegmentationSettings.from_json(stored)
    return PRESETS.get(run.manifest.preset, PRESETS["default"])


def score_result(
    run: RunReader,
    image_id: str,
    cohort: Cohort,
    segmentation: SegmentationSettings,
    pathologies: Sequence[str] | None = None,
) -> tuple[list[TableRow], list[TableRow]]:
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
    heatmaps = {(heatmap.method, heatmap.pathology): heatmap for heatmap in result.heatmaps}
    absent = "there is no heatmap" if run.manifest.explained == ALL else NOT_ASKED
    scores = []
    for pathology in run.manifest.pathologies if pathologies is None else pathologies:
        try:
            truths, nothing = expert_truths(cohort, image_id, result.size, pathology)
        except CohortError as error:
            truths, nothing = (), str(error)
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
                        heatmap, result.size, segmentation, row["probability"], truths, nothing
                    )
                except ValueError as error:  # a map that is no map, such as one imported with NaN
                    row["reason"] = str(error)
                    failures.append(_failure(image_id, "score", str(error), method, pathology))
            scores.append(row)
    return scores, failures


def _row(cohort: Cohort, result: RadiographResult, method: str, pathology: str) -> TableRow:
    radiograph = cohort.radiographs.get(result.image_id)
    removal = result.removals.get(pathology)
    return {
        "image_id": result.image_id,
        "pathology": pathology,
        "method": method,
        "label": None if radiograph is None else radiograph.labels.get(pathology),
        "probability": result.probabilities.get(pathology),
        "probability_without": None if removal is None else removal.probability_without,
        "logit_change": None if removal is None else removal.change,
    }


def _sampling(heatmap: Heatmap) -> TableRow:
    error = heatmap.standard_error
    return {
        "converged": heatmap.converged,
        "standard_error": None if error is None else float(np.sqrt(np.mean(np.square(error)))),
        "evaluations": heatmap.evaluations,
    }


def _failure(image_id: str, step: str, error: str, method: str | None, pathology: str | None) -> TableRow:
    return {"image_id": image_id, "step": step, "method": method, "pathology": pathology, "error": error}
