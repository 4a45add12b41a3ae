"""What a heatmap scores against what experts marked: its mask, the areas, and the measures that the kind of truth allows.

Against contours every measure of overlap; against boxes, which hold what is healthy too, hit, distance, mass accuracy
and the overlap of bounding boxes, never a mask's IoU; against points hit and distance. Of several annotators each is
scored alone, and the scores of those who marked anything are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.annotation import OUTLINED
from shamsul_core.cohort.truth_words import words_of_cohort
from shamsul_core.imaging.boxes import NO_BOXES
from shamsul_core.localisation.boxes import best_of_each, boxes_around, iobb, iou_of_boxes
from shamsul_core.localisation.overlap import distance_of_maximum, hit, mass_accuracy, overlap
from shamsul_core.localisation.sampling import sample_masks
from shamsul_core.localisation.segmentation import grey_levels, resize, scale, segment
from shamsul_core.localisation.thresholds import count_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.cohort import Annotation, Cohort
    from shamsul_core.cohort.annotation import Kind
    from shamsul_core.heatmap import FloatArray, Heatmap
    from shamsul_core.imaging.boxes import BoxArray
    from shamsul_core.localisation.segmentation import Mask, Segmentation, SegmentationSettings

NOTHING_MARKED = "the experts marked nothing"


@dataclass(frozen=True, eq=False)
class Truth:
    """What one annotator marked of one pathology, as heatmaps are scored against it.

    Parameters
    ----------
    mask
        bool, H × W of the radiograph; of boxes filled.
    boxes
        float64, n × 4, where it is boxes; else none.
    kind
        As what it was marked.
    """

    mask: Mask
    boxes: BoxArray
    kind: Kind


def score_heatmap(
    heatmap: Heatmap,
    size: tuple[int, int],
    segmentation: SegmentationSettings,
    probability: float | None,
    truths: Sequence[Truth],
    nothing: str | None = None,
) -> dict[str, Any]:
    """Return threshold, areas, every score and, where there is no IoU, the reason.

    Parameters
    ----------
    size
        The radiograph's height and width in pixels, at which is scored.
    probability
        The classifier's, 0..1, of the heatmap's pathology; ``None`` where it is not known.
    truths
        One an annotator, all of one kind, see `expert_truths`; none where there is nothing to compare with.
    nothing
        Why the experts marked nothing here.

    Returns
    -------
    dict
        ``truth`` is the kind. Of boxes ``iou`` is that of bounding boxes, and ``iobb`` beside it: of each of the experts'
        boxes with the nearest of those around the mask's regions, on average.
    """
    full = resize(heatmap.relevance, size)
    scaled = None if heatmap.is_mask else scale(heatmap, size, segmentation.sign, resized=full)
    segmented = segment(heatmap, size, segmentation, probability=probability, scaled=scaled)
    row: dict[str, Any] = {
        "threshold": segmented.threshold,
        "mask_area_px": int(np.count_nonzero(segmented.mask)),
        "reason": nothing or segmented.reason,
    }
    outlined = [truth.mask for truth in truths if truth.kind in OUTLINED]
    sampled = sample_masks(heatmap, segmentation, outlined)
    if sampled is not None:
        row["stability"] = sampled.stability
    if not truths:
        return row
    row["truth"] = truths[0].kind
    # A mask has neither a maximum nor thresholds
    relevance = None if heatmap.is_mask else full
    levels = None if heatmap.is_mask or isinstance(scaled, str) else scaled
    row |= _mean([_scores(truth, segmented, relevance, levels) for truth in _marked(truths)])
    if sampled is not None and outlined:
        row["iou_low"], row["iou_high"] = np.clip(
            [row["iou"] + sampled.iou_low, row["iou"] + sampled.iou_high], 0, 1
        )
    return row


def score_readers(annotations: Sequence[Annotation]) -> dict[str, float] | None:
    """Return how far several annotators agree on one radiograph and pathology: each is left out and scored as a method is.

    Parameters
    ----------
    annotations
        One an annotator, all of one kind.

    Returns
    -------
    dict or None
        ``iou`` and ``hit`` of each who marked anything with each other who did, averaged; NaN where the kind allows none.
        Of boxes ``iou`` is that of the annotator's own boxes, in the place of those around a mask's regions, and ``hit`` the
        share of them whose centre lies inside the other's. Whoever draws contours points at no place, and points have no
        area. ``None`` where fewer than two marked anything.

    Raises
    ------
    CohortError
        An encoding is malformed.
    """
    # Boxes need not be filled to know that they are there
    marked = [one for one in annotations if len(one.boxes) or not one.is_empty]
    if len(marked) < 2:
        return None
    return _mean(
        [_mean([_agreement(reader, other) for other in marked if other is not reader]) for reader in marked]
    )


def expert_truths(
    cohort: Cohort, image_id: str, size: tuple[int, int], pathology: str
) -> tuple[tuple[Truth, ...], str | None]:
    """Return what each annotator marked and, where there is nothing to compare with, why.

    Parameters
    ----------
    size
        Of the radiograph when it was explained: height and width.

    Raises
    ------
    CohortError
        If what the experts' file has cannot be used, or is of another size than the radiograph.
    """
    annotations = cohort.annotations(image_id, pathology) if pathology in cohort.marked_pathologies else ()
    if not annotations:
        return (), f"there is no {words_of_cohort(cohort).noun} to compare with"
    truths = tuple(_truth(annotation, size) for annotation in annotations)
    return truths, None if any(truth.mask.any() for truth in truths) else NOTHING_MARKED


def expert_mask(
    cohort: Cohort, image_id: str, size: tuple[int, int], pathology: str
) -> tuple[Mask | None, str | None]:
    """Return the mask of what any of the experts marked and, where there is nothing to compare with, why.

    Parameters
    ----------
    size
        As for `expert_truths`, which raises the same.
    """
    truths, nothing = expert_truths(cohort, image_id, size, pathology)
    return np.logical_or.reduce([truth.mask for truth in truths]) if truths else None, nothing


def _truth(annotation: Annotation, size: tuple[int, int]) -> Truth:
    if tuple(annotation.size) != tuple(size):
        message = f"the expert's mask is {annotation.size} pixels, the radiograph {size}"
        raise CohortError(message, subject=f"{annotation.image_id} {annotation.pathology}")
    if annotation.is_empty:
        return Truth(np.zeros(size, bool), NO_BOXES, annotation.kind)
    return Truth(annotation.mask(), annotation.boxes, annotation.kind)


def _marked(truths: Sequence[Truth]) -> Sequence[Truth]:
    """Return those who marked anything; one who did not where nobody did."""
    return [truth for truth in truths if truth.mask.any()] or truths[:1]


def _scores(
    truth: Truth, segmented: Segmentation, relevance: FloatArray | None, scaled: FloatArray | None
) -> dict[str, Any]:
    counts = overlap(segmented.mask, truth.mask)
    area = counts.both + counts.only_expert
    row: dict[str, Any] = {"expert_area_px": area}
    if truth.kind in OUTLINED:
        row |= {name: getattr(counts, name) for name in ("iou", "dice", "precision", "recall", "specificity")}
    elif truth.kind == "box":
        row |= _box_scores(boxes_around(segmented.mask), truth.boxes)
    if relevance is None or not area:
        return row
    row["hit"] = hit(relevance, truth.mask)
    row["distance"] = distance_of_maximum(relevance, truth.mask)
    if truth.kind != "point":
        row["mass_accuracy"] = mass_accuracy(relevance, truth.mask)
    if truth.kind in OUTLINED and scaled is not None:
        levels = count_levels(grey_levels(scaled), truth.mask)
        row["best_iou"], row["best_threshold"] = levels.best_iou
        row["average_precision"] = levels.average_precision
        row["rank_accuracy"] = levels.rank_accuracy
    return row


def _agreement(reader: Annotation, other: Annotation) -> dict[str, float]:
    """Return IoU and hit of one annotator's marks with another's, see `score_readers`."""
    if reader.kind in OUTLINED:
        return {"iou": overlap(reader.mask(), other.mask()).iou, "hit": float("nan")}
    if reader.kind != "box":
        return {"iou": float("nan"), "hit": float("nan")}
    iou = _box_scores(reader.boxes, other.boxes)["iou"]
    centres = (reader.boxes[:, :2] + reader.boxes[:, 2:]) / 2
    inside = (other.boxes[:, None, :2] <= centres) & (centres < other.boxes[:, None, 2:])
    return {"iou": iou, "hit": float(inside.all(axis=2).any(axis=0).mean())}


def _box_scores(detected: BoxArray, marked: BoxArray) -> dict[str, float]:
    """Return IoU and IoBB of bounding boxes, NaN where either side has none, as of masks."""
    if not len(detected) or not len(marked):
        return {"iou": float("nan"), "iobb": float("nan")}
    return {
        "iou": float(best_of_each(iou_of_boxes(detected, marked)).mean()),
        "iobb": float(best_of_each(iobb(detected, marked)).mean()),
    }


def _mean(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the average of several annotators' scores, over those who have one; of one annotator the very scores."""
    if len(rows) == 1:
        return rows[0]
    values = {name: [row[name] for row in rows if not np.isnan(row[name])] for name in rows[0]}
    return {name: float(np.mean(known)) if known else float("nan") for name, known in values.items()}
