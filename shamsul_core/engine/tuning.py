"""Thresholds and probability cutoffs of best mean IoU, tuned as CheXlocalize's scripts tune them.

Of a run's heatmaps each is read and resized once; its IoU at all thresholds is counted from there.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.annotation import OUTLINED
from shamsul_core.localisation.overlap import full_slice
from shamsul_core.localisation.scoring import expert_mask
from shamsul_core.localisation.segmentation import PRESETS, grey_levels, scale
from shamsul_core.localisation.thresholds import LEVEL_THRESHOLDS, count_levels, count_thresholds
from shamsul_core.progress import OnStep, say_nothing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import FloatArray
    from shamsul_core.localisation.segmentation import Mask, Sign
    from shamsul_core.localisation.thresholds import RatioArray
    from shamsul_core.run import RadiographResult, Run

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Of the map scaled to 0..1, as ``tune_heatmap_threshold.py`` tries them."""

CUTOFFS = tuple(np.arange(0, 0.9, 0.1).tolist())
"""Of the predicted probability, as ``tune_probability_threshold.py`` tries them, to the bit."""

NOT_AT_NOUGHT = "Lung Lesion"
"""Tried from the second cutoff on, as there: the validation set has one contour of it."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """What one method's heatmaps of one pathology score at each threshold.

    Parameters
    ----------
    thresholds
        float32, (n,), rising, of the map scaled to 0..1.
    ious
        float64, (m, n), one row for each heatmap that experts marked something for; NaN where the mask is empty.
    """

    thresholds: FloatArray
    ious: RatioArray

    @property
    def mean_iou(self) -> RatioArray:
        """Mean over the masks that are not empty, float64, (n,); NaN where all are."""
        counted = ~np.isnan(self.ious)
        mean = np.full(len(self.thresholds), np.nan)
        np.divide(np.nansum(self.ious, axis=0), counted.sum(axis=0), out=mean, where=counted.any(axis=0))
        return mean

    @property
    def threshold(self) -> float:
        """The first of best mean IoU; where there is none, the first of all, as CheXlocalize's script has it."""
        best = np.argmax(np.nan_to_num(self.mean_iou, nan=-1))
        # The shortest number that is this float32: 0.3, not 0.30000001
        return float(str(self.thresholds[best]))


Tunings: TypeAlias = "dict[str, dict[str, Tuning]]"
"""By method and pathology."""


def outlined_pathologies(run: Run, cohort: Cohort) -> list[str]:
    """Return those of a run's pathologies that experts outlined: a box holds what is healthy too, and tunes nothing."""
    marked = [name for name in run.manifest.pathologies if name in cohort.marked_pathologies]
    return [name for name in marked if cohort.truth_kind(name) in OUTLINED]


def tune_thresholds(
    run: Run,
    cohort: Cohort,
    sign: Sign,
    *,
    methods: Collection[str],
    every_level: bool = False,
    on_step: OnStep = say_nothing,
) -> tuple[Tunings, list[str]]:
    """Score a run's heatmaps at many thresholds, those that experts marked something for.

    Parameters
    ----------
    sign
        What of a signed heatmap counts, as in `SegmentationSettings`.
    methods
        Names of those of the run's methods that are tuned.
    every_level
        Whether to try all 256 grey levels in place of `THRESHOLDS`.
    on_step
        Called after each radiograph.

    Returns
    -------
    tuple
        For each method a tuning of each localised pathology of the run, and a line for each expert mask that could
        not be used.

    Raises
    ------
    RunError
        If a result cannot be read.
    """
    pathologies = outlined_pathologies(run, cohort)
    ious: dict[tuple[str, str], list[RatioArray]] = defaultdict(list)
    problems: list[str] = []
    thresholds = LEVEL_THRESHOLDS if every_level else np.asarray(THRESHOLDS, np.float32)
    for image_id in run.explained_ids():
        experts, unusable = _marked(cohort, run.read_record(image_id), pathologies)
        problems += unusable
        for heatmap in run.read(image_id).heatmaps if experts else ():
            if heatmap.method in methods and heatmap.pathology in experts:
                expert = experts[heatmap.pathology]
                scaled = scale(heatmap, (expert.shape[0], expert.shape[1]), sign)
                if isinstance(scaled, str):
                    continue
                counts = (
                    count_levels(grey_levels(scaled), expert)
                    if every_level
                    else count_thresholds(scaled, expert, THRESHOLDS)
                )
                ious[heatmap.method, heatmap.pathology].append(counts.iou)
        on_step(image_id)
    tunings = {
        method: {
            name: Tuning(thresholds, np.reshape(ious[method, name], (-1, len(thresholds))))
            for name in pathologies
        }
        for method in methods
    }
    return tunings, problems


def tune_probability_cutoffs(run: Run, method: str, preset: str) -> pd.DataFrame:
    """Score a method's masks of Otsu's threshold, empty at and below each of `CUTOFFS`, from the run's scores.

    Parameters
    ----------
    method
        One of the run's, by its name.
    preset
        Name of the segmentation that the scores were made with, of `PRESETS`.

    Returns
    -------
    pandas.DataFrame
        prob_threshold, mIoU (full slice, over all radiographs; NaN where there is no mask at all) and task.

    Raises
    ------
    ValueError
        If the run's scores were made with other settings than the preset's.
    """
    if run.segmentation != PRESETS[preset].to_json():
        message = (
            f"{run.folder}: its scores were not made with preset {preset} and Otsu's threshold; make them with: "
            f"python -m shamsul_core score --run {run.folder} --preset {preset}"
        )
        raise ValueError(message)
    scores = run.scores[run.scores["method"] == method].dropna(
        subset=["probability", "mask_area_px", "expert_area_px"]
    )
    rows = [
        (round(cutoff, 1), round(_mean_iou_above(of_pathology, cutoff), 3), str(pathology))
        for pathology, of_pathology in scores.groupby("pathology")
        for cutoff in (CUTOFFS[1:] if pathology == NOT_AT_NOUGHT else CUTOFFS)
    ]
    return pd.DataFrame(rows, columns=["prob_threshold", "mIoU", "task"])


def _marked(
    cohort: Cohort, result: RadiographResult, pathologies: Sequence[str]
) -> tuple[Mapping[str, Mask], list[str]]:
    """Return the experts' masks of one radiograph that are not empty, and a line for each that cannot be used."""
    masks, problems = {}, []
    for pathology in pathologies:
        try:
            mask, nothing = expert_mask(cohort, result.image_id, result.size, pathology)
        except CohortError as error:
            problems.append(str(error))
            continue
        if mask is not None and nothing is None:
            masks[pathology] = mask
    return masks, problems


def _mean_iou_above(scores: pd.DataFrame, cutoff: float) -> float:
    above = scores["probability"] > cutoff
    columns = scores["iou"].where(above), scores["mask_area_px"].where(above, 0), scores["expert_area_px"]
    return float(pd.Series([full_slice(*row) for row in zip(*columns, strict=True)]).mean())
