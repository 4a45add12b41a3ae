from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.html.predictions import prediction_table
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.notes import UNTRAINED, banner
from shamsul_core.figures.scene.overlay import decode_scene, encode_scene
from shamsul_core.heatmap import Heatmap
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import PRESETS, SegmentationSettings, outline, segment
from shamsul_core.localisation.thresholds import LEVEL_THRESHOLDS
from shamsul_core.run import RadiographResult, Run
from shamsul_core.run.manifest import PRESENT_OR_PREDICTED
from shamsul_core.statistics.prediction.decisions import Thresholds
from shamsul_core.vocabulary import OBSERVATIONS
from tests.made import expert_rectangle, image_id, make_run


def panels_of(run, cohort_folder, number, pathology):
    scene = comparison_scene(run, open_cohort(cohort_folder), image_id(number), pathology, run.scores)
    return scene, {panel.key: panel for panel in scene.panels}


def test_panels_show_what_the_tables_and_heatmaps_say(made_run, made_cohort):
    scene, panels = panels_of(made_run, made_cohort, 2, "Edema")
    assert list(panels) == ["expert", "lime", "shap", "gradcam", "lrp"]
    assert scene.banner is None
    (expert,) = scene.expert_outlines
    shape = (scene.radiograph.height, scene.radiograph.width)
    rectangle = expert_rectangle(2, shape)
    np.testing.assert_array_equal(expert, outline(rectangle)[0])
    scores = made_run.scores.query(f"image_id == '{image_id(2)}' and pathology == 'Edema'").set_index(
        "method"
    )
    for method in ("lime", "shap", "gradcam", "lrp"):
        heatmap = made_run.heatmap(image_id(2), method, "Edema")
        np.testing.assert_array_equal(panels[method].relevance, heatmap.relevance)
        mask = segment(heatmap, shape, PRESETS["default"]).mask
        for ours, expected in zip(panels[method].outlines, outline(mask), strict=True):
            np.testing.assert_array_equal(ours, expected)
        shown = {metric.name: metric.value for metric in panels[method].metrics}
        assert shown["IoU"] == f"{scores.loc[method, 'iou']:.2f}"
        assert shown["Hit"] == ("yes" if scores.loc[method, "hit"] else "no")
        assert float(shown["Area"].rstrip(" %")) == pytest.approx(100 * mask.mean(), abs=0.5)


def test_at_every_threshold_the_curve_is_the_score_of_the_mask_drawn_at_it(made_run, made_cohort):
    """The masks are made here, one by one, as a given threshold makes them."""
    scene, panels = panels_of(made_run, made_cohort, 2, "Edema")
    shape = (scene.radiograph.height, scene.radiograph.width)
    rectangle = expert_rectangle(2, shape)
    for level in (0, 40, 127, 254):
        settings = SegmentationSettings(thresholds={"Edema": float(LEVEL_THRESHOLDS[level])})
        masks = {
            method: segment(made_run.heatmap(image_id(2), method, "Edema"), shape, settings).mask
            for method in ("lime", "shap", "gradcam", "lrp")
        }
        for method, mask in masks.items():
            assert panels[method].levels.iou[level] == pytest.approx(iou(mask, rectangle), nan_ok=True)
            assert panels[method].levels.area[level] == mask.mean()
        for pair in scene.agreements:
            expected = iou(masks[pair.one], masks[pair.other])
            assert pair.levels[level] == pytest.approx(expected, nan_ok=True)


def test_the_runs_own_threshold_and_masks_are_those_of_its_scores(made_run, made_cohort):
    scene, panels = panels_of(made_run, made_cohort, 2, "Edema")
    scores = made_run.scores.query(f"image_id == '{image_id(2)}' and pathology == 'Edema'").set_index(
        "method"
    )
    assert scene.threshold_rule == "Otsu"
    for method, score in scores.iterrows():
        assert panels[method].levels.level / 255 == pytest.approx(score["threshold"])
    shape = (scene.radiograph.height, scene.radiograph.width)
    pairs = {(pair.one, pair.other): pair.iou for pair in scene.agreements}
    assert len(pairs) == 6
    lime, lrp = (
        segment(made_run.heatmap(image_id(2), name, "Edema"), shape, PRESETS["default"]).mask
        for name in ("lime", "lrp")
    )
    assert pairs["lime", "lrp"] == iou(lime, lrp)


def test_what_was_not_asked_for_says_so(made_cohort, tmp_path):
    run = make_run(tmp_path / "run", made_cohort)
    run = Run(run.folder, replace(run.manifest, explained=PRESENT_OR_PREDICTED))
    run.write(RadiographResult(image_id(3), (120, 100), {"Edema": 0.1}, ()))
    scene, panels = panels_of(run, made_cohort, 3, "Edema")
    assert panels["lrp"].note == "The experts marked nothing."  # by the scores, made before
    scene = comparison_scene(run, open_cohort(made_cohort), image_id(3), "Edema", run.scores.iloc[:0])
    assert scene.panels[1].note == "Neither present nor predicted, so not explained."
    assert scene.agreements == ()
    assert scene.facts[0].value == "0.10, not predicted (threshold 0.50), labelled negative, correct"


