from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.views import ids_of_view
from shamsul_core.localisation.overlap import full_slice
from shamsul_core.statistics.summary import in_slice, rank_correlations, summarise
from tests.made import TITLES

AREAS = st.sampled_from([0.0, 40.0, np.nan])


def scores_of(iou, **columns):
    """Scores of radiographs r00, r01, ... for one pathology and method."""
    names = [f"r{number:02d}" for number in range(len(iou))]
    table = {"image_id": names, "pathology": "Edema", "method": "lime", "iou": iou, "hit": np.nan}
    return pd.DataFrame(table | columns)


@given(AREAS, AREAS)
def test_the_full_slice_is_that_of_the_scalar_rule_where_both_areas_are_known(mask_area, expert_area):
    iou = 0.25 if mask_area == expert_area == 40 else np.nan
    table = scores_of([iou], mask_area_px=mask_area, expert_area_px=expert_area)
    expected = iou if np.isnan([mask_area, expert_area]).any() else full_slice(iou, mask_area, expert_area)
    np.testing.assert_equal(in_slice(table, "full")["iou"].item(), expected)
    np.testing.assert_equal(in_slice(table, "true positive")["iou"].item(), iou)


def test_each_line_is_what_pandas_says_of_its_scores(made_run):
    scores = made_run.scores
    summary = summarise(scores, made_run.manifest.pathologies, list(TITLES))
    assert list(zip(summary["pathology"], summary["method"], strict=True)) == list(
        itertools.product(made_run.manifest.pathologies, TITLES)
    )
    for row in summary.itertuples():
        here = scores[(scores["pathology"] == row.pathology) & (scores["method"] == row.method)]
        iou = here.set_index("image_id")["iou"].dropna()
        assert row.n == len(iou)
        assert row.hit_n == here["hit"].notna().sum()
        if iou.empty:
            assert np.isnan([row.mean, row.mean_low, row.median, row.best]).all()
            continue
        expected = iou.describe()
        got = (row.mean, row.q1, row.median, row.q3, row.worst, row.best)
        assert got == pytest.approx(tuple(expected[["mean", "25%", "50%", "75%", "min", "max"]]))
        assert iou[row.best_id] == row.best
        assert iou[row.worst_id] == row.worst
        assert row.hit_rate == pytest.approx(here["hit"].mean())


def test_whiskers_end_at_the_last_value_within_one_and_a_half_boxes():
    summary = summarise(scores_of([0.1, 0.2, 0.21, 0.22, 0.23, 0.24, 0.9]), ["Edema"], ["lime"])
    assert summary["whisker_low"].item() == 0.2  # quartiles 0.205 and 0.235, so from 0.16 to 0.28
    assert summary["whisker_high"].item() == 0.24


def test_a_hit_rate_of_none_and_of_all_has_a_width():
    scores = scores_of([np.nan] * 56, hit=0.0)
    for hit, ends in ((0.0, (0, 0.0642)), (1.0, (0.9358, 1))):
        (row,) = summarise(scores.assign(hit=hit), ["Edema"], ["lime"]).itertuples()
        assert (row.hit_low, row.hit_high) == pytest.approx(ends, abs=1e-4)
        assert (row.hit_rate, row.hit_n) == (hit, 56)


def test_several_radiographs_of_a_patient_narrow_no_interval():
    generator = np.random.default_rng(0)
    once = scores_of(generator.random(20), hit=(generator.random(20) < 0.5).astype(float))
    ids = [f"patient{number:05d}_study1_view1_frontal" for number in range(20)]
    once["image_id"] = ids
    twice = pd.concat([once, once.assign(image_id=[name.replace("study1", "study2") for name in ids])])
    (one,), (other,) = (summarise(table, ["Edema"], ["lime"]).to_dict("records") for table in (once, twice))
    assert (other["n"], other["hit_n"]) == (40, 40)
    for column in ("mean", "mean_low", "mean_high", "hit_rate", "hit_low", "hit_high"):
        assert other[column] == pytest.approx(one[column], abs=1e-12)


def test_the_papers_means_stand_beside_ours_only_where_the_radiographs_are_its(made_run):
    summary = summarise(made_run.scores, made_run.manifest.pathologies, list(TITLES))
    assert summary["paper_mean"].isna().all()
    summary = summarise(made_run.scores, made_run.manifest.pathologies, list(TITLES), is_paper_cohort=True)
    paper = summary.set_index(["method", "pathology"])["paper_mean"]
    assert paper["gradcam", "Cardiomegaly"] == 0.234
    assert paper["shap", "Pneumothorax"] == 0.301
    assert paper["lime"].notna().all()
    assert np.isnan(paper["shap", "Edema"])


def test_rank_correlation_of_a_known_order():
    table = scores_of([0.1, 0.2, 0.3, 0.4], probability=[0.1, 0.3, 0.2, 0.9])
    ranks = rank_correlations(table, "probability", ["lime", "shap"])
    # 1 - 6 (0 + 1 + 1 + 0) / (4 (16 - 1))
    assert ranks["rho"].iloc[0] == pytest.approx(0.8)
    assert ranks["n"].tolist() == [4, 0]
    assert np.isnan(ranks["rho"].iloc[1])
    assert np.isnan(
        rank_correlations(scores_of([0.5] * 3, probability=0.1), "probability", ["lime"])["rho"].item()
    )


def test_views(made_cohort):
    radiographs = open_cohort(made_cohort).radiographs
    assert ids_of_view(radiographs, "AP") == ids_of_view(radiographs, "all views") == set(radiographs)
    assert ids_of_view(radiographs, "lateral") == ids_of_view(radiographs, "PA") == set()
