"""What a heatmap scores against what experts marked: its mask, the areas, and every measure of overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.localisation.overlap import distance_of_maximum, hit, mass_accuracy, overlap
from shamsul_core.localisation.segmentation import grey_levels, resize, scale, segment
from shamsul_core.localisation.thresholds import count_levels
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.localisation.segmentation import Mask, SegmentationSettings

NO_ANNOTATIONS = "there is no contour to compare with"
NO_CONTOUR = "the experts marked nothing"


def score_heatmap(
    heatmap: Heatmap,
    size: tuple[int, int],
    segmentation: SegmentationSettings,
    probability: float | None,
    expert: Mask | None,
    nothing: str | None = None,
) -> dict[str, Any]:
    """Return threshold, areas, every score and, where there is no IoU, the reason.

    Parameters
    ----------
    size
        The radiograph's height and width in pixels, at which is scored.
    probability
        The classifier's, 0..1, of the heatmap's pathology; ``None`` where it is not known.
    expert
        bool, H × W, or ``None`` where there is none to compare with.
    nothing
        Why the experts marked nothing here.
    """
    full = resize(heatmap.relevance, size)
    scaled = None if heatmap.is_mask else scale(heatmap, size, segmentation.sign, resized=full)
    segmented = segment(heatmap, size, segmentation, probability=probability, scaled=scaled)
    row: dict[str, Any] = {
        "threshold": segmented.threshold,
        "mask_area_px": int(np.count_nonzero(segmented.mask)),
        "reason": nothing or segmented.reason,
    }
    if expert is None:
        return row
    counts = overlap(segmented.mask, expert)
    row |= {name: getattr(counts, name) for name in ("iou", "dice", "precision", "recall", "specificity")}
    row["expert_area_px"] = counts.both + counts.only_expert
    # A mask has neither a maximum nor thresholds
    if heatmap.is_mask:
        return row
    if row["expert_area_px"]:
        row["hit"] = hit(full, expert)
        row["distance"] = distance_of_maximum(full, expert)
        row["mass_accuracy"] = mass_accuracy(full, expert)
    if row["expert_area_px"] and scaled is not None and not isinstance(scaled, str):
        levels = count_levels(grey_levels(scaled), expert)
        row["best_iou"], row["best_threshold"] = levels.best_iou
        row["average_precision"] = levels.average_precision
        row["rank_accuracy"] = levels.rank_accuracy
    return row


def expert_mask(
    cohort: Cohort, image_id: str, size: tuple[int, int], pathology: str
) -> tuple[Mask | None, str | None]:
    """Return the experts' mask and, where there is nothing to compare with, why.

    Parameters
    ----------
    size
        Of the radiograph when it was explained: height and width.

    Raises
    ------
    CohortError
        If what the experts' file has cannot be used, or is of another size than the radiograph.
    """
    annotation = cohort.annotation(image_id, pathology) if pathology in LOCALISED_PATHOLOGIES else None
    if annotation is None:
        return None, NO_ANNOTATIONS
    if tuple(annotation.size) != tuple(size):
        message = f"the expert's mask is {annotation.size} pixels, the radiograph {size}"
        raise CohortError(message, subject=f"{image_id} {pathology}")
    if annotation.is_empty:
        return np.zeros(size, bool), NO_CONTOUR
    return annotation.mask(), None
