"""How far the logit falls without a finding, over a cohort, by hand."""

import numpy as np
import pandas as pd
import pytest

from shamsul_core.run.tables import score_table
from shamsul_core.statistics.removals import removals_by_pathology
from tests.made import image_id


def scores_of(changes, ious=(0.4, 0.2)):
    """Two methods' rows of each radiograph."""
    return score_table(
        {
            "image_id": image_id(number),
            "pathology": "Edema",
            "method": method,
            "logit_change": change,
            "iou": iou if change is None or change >= 1 else iou / 4,
        }
        for number, change in enumerate(changes, 1)
        for method, iou in zip(("lime", "lrp"), ious, strict=True)
    )


def test_each_radiograph_counts_once_however_many_methods_explain_it():
    (row,) = removals_by_pathology(scores_of([4.0, 2.0, 0.1, None]), ["Edema", "Cardiomegaly"]).itertuples()
    assert (row.pathology, row.radiographs, row.patients, row.used) == ("Edema", 3, 3, 2)
    assert row.change == pytest.approx(6.1 / 3)
    assert np.isnan(row.low), "three patients are too few"
    assert (row.iou_used, row.iou_unused) == pytest.approx((0.3, 0.075))


def test_the_interval_holds_the_mean_of_many():
    changes = np.random.default_rng(0).normal(2, 1, 40)
    (row,) = removals_by_pathology(scores_of(changes), ["Edema"]).itertuples()
    # About 1.96 standard errors to either side
    assert row.low == pytest.approx(row.change - 1.96 * changes.std() / 40**0.5, abs=0.06)
    assert row.high == pytest.approx(row.change + 1.96 * changes.std() / 40**0.5, abs=0.06)


def test_a_cohort_of_patients_has_none():
    table = removals_by_pathology(scores_of([None, None]), ["Edema"])
    assert isinstance(table, pd.DataFrame)
    assert table.empty
