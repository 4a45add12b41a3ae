"""Tuning against CheXlocalize's rules written out a second time, mask by mask."""

from __future__ import annotations

import dataclasses
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from typer.testing import CliRunner

from shamsul_core.cli import app
from shamsul_core.cohort import open_cohort
from shamsul_core.engine.tuning import THRESHOLDS, Tuning, tune_probability_cutoffs, tune_thresholds
from shamsul_core.interchange.chexlocalize import (
    read_map,
    read_probability_cutoffs,
    read_thresholds,
    write_probability_cutoffs,
    write_thresholds,
)
from shamsul_core.interchange.importing import import_folder
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import PRESETS, SegmentationSettings, segment
from shamsul_core.localisation.thresholds import LEVEL_THRESHOLDS
from shamsul_core.run import Run
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.made import MARKED, TITLES, make_run

pytestmark = pytest.mark.slow

THEIR_THRESHOLDS = np.arange(0.2, 0.8, 0.1)


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def mean_without_nan(values):
    with warnings.catch_warnings(action="ignore"):  # numpy's on an empty mean
        return np.nanmean(np.array(values))


def slowly_tuned(run, cohort, method, pathology, sign, thresholds):
    """Their compute_miou and tune_threshold: a mask for each threshold and radiograph, the first of the best."""
    means = []
    for threshold in thresholds:
        settings = SegmentationSettings(sign=sign, thresholds={pathology: float(threshold)})
        ious = []
        for image_id in run.explained_ids():
            heatmap = run.heatmap(image_id, method, pathology)
            if heatmap is not None:
                expert = cohort.annotation(image_id, pathology).mask()
                ious.append(iou(segment(heatmap, expert.shape, settings).mask, expert))
        means.append(mean_without_nan(ious))
    return means, thresholds[means.index(max(means))]


def test_the_thresholds_are_theirs():
    np.testing.assert_array_equal(np.float32(THRESHOLDS), np.float32(THEIR_THRESHOLDS))


@pytest.mark.parametrize("sign", ["signed", "positive"])
def test_means_and_thresholds_are_those_of_masks_drawn_one_by_one(made_run, sign):
    cohort = open_cohort(made_run.cohort_folder)
    tunings, problems = tune_thresholds(made_run, cohort, sign, methods=list(TITLES))
    assert problems == []
    assert list(tunings) == list(TITLES)
    for method in TITLES:
        assert set(tunings[method]) == set(LOCALISED_PATHOLOGIES)
        for pathology in (*MARKED, "Lung Opacity"):
            means, best = slowly_tuned(made_run, cohort, method, pathology, sign, THEIR_THRESHOLDS)
            np.testing.assert_allclose(tunings[method][pathology].mean_iou, means, equal_nan=True)
            assert tunings[method][pathology].threshold == round(best, 1)
    assert len(tunings["lime"]["Edema"].ious) == 2
    assert len(tunings["shap"]["Edema"].ious) == 1  # one was made to fail
    assert len(tunings["lime"]["Lung Opacity"].ious) == 0


def test_every_grey_level_means_what_the_masks_of_its_threshold_mean(made_run):
    cohort = open_cohort(made_run.cohort_folder)
    tunings, _ = tune_thresholds(made_run, cohort, "positive", methods=["lrp"], every_level=True)
    tuning = tunings["lrp"]["Cardiomegaly"]
    levels = [0, 17, 51, 128, 200, 254, 255]
    means, _ = slowly_tuned(
        made_run, cohort, "lrp", "Cardiomegaly", "positive", LEVEL_THRESHOLDS[levels].tolist()
    )
    np.testing.assert_allclose(tuning.mean_iou[levels], means, equal_nan=True)
    assert np.nanmax(tuning.mean_iou) == tuning.mean_iou[np.float32(tuning.threshold) == LEVEL_THRESHOLDS]