def test_one_threshold_governs_header_and_grid_and_is_named(made_run, made_cohort):
    probability = made_run.read_record(image_id(2)).probabilities["Edema"]
    for threshold, words in ((probability, "predicted"), (np.nextafter(probability, 2), "not predicted")):
        thresholds = Thresholds("Youden", {"Edema": threshold})
        cohort = open_cohort(made_cohort)
        scene = comparison_scene(
            made_run, cohort, image_id(2), "Edema", made_run.scores, thresholds=thresholds
        )
        (row,) = (row for row in scene.grid if row.pathology == "Edema")
        assert row.is_predicted == (words == "predicted")
        assert f" {words} (" in scene.facts[0].value
        assert scene.facts[0].value.split(", labelled")[0] in row.help
        assert "Youden" in scene.prediction_rule
        assert decode_scene(encode_scene(scene))["prediction_rule"] == scene.prediction_rule


def test_a_failure_says_why_and_shows_no_map(made_run, made_cohort):
    _, panels = panels_of(made_run, made_cohort, 1, "Edema")
    assert panels["shap"].relevance is None
    assert panels["shap"].note == "Made to fail."
    assert panels["shap"].metrics == ()
    assert panels["lime"].relevance is not None


def test_nothing_marked_and_nothing_to_mark_are_told_apart(made_run, made_cohort, tmp_path):
    scene, panels = panels_of(made_run, made_cohort, 3, "Edema")
    assert scene.expert_outlines == ()
    assert panels["expert"].note == "The experts marked nothing here."
    bare = shutil.copytree(made_cohort, tmp_path / "bare")
    shutil.rmtree(bare / "CheXlocalize")
    _, panels = panels_of(make_run(tmp_path / "run", bare), bare, 1, "Edema")
    assert panels["expert"].note == "There is no contour to compare with."
    assert panels["lime"].note == "There is no contour to compare with."


def test_before_the_scores_are_there_the_panels_say_so(made_run, made_cohort, tmp_path):
    folder = shutil.copytree(made_run.folder, tmp_path / "run")
    (folder / "scores.parquet").unlink()
    run = Run.open(folder)
    _, panels = panels_of(run, made_cohort, 2, "Edema")
    assert panels["lime"].note == "Not scored yet."
    assert panels["lime"].outlines


def test_banner_says_untrained_and_simulated(made_cohort, tmp_path):
    run = make_run(tmp_path / "run", made_cohort, trained=False)
    assert banner(run) == UNTRAINED
    run.manifest.cohort["simulated"] = "Simulated from CT, not a patient."
    assert banner(run) == f"{UNTRAINED} Simulated from CT, not a patient."


def test_predictions_are_listed_in_order_with_the_labels_signs():
    probabilities = {name: index / 20 for index, name in enumerate(OBSERVATIONS)} | {"Fracture": float("nan")}
    labels = dict.fromkeys(OBSERVATIONS) | {"Edema": 1.0, "Cardiomegaly": 0.0, "Pneumonia": -1.0}
    rows = prediction_table(probabilities, labels, "Edema").split("<tr")[1:]
    assert [row.split('"row">')[1].split("</th>")[0][:-2] for row in rows] == [
        name.replace("Enlarged", "Enl.") for name in OBSERVATIONS
    ]
    signs = {name: row.split("</th>")[0][-1] for name, row in zip(OBSERVATIONS, rows, strict=True)}
    assert (signs["Edema"], signs["Cardiomegaly"], signs["Pneumonia"], signs["Atelectasis"]) == (
        "●",
        "○",
        "◐",
        "·",
    )
    assert [row.split("</td><td>")[1].split("<")[0] for row in rows] == [
        "–" if name == "Fracture" else f"{value:.2f}" for name, value in probabilities.items()
    ]
    assert "width:25.0%" in rows[5]
    assert [row.startswith(' class="chosen"') for row in rows].index(True) == OBSERVATIONS.index("Edema")


def test_foreign_names_stay_text():
    assert "<img" not in prediction_table({"<img src=x>": 0.5}, {})


def test_a_sampled_heatmap_that_did_not_converge_says_so_and_shows_where_it_is_uncertain(
    made_cohort, tmp_path
):
    run = make_run(tmp_path / "run", made_cohort)
    superpixels = np.add.outer(np.arange(224) // 112 * 2, np.arange(224) // 112)
    sampled = Heatmap(
        method="lime",
        pathology="Edema",
        output="logit",
        values=np.array([1, 0.1, -1, 0], np.float32),
        superpixels=superpixels,
        standard_error=np.full(4, 0.2, np.float32),
        converged=False,
        evaluations=800,
    )
    run.write(RadiographResult(image_id(2), (120, 100), {}, (sampled,)))
    _, panels = panels_of(run, made_cohort, 2, "Edema")
    assert "Not converged after 800 forward passes." in panels["lime"].note
    np.testing.assert_array_equal(panels["lime"].uncertain, np.isin(superpixels, [1, 3]))
    assert panels["lime"].is_piecewise
