"""Whether the model used the findings: what removing each from a simulated radiograph does to its logit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shamsul_core.cohort.patients import number_patients
from shamsul_core.run.removal import MOVED_FROM
from shamsul_core.statistics.intervals import bootstrap_mean, count_patients

if TYPE_CHECKING:
    from collections.abc import Sequence


def removals_by_pathology(scores: pd.DataFrame, pathologies: Sequence[str]) -> pd.DataFrame:
    """Return how far the logit falls without the findings, a row a pathology that was removed from any radiograph.

    Parameters
    ----------
    scores
        As `shamsul_core.run.SCORE_COLUMNS`.
    pathologies
        In the order wanted.

    Returns
    -------
    pandas.DataFrame
        ``pathology``; ``radiographs`` and ``patients``; ``change``, the mean fall of the logit, with its 95 % bootstrap
        interval over patients ``low`` to ``high``, NaN where there are too few; ``used``, on how many radiographs it falls by
        `MOVED_FROM` and more; ``iou_used`` and ``iou_unused``, the mean IoU over methods and these radiographs, and over the
        others.
    """
    known = scores.dropna(subset=["logit_change"])
    changes = known.drop_duplicates(["image_id", "pathology"])
    changes = changes.pivot_table(index="image_id", columns="pathology", values="logit_change")
    changes = changes.reindex(columns=[name for name in pathologies if name in changes.columns])
    if changes.empty:
        return pd.DataFrame(
            columns=[
                *("pathology", "radiographs", "patients", "change", "low", "high", "used"),
                *("iou_used", "iou_unused"),
            ]
        )
    patients = number_patients(changes.index)
    values = changes.to_numpy(float)
    mean, low, high = bootstrap_mean(values, patients)
    is_used = known["logit_change"] >= MOVED_FROM
    ious = [
        known[chosen].groupby("pathology")["iou"].mean().reindex(changes.columns)
        for chosen in (is_used, ~is_used)
    ]
    return pd.DataFrame(
        {
            "pathology": changes.columns,
            "radiographs": np.isfinite(values).sum(axis=0),
            "patients": count_patients(np.isfinite(values), patients),
            "change": mean,
            "low": low,
            "high": high,
            "used": (values >= MOVED_FROM).sum(axis=0),
            "iou_used": ious[0].to_numpy(),
            "iou_unused": ious[1].to_numpy(),
        }
    )
