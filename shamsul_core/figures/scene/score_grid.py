"""What is known of one radiograph in figures and words: its pathologies by method, and the lesion that experts drew."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import pandas as pd

from shamsul_core.cohort.truth_words import BOX, CONTOUR, TruthWords
from shamsul_core.localisation.baselines import LOCATION, LOCATION_ALONE, MEANINGS
from shamsul_core.statistics.prediction.decisions import RULE_MEANINGS, Thresholds

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence

    from shamsul_core.localisation.segmentation import Mask

NOTHING = "–"
"""Stands where there is no figure."""

_SIDE_SHARE = 0.9
"""A lesion lies on one side where so much of its area does."""

_LABELS = {
    1.0: "labelled positive",
    0.0: "labelled negative",
    -1.0: "labelled uncertain",
    None: "not labelled",
}


LABEL_SIGNS = {1.0: "●", 0.0: "○", -1.0: "◐", None: "·"}
"""How a label is drawn: positive, negative, uncertain, blank; told apart without colour."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A reading: its name, its value as text, and what it means."""

    name: str
    value: str
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class GridCell:
    """One method's score of one pathology.

    Parameters
    ----------
    iou
        ``None`` where there is none.
    text
        As it is read.
    is_hit
        Whether the map's maximum lies inside what the experts marked.
    help
        The score in words, or why there is none.
    """

    iou: float | None
    text: str
    is_hit: bool
    help: str


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """One pathology: the label's sign, whether experts drew it, the prediction, and a cell for each method."""

    pathology: str
    sign: str
    is_marked: bool
    probability: str
    is_predicted: bool
    help: str
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """What experts marked.

    Parameters
    ----------
    regions
        Number of regions that do not touch, or of boxes.
    share
        Of the radiograph's area, 0..1.
    side
        Of the image's midline, as seen on the screen.
    """

    regions: int
    share: float
    side: Literal["left", "right", "both"]


def location_fact(
    yardsticks: pd.DataFrame, image_id: str, pathology: str, truth: TruthWords
) -> Metric | None:
    """Return what a map of where the pathology usually lies would score here; ``None`` where that is not known.

    Parameters
    ----------
    yardsticks
        As `shamsul_core.run.YARDSTICK_COLUMNS`.
    """
    is_it = (
        (yardsticks["image_id"] == image_id)
        & (yardsticks["pathology"] == pathology)
        & (yardsticks["method"] == LOCATION)
    )
    here = yardsticks.loc[is_it, "iou"].dropna()
    if here.empty:
        return None
    return Metric(
        name=LOCATION_ALONE,
        value=f"{truth.score} {here.iloc[0]:.2f}",
        help=f"The {truth.score} here of a map that never saw the radiograph: {MEANINGS[LOCATION]}",
    )


def score_grid(
    pathologies: Sequence[str],
    methods: Mapping[str, str],
    scores: pd.DataFrame,
    probabilities: Mapping[str, float],
    labels: Mapping[str, float | None],
    marked: Collection[str],
    thresholds: Thresholds | None = None,
    truths: Mapping[str, TruthWords] | None = None,
) -> tuple[GridRow, ...]:
    """Return the pathologies of one radiograph by method.

    Parameters
    ----------
    methods
        Title by name, in the order shown.
    scores
        The run's scores of this radiograph; a score that is not there yet is named so.
    marked
        The pathologies that experts drew.
    thresholds
        From which probability on each counts as predicted; the fixed one by default.
    truths
        The words for what experts marked of each; a contour by default.
    """
    thresholds = thresholds or Thresholds()
    truths = truths or {}
    by_cell = scores.set_index(["pathology", "method"]).to_dict("index")
    return tuple(
        _row(
            name,
            [
                _cell(title, by_cell.get((name, method)), truths.get(name, CONTOUR))
                for method, title in methods.items()
            ],
            probabilities.get(name),
            labels.get(name),
            thresholds,
            truths.get(name, CONTOUR) if name in marked else None,
        )
        for name in pathologies
    )