def test_the_first_of_equal_means_wins_and_empty_masks_do_not_count():
    nan = np.nan
    tuning = Tuning(np.float32([0.2, 0.3, 0.4, 0.5]), np.array([[0.1, 0.4, 0.4, nan], [0.3, 0.2, nan, nan]]))
    np.testing.assert_allclose(tuning.mean_iou, [0.2, 0.3, 0.4, nan])
    assert tuning.threshold == 0.4
    assert Tuning(tuning.thresholds, np.array([[0.1, 0.4, 0.4, nan]])).threshold == 0.3
    assert Tuning(tuning.thresholds, np.zeros((0, 4))).threshold == 0.2


def test_the_sample_is_tuned_as_by_their_recipe(sample, tmp_path):
    cohort = open_cohort(sample)
    maps = sample / "CheXlocalize" / "gradcam_maps_val"
    run, _ = import_folder(maps, cohort, tmp_path / "run", name="gradcam", title="Grad-CAM")
    tunings, _ = tune_thresholds(run, cohort, "signed", methods=["gradcam"])
    for path in maps.glob("*_map.pkl"):
        one = read_map(path)
        tensor = torch.as_tensor(one.relevance)[None, None]
        scaled = F.interpolate(tensor, one.size, mode="bilinear", align_corners=False)[0, 0]
        scaled = ((scaled - scaled.min()) / (scaled - scaled.min()).max()).numpy()
        expert = cohort.annotation(one.image_id, one.pathology).mask()
        expected = [iou(scaled > threshold, expert) for threshold in THEIR_THRESHOLDS]
        found = tunings["gradcam"][one.pathology]
        # torch and OpenCV round their interpolation differently: a few pixels of 6.5 million
        np.testing.assert_allclose(found.mean_iou, expected, atol=1e-5)
        assert found.threshold == round(THEIR_THRESHOLDS[np.argmax(np.nan_to_num(expected, nan=-1))], 1)


def test_cutoffs_are_those_of_full_slice_masks_above_them(made_run):
    cohort = open_cohort(made_run.cohort_folder)
    table = tune_probability_cutoffs(made_run, "gradcam", "default")
    for pathology, found in table.groupby("task"):
        cutoffs = np.arange(0.1 if pathology == "Lung Lesion" else 0, 0.9, 0.1)
        np.testing.assert_array_equal(found["prob_threshold"], cutoffs.round(1))
        for cutoff, mean in zip(cutoffs, found["mIoU"], strict=True):
            ious = []
            for image_id in made_run.explained_ids():
                result = made_run.read(image_id)
                (heatmap,) = (
                    one for one in result.heatmaps if (one.method, one.pathology) == ("gradcam", pathology)
                )
                expert = cohort.annotation(image_id, pathology).mask()
                mask = segment(heatmap, result.size, PRESETS["default"]).mask
                mask &= result.probabilities[pathology] > cutoff
                union = (mask | expert).sum()
                ious.append((mask & expert).sum() / union if union else np.nan)
            assert mean == pytest.approx(round(mean_without_nan(ious), 3), nan_ok=True)
    assert set(table["task"]) == set(LOCALISED_PATHOLOGIES)


def test_what_is_written_is_what_their_scripts_write_and_ours_read(tmp_path):
    path = tmp_path / "tuning_results.csv"
    write_thresholds(path, {"Edema": 0.3, "Lung Opacity": 0.2})
    assert path.read_bytes() == b"threshold,task\n0.2,Airspace Opacity\n0.3,Edema\n"
    assert read_thresholds(path) == {"Edema": 0.3, "Lung Opacity": 0.2}
    cutoffs = tmp_path / "probability_tuning_results.csv"
    rows = [(0.1, 0.25, "Edema"), (0.2, np.nan, "Edema"), (0.0, 0.5, "Lung Opacity"), (0.1, np.nan, "Edema")]
    write_probability_cutoffs(cutoffs, pd.DataFrame(rows, columns=["prob_threshold", "mIoU", "task"]))
    assert cutoffs.read_text() == (
        "prob_threshold,mIoU,task\n0.0,0.5,Airspace Opacity\n0.1,0.25,Edema\n0.2,,Edema\n0.1,,Edema\n"
    )
    assert read_probability_cutoffs(cutoffs) == {"Lung Opacity": 0.0, "Edema": 0.1}


