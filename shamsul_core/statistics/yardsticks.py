"""Methods held against what never saw the network, and against other patients' marks, over a cohort.

A mean IoU says little by itself: a map of where a pathology usually lies has one too. The differences here are of the same
radiographs, averaged over the pathologies, with intervals over patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shamsul_core.cohort.patients import number_patients
from shamsul_core.localisation.baselines import BASELINES, BY_LOT, LOCATION
from shamsul_core.statistics.intervals import FEWEST, count_patients, mean_of_known, resampled_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.statistics.intervals import Floats

YARDSTICK_SUMMARY_COLUMNS = (
    *("method", "patients", "iou", "iou_low", "iou_high", "hit", "hit_low", "hit_high"),
    *("iou_elsewhere", "hit_elsewhere", "ceiling"),
    *(
        f"{column}_{part}"
        for column in ("over_location", "over_chance", "own")
        for part in ("mean", "low", "high")
    ),
)


def hold_against(yardsticks: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Return how the methods and the baselines fare, a row each.

    Parameters
    ----------
    yardsticks
        As `shamsul_core.run.YARDSTICK_COLUMNS`, of pathologies that are marked alike.
    methods
        The run's, in the order wanted; the baselines follow.

    Returns
    -------
    pandas.DataFrame
        `YARDSTICK_SUMMARY_COLUMNS`. Each figure is a mean over pathologies of the means over radiographs, of ``iou`` and
        ``hit`` with the same intervals as the differences. ``over_location``
        and ``over_chance`` are the IoU less that of the baseline *location* and of superpixels drawn by lot on the same
        radiographs, ``own`` the IoU with the patient's own marks less that with other patients' (the location-corrected IoU);
        ``low`` to ``high`` is the 95 % bootstrap interval over patients, NaN where fewer than `FEWEST` patients have one.
    """
    rows = []
    wide = {
        column: yardsticks.pivot_table(
            index="image_id", columns=["method", "pathology"], values=column, dropna=False, aggfunc="first"
        )
        for column in ("iou", "hit", "iou_elsewhere", "hit_elsewhere", "ceiling")
    }
    index = wide["iou"].index
    patients = number_patients(index)
    there = set(yardsticks["method"])
    names = [name for name in (*methods, *BASELINES) if name in there]
    pathologies = list(dict.fromkeys(yardsticks["pathology"]))

    def values(column: str, method: str) -> Floats:
        columns = pd.MultiIndex.from_product([[method], pathologies])
        return wide[column].reindex(index=index, columns=columns).to_numpy(np.float64, na_value=np.nan)

    for name in names:
        iou = values("iou", name)
        row = {"method": name, "patients": _patients(iou, patients)}
        row |= {column: _macro(values(column, name)) for column in wide}
        for part, differences in (
            ("over_location", iou - values("iou", LOCATION)),
            ("over_chance", iou - values("iou", BY_LOT)),
            ("own", iou - values("iou_elsewhere", name)),
        ):
            row[f"{part}_mean"] = _macro(differences)
            row[f"{part}_low"], row[f"{part}_high"] = _interval(differences, patients)
        for part, own in (("iou", iou), ("hit", values("hit", name))):
            row[f"{part}_low"], row[f"{part}_high"] = _interval(own, patients)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(YARDSTICK_SUMMARY_COLUMNS))


def _macro(table: Floats) -> float:
    """Return the mean over pathologies of the means over radiographs."""
    return float(mean_of_known(mean_of_known(table, axis=0)[None], axis=1)[0])


def _patients(table: Floats, patients: np.ndarray) -> int:
    has_any = np.asarray(np.isfinite(table).any(axis=1, keepdims=True))
    return int(count_patients(has_any, patients)[0])


def _interval(table: Floats, patients: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 95 % bootstrap interval over patients of `_macro`, NaN of too few."""
    if _patients(table, patients) < FEWEST:
        return np.nan, np.nan
    known = np.isfinite(table).any(axis=0)
    means = mean_of_known(resampled_means(table[:, known], patients), axis=1)
    low, high = np.nanpercentile(means, [2.5, 97.5])
    return float(low), float(high)