def lesion(mask: Mask) -> Lesion | None:
    """Return what experts marked; ``None`` where they marked nothing.

    >>> lesion(np.array([[1, 0, 0, 0], [1, 0, 0, 0]], bool))
    Lesion(regions=1, share=0.25, side='left')
    """
    area = int(np.count_nonzero(mask))
    if not area:
        return None
    regions, _ = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    width = mask.shape[1]
    columns = np.count_nonzero(mask, axis=0)
    middle = (columns[width // 2] / 2) if width % 2 else 0
    left = (columns[: width // 2].sum() + middle) / area
    side: Literal["left", "right", "both"] = (
        "left" if left >= _SIDE_SHARE else "right" if left <= 1 - _SIDE_SHARE else "both"
    )
    return Lesion(regions=regions - 1, share=area / mask.size, side=side)


def lesion_fact(lesion: Lesion, truth: TruthWords = CONTOUR, *, is_frontal: bool) -> Metric:
    """Return the lesion in words: its regions or boxes, its size and, in a frontal view, its side."""
    noun, plural = (BOX.noun, BOX.plural) if truth is BOX else ("region", "regions")
    regions = f"1 {noun}" if lesion.regions == 1 else f"{lesion.regions} {plural}"
    words = [regions, f"{percent(lesion.share)} of the radiograph"]
    if is_frontal:
        words.append(
            {
                "left": "left of the image's midline (patient's right)",
                "right": "right of the image's midline (patient's left)",
                "both": "on both sides of the image's midline",
            }[lesion.side]
        )
    meaning = f"From the experts' {truth.counterpart}; on one side if at least {_SIDE_SHARE:.0%} of its area is there. The midline is the image's."
    return Metric(name="Lesion", value=", ".join(words), help=meaning)


def prediction_fact(
    pathology: str, probability: float | None, label: float | None, thresholds: Thresholds
) -> Metric:
    """Return the prediction, at which threshold it was decided, the label, and whether they agree."""
    value = "unknown" if _is_missing(probability) else f"{probability:.2f}"
    words = [value, _LABELS[None if _is_missing(label) else label]]
    if probability is not None and not _is_missing(probability):
        is_predicted = thresholds.is_predicted(pathology, probability)
        words.insert(1, thresholds.in_words(pathology, probability))
        if label in (0.0, 1.0):
            words.append("correct" if is_predicted == (label == 1.0) else "incorrect")
    meaning = f"A pathology counts as predicted {RULE_MEANINGS[thresholds.rule]}"
    return Metric(name="Probability", value=", ".join(words), help=meaning)


def sign_of(label: float | None) -> str:
    """Return the sign of a label; NaN is blank too.

    >>> sign_of(1.0), sign_of(float("nan"))
    ('●', '·')
    """
    return LABEL_SIGNS[None if label is None or math.isnan(label) else label]


def percent(share: float) -> str:
    """Return a share with two digits.

    >>> percent(0.0123), percent(0.456), percent(0)
    ('1.2 %', '46 %', '0 %')
    """
    return f"{100 * share:.1f} %" if 0 < share < 0.0995 else f"{100 * share:.0f} %"


def _row(
    pathology: str,
    cells: Sequence[GridCell],
    probability: float | None,
    label: float | None,
    thresholds: Thresholds,
    marked_as: TruthWords | None,
) -> GridRow:
    prediction = prediction_fact(pathology, probability, label, thresholds)
    words = [f"probability {prediction.value}"]
    if marked_as is not None:
        words.append(f"expert {marked_as.marked_as} available")
    return GridRow(
        pathology=pathology,
        sign=sign_of(label),
        is_marked=marked_as is not None,
        probability=NOTHING if probability is None or _is_missing(probability) else f"{probability:.2f}",
        is_predicted=probability is not None and thresholds.is_predicted(pathology, probability),
        help=f"{pathology}: {', '.join(words)}",
        cells=tuple(cells),
    )


def _cell(title: str, score: Mapping[Hashable, Any] | None, truth: TruthWords) -> GridCell:
    if score is None:
        return GridCell(iou=None, text=NOTHING, is_hit=False, help=f"{title}: not scored yet")
    is_hit = score["hit"] == 1
    if _is_missing(score["iou"]):
        reason = f"no {truth.score}" if _is_missing(score["reason"]) else score["reason"]
        return GridCell(iou=None, text=NOTHING, is_hit=is_hit, help=f"{title}: {reason}")
    words = f"{title}: {truth.score} {score['iou']:.2f}" + (
        f", the map's maximum is inside the {truth.noun}" if is_hit else ""
    )
    return GridCell(iou=float(score["iou"]), text=f"{score['iou']:.2f}", is_hit=is_hit, help=words)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value != value  # NaN differs from itself