def test_every_levels_threshold_survives_the_file(tmp_path):
    for level in range(0, 256, 5):
        tuning = Tuning(LEVEL_THRESHOLDS, np.eye(256)[level : level + 1])
        write_thresholds(tmp_path / "tuning.csv", {"Edema": tuning.threshold})
        assert np.float32(read_thresholds(tmp_path / "tuning.csv")["Edema"]) == LEVEL_THRESHOLDS[level]


def test_the_command_writes_a_file_for_each_method_that_score_takes(made_run, tmp_path):
    folder = shutil.copytree(made_run.folder, made_run.folder.with_name("tuned"))
    out, cutoffs = tmp_path / "tuning.csv", tmp_path / "cutoffs.csv"
    done = call("tune", "--run", folder, "--out", out, "--cutoffs-out", cutoffs)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{name}_{method}.csv" for name in ("tuning", "cutoffs") for method in TITLES
    )
    assert "nothing to tune on for Enlarged Cardiomediastinum" in " ".join(done.output.split())
    assert call("tune", "--run", folder, "--out", out, "--method", "lrp").exit_code == 0
    assert out.read_bytes().startswith(b"threshold,task\n"), (
        "of one method as CheXlocalize's script writes it"
    )
    assert (tmp_path / "tuning_lrp.csv").read_bytes() == out.read_bytes().replace(b"\n", b",lrp\n").replace(
        b"task,lrp", b"task,method", 1
    )
    chosen = read_thresholds(out)
    before = Run.open(folder).scores
    scored = call(
        *("score", "--run", folder, "--thresholds", out),
        *("--probability-cutoffs", tmp_path / "cutoffs_lrp.csv"),
    )
    assert scored.exit_code == 0, scored.output
    scores = Run.open(folder).scores.dropna(subset="threshold")
    assert (scores["threshold"] == scores["pathology"].map(chosen)).all()
    assert len(before) == len(Run.open(folder).scores)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--method", "x"), "no method 'x' in this run; there are lime, shap, gradcam, lrp"),
        (("--preset", "x"), "unknown preset 'x'"),
        (("--preset", "paper", "--cutoffs-out", "OUT"), "score --run"),
    ],
)
def test_wrong_input_is_one_line(made_run, tmp_path, arguments, line):
    out = tmp_path / "out.csv"
    places = {"OUT": out}
    result = call(
        "tune", "--run", made_run.folder, "--out", out, *(places.get(one, one) for one in arguments)
    )
    assert result.exit_code == 1
    assert line in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_a_cohort_without_contours_and_a_contour_that_does_not_decode_are_named(made_cohort, tmp_path):
    cohort = shutil.copytree(made_cohort, tmp_path / "cohort")
    run = make_run(tmp_path / "run", cohort)
    path = cohort / "CheXlocalize" / "gt_segmentations_val.json"
    broken = path.read_text().replace(
        '"Edema": {"size": [120, 100], "counts": "', '"Edema": {"size": [120, 100], "counts": "~', 1
    )
    path.write_text(broken)
    opened = open_cohort(cohort)
    tunings, problems = tune_thresholds(run, opened, "signed", methods=["lrp"])
    assert len(problems) == 1
    assert "Edema" in problems[0]
    assert len(tunings["lrp"]["Edema"].ious) == 1
    assert len(tunings["lrp"]["Cardiomegaly"].ious) == 2
    path.unlink()
    result = call("tune", "--run", run.folder, "--out", tmp_path / "out.csv")
    assert result.exit_code == 1
    assert "no expert annotations to tune on" in " ".join(result.output.split())


def test_a_heatmap_of_one_value_is_no_mask_at_any_threshold(made_run, tmp_path):
    folder = shutil.copytree(made_run.folder, made_run.folder.with_name("flat"))
    run = Run.open(folder)
    result = run.read(run.explained_ids()[0])
    flat = tuple(
        dataclasses.replace(one, values=np.zeros_like(one.values)) if one.method == "gradcam" else one
        for one in result.heatmaps
    )
    run.write(dataclasses.replace(result, heatmaps=flat))
    tunings, _ = tune_thresholds(run, open_cohort(run.cohort_folder), "signed", methods=["gradcam"])
    assert len(tunings["gradcam"]["Edema"].ious) == 1
