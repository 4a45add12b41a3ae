"""The yardsticks of a made run: baselines scored as methods are, other patients' marks, ceilings."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.engine.rescoring import score_run
from shamsul_core.engine.yardsticks import measure_yardsticks
from shamsul_core.heatmap import Heatmap
from shamsul_core.localisation.baselines import BASELINES, BY_LOT, LOCATION
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import PRESETS, SegmentationSettings, segment
from shamsul_core.run import Run, RunError
from tests.made import MARKED, TITLES, expert_rectangle, image_id, make_cohort, make_run

SIZE = (120, 100)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Five radiographs, four of which experts marked: 1, 2, 4 and 5."""
    folder = tmp_path_factory.mktemp("yardsticks")
    made = make_run(folder / "run", make_cohort(folder / "cohort", count=5))
    measure_yardsticks(made, open_cohort(folder / "cohort"), PRESETS["default"])
    return made


@pytest.fixture(scope="module")
def table(run):
    return run.yardsticks.set_index(["image_id", "pathology", "method"])


def test_all_that_was_marked_is_there_by_every_map_and_baseline(table):
    expected = {
        (image_id(number), pathology, method)
        for number in (1, 2, 4, 5)
        for pathology in MARKED
        for method in (*TITLES, *BASELINES)
    }
    # SHAP failed on Edema of the first
    assert set(table.index) == expected - {(image_id(1), "Edema", "shap")}


def test_a_methods_scores_are_the_runs(run, table):
    scores = run.scores.set_index(["image_id", "pathology", "method"])
    own = table[table.index.get_level_values("method").isin(list(TITLES))]
    pd.testing.assert_series_equal(own["iou"], scores.loc[own.index, "iou"])
    pd.testing.assert_series_equal(own["hit"], scores.loc[own.index, "hit"])


def test_location_is_scored_as_the_mean_of_the_others_rectangles(table):
    others = np.mean([expert_rectangle(number, SIZE) for number in (1, 2, 5)], axis=0).astype(np.float32)
    heatmap = Heatmap(method="mean", pathology="Edema", output="logit", values=others)
    mask = segment(heatmap, SIZE, PRESETS["default"]).mask
    expected = iou(mask, expert_rectangle(4, SIZE))
    # Marks go over a grid of 512 by 512, and the mean over one of 224 by 224
    assert table.loc[(image_id(4), "Edema", LOCATION), "iou"] == pytest.approx(expected, abs=0.03)


def test_elsewhere_is_the_mean_iou_with_the_others_rectangles(run, table):
    heatmap = run.heatmap(image_id(2), "gradcam", "Cardiomegaly")
    mask = segment(heatmap, SIZE, PRESETS["default"]).mask
    expected = np.mean([iou(mask, expert_rectangle(number, SIZE)) for number in (1, 4, 5)])
    row = table.loc[(image_id(2), "Cardiomegaly", "gradcam")]
    assert row["iou_elsewhere"] == pytest.approx(expected, abs=0.02)
    assert row["others"] == 3


def test_no_map_is_above_its_ceiling(table):
    coarse = table[table["ceiling"].notna()]
    assert set(coarse.index.get_level_values("method")) == {"gradcam", "lime", "shap"}
    superpixels = coarse[coarse.index.get_level_values("method") != "gradcam"]
    # A baseline's IoU is of the same size, a method's too: 120 pixels
    assert (superpixels["iou"].fillna(0) <= superpixels["ceiling"] + 0.02).all()
    by_lot = table.xs(BY_LOT, level="method")["iou"]
    assert (by_lot <= table.xs("lime", level="method")["ceiling"] + 0.02).all()


def test_masks_made_otherwise_have_other_yardsticks(run, tmp_path):
    """What was measured of former masks says nothing of these, until it is measured anew."""
    shutil.copytree(run.folder, tmp_path / "run")
    again, cohort = Run.open(tmp_path / "run"), open_cohort(run.cohort_folder)
    fixed = SegmentationSettings(thresholds={"Edema": 0.9})
    score_run(again, cohort, fixed)
    assert again.yardsticks.empty
    measure_yardsticks(again, cohort, fixed)
    assert not again.yardsticks.equals(run.yardsticks)


def test_a_table_that_is_none_is_named(run, tmp_path):
    shutil.copytree(run.folder, tmp_path / "run")
    (tmp_path / "run" / "yardsticks.parquet").write_bytes(b"none")
    with pytest.raises(RunError, match=r"yardsticks\.parquet: not a readable table"):
        _ = Run.open(tmp_path / "run").yardsticks


def test_a_cohort_without_marks_has_none(run, tmp_path):
    bare = shutil.copytree(run.cohort_folder, tmp_path / "bare")
    shutil.rmtree(bare / "CheXlocalize")
    made = make_run(tmp_path / "run", bare)
    measure_yardsticks(made, open_cohort(bare), PRESETS["default"])
    assert made.yardsticks.empty
