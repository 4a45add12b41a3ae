"""The pages over a whole cohort without a browser: what they say in each state a run can be in."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from pycocotools import mask as maskUtils
from streamlit.testing.v1 import AppTest

from shamsul_core.cohort import open_cohort
from shamsul_core.engine.rescoring import score_run
from shamsul_core.engine.yardsticks import measure_yardsticks
from shamsul_core.interchange.importing import import_segmentations
from shamsul_core.localisation.baselines import BASELINES
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Run
from shamsul_core.statistics.lesions import FEATURES
from shamsul_core.statistics.method_comparison import compare_pairs, rank_methods
from tests.made import TITLES, expert_rectangle, image_id, make_cohort, make_readers_cohort, make_run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGES = ("distributions", "selection", "methods")


@pytest.fixture
def opened(monkeypatch):
    """Open a page of a run; the caches of another run's reader are emptied."""

    def open_page(page, folder, **query):
        monkeypatch.setattr(sys, "argv", ["app.py", "--run", str(folder)])
        st.cache_resource.clear()
        st.cache_data.clear()
        app = AppTest.from_file(str(ROOT / "main.py"), default_timeout=60).run()
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, app.exception[0].message
        return app

    return open_page


def words_of(app):
    kinds = (app.markdown, app.info, app.caption, app.error, app.warning)
    html = [str(one.proto.body) for one in app.main if one.type == "html"]
    data = [json.loads(one.proto.json) for one in app.main if one.type == "bidi_component" and one.proto.json]
    return "\n".join([*(one.value for kind in kinds for one in kind), *html, *map(str, data)])


def scores_of(app):
    """The table of scores as the page shows it; a link by its address."""
    (markup,) = [
        str(node.proto.body) for node in app.main if node.type == "html" and "linked" in node.proto.body
    ]
    table = ElementTree.fromstring(re.search(r"<table>.*</table>", markup)[0])  # noqa: S314 - our own
    head, *rows = [
        [
            cell.find("a").get("href") if cell.find("a") is not None else "".join(cell.itertext())
            for cell in row
        ]
        for row in table.iter("tr")
    ]
    return pd.DataFrame(rows, columns=head)


@pytest.fixture(scope="module")
def bare_run(made_cohort, tmp_path_factory):
    """A run whose cohort no expert marked."""
    folder = tmp_path_factory.mktemp("bare")
    bare = shutil.copytree(made_cohort, folder / "cohort")
    shutil.rmtree(bare / "CheXlocalize")
    return make_run(folder / "run", bare)


def test_distributions_answer_with_means_and_say_the_threshold(opened, made_run):
    app = opened("distributions", made_run.folder)
    words = words_of(app)
    assert words.index("**Grad-CAM** ") < words.index("**LIME** "), "the best first"
    assert "Otsu's threshold of the evidence for the pathology" in words
    table = scores_of(app)
    assert len(table) == 40
    assert f"radiograph={image_id(1)}" in "".join(table["Worst case"])


def test_one_method_alone_and_each_figure(opened, made_run):
    for figure, said in {
        "iou": "Box: middle 50 % of the radiographs",
        "hit": "maximum lies inside",
        "probability": "Spearman's rank correlation between IoU and predicted probability: LRP",
        "lesion": "Spearman's rank correlation between IoU and area (share of the radiograph)",
    }.items():
        app = opened("distributions", made_run.folder, figure=figure, methods="lrp")
        assert said in words_of(app)
        assert set(scores_of(app)["Method"]) == {"LRP"}


def test_a_view_without_radiographs(opened, made_run):
    app = opened("distributions", made_run.folder, radiographs="lateral")
    assert "These radiographs have not been scored" in words_of(app)
    assert "linked" not in words_of(app)


def test_the_full_slice_counts_more(opened, made_run):
    rows = {
        which: scores_of(opened("distributions", made_run.folder, slice=which))["n"].astype(int).sum()
        for which in ("true positive", "full")
    }
    assert rows["full"] > rows["true positive"] > 0


def test_each_criterion_has_its_cards(opened, made_run):
    for criterion, said in {
        "best": "LIME: highest IoU among 2 radiographs",
        "worst": "LIME: lowest IoU among 2 radiographs",
        "probability": "Highest probability among 2 radiographs with an expert contour",
        "disagreed": "Largest difference between methods among 2 radiographs",
        "wrong": "Labelled negative, but the predicted probability is",
    }.items():
        words = words_of(opened("selection", made_run.folder, criterion=criterion))
        assert said in words
        assert "Open in Compare" in words


def test_multilabel_of_two_chosen_pathologies(opened, made_run):
    words = words_of(
        opened("selection", made_run.folder, criterion="multilabel", first="Edema", second="Cardiomegaly")
    )
    assert words.count("<p>Highest joint probability among 2 radiographs labelled positive for both") == 2
    words = words_of(opened("selection", made_run.folder, criterion="multilabel"))
    assert "No radiograph in this run meets this criterion." in words


def test_without_contours_there_is_no_iou_and_it_is_said(opened, bare_run):
    assert "Experts have marked nothing in this cohort" in words_of(opened("distributions", bare_run.folder))
    assert "Experts have marked nothing in this cohort" in words_of(opened("selection", bare_run.folder))
    assert "Open in Compare" in words_of(opened("selection", bare_run.folder, criterion="wrong"))


@pytest.mark.parametrize("page", PAGES)
def test_a_run_that_has_only_begun_and_one_of_a_single_method(opened, made_run, tmp_path, page):
    for name, methods in (("begun", TITLES), ("single", ["gradcam"])):
        kept = {method: made_run.manifest.methods[method] for method in methods}
        manifest = replace(
            made_run.manifest,
            methods=kept,
            cohort={**made_run.manifest.cohort, "path": str(made_run.cohort_folder)},
        )
        run = Run.create_or_resume(tmp_path / name, manifest)
        if name == "single":
            scores = made_run.scores.query("method == 'gradcam'")
            run.write_scores(scores.to_dict("records"), made_run.segmentation)
        words = words_of(opened(page, run.folder))
        if page == "distributions" and name == "begun":
            assert "These radiographs have not been scored" in words
            assert "experts" not in words


def test_methods_are_compared_on_the_same_radiographs(opened, made_run):
    app = opened("distributions", made_run.folder, figure="methods")
    assert "Friedman's test on each pathology separately, with one value per patient" in words_of(app)
    ranks = app.dataframe[0].value
    assert ranks["Patients"].tolist() == [one.patients for one in rank_methods(made_run.scores, list(TITLES))]
    pairs = app.dataframe[1].value
    expected = compare_pairs(made_run.scores, list(TITLES)).query("n > 0")
    assert len(pairs) == len(expected)
    assert sorted(pairs["Difference"]) == pytest.approx(sorted(expected["mean_difference"]))


@pytest.mark.parametrize("lesion", ["lesions", "elongation", "irrectangularity"])
def test_iou_is_shown_against_each_feature_of_the_lesions(opened, made_run, lesion):
    app = opened("distributions", made_run.folder, figure="lesion", lesion=lesion)
    assert f"rank correlation between IoU and {FEATURES[lesion]}" in words_of(app)


def test_masks_of_others_stand_on_every_page(opened, made_run, made_cohort, tmp_path):
    rle = maskUtils.encode(np.asfortranarray(expert_rectangle(1, (120, 100)).astype(np.uint8)))
    theirs = {image_id(1): {"Edema": {"size": rle["size"], "counts": rle["counts"].decode()}}}
    (tmp_path / "theirs.json").write_text(json.dumps(theirs))
    run, _ = import_segmentations(
        tmp_path / "theirs.json",
        open_cohort(made_cohort),
        tmp_path / "run",
        name="unet",
        title="U-Net",
        beside=made_run,
    )
    score_run(run, open_cohort(made_cohort), PRESETS["default"])
    for page in (*PAGES, "compare", "overview"):
        words = words_of(opened(page, run.folder))
        assert page not in {"distributions", "methods"} or "U-Net" in words


@pytest.mark.parametrize("page", ["distributions", "selection"])
def test_a_damaged_table_and_lost_radiographs_are_said(opened, made_run, tmp_path, page):
    damaged = shutil.copytree(made_run.folder, tmp_path / "run")
    manifest = (damaged / "manifest.json").read_text(encoding="utf-8")
    path = made_run.manifest.cohort["path"]
    (damaged / "manifest.json").write_text(
        manifest.replace(f'"{path}"', f'"{made_run.cohort_folder}"'), encoding="utf-8"
    )
    (damaged / "scores.parquet").write_bytes(b"no table")
    assert "scores.parquet: not a readable table" in words_of(opened(page, damaged))


def test_a_damaged_radiograph_leaves_the_other_cards(opened, tmp_path):
    run = make_run(tmp_path / "run", make_cohort(tmp_path / "cohort"))
    (damaged,) = (run.cohort_folder / "CheXpert" / "val" / "patient00001").rglob("*.jpg")
    damaged.write_bytes(b"no image")
    words = words_of(opened("selection", run.folder, criterion="wrong"))
    assert "the image file is not a DICOM, PNG, JPEG or TIFF file" in words
    assert "Open in Compare" in words


def test_methods_say_their_settings_and_limits(opened, made_run, tmp_path):
    words = words_of(opened("methods", made_run.folder))
    for equation in range(1, 7):
        assert rf"\qquad ({equation})" in words
    assert words.count("**Known limits**") == 4
    assert "What not to conclude" in words
    assert "Gaussian process" not in words, "this run's settings do not sample by themselves"
    manifest = made_run.manifest
    settings = {
        "output": "logit",
        "sampling": {"first": 800, "step": 100, "budget": 1300, "reliability": 0.97},
    }
    methods = {
        **manifest.methods,
        "lime": {"title": "LIME", "settings": settings},
        "new": {"title": "New", "settings": {"x": 1}},
    }
    run = Run.create_or_resume(
        tmp_path / "run",
        replace(manifest, methods=methods, cohort={**manifest.cohort, "path": str(made_run.cohort_folder)}),
    )
    words = words_of(opened("methods", run.folder))
    assert "at most 1300 times" in words
    assert "Gaussian process" in words
    assert "There is no description of this yet." in words
    assert "- x: 1." in words


def test_an_untrained_network_is_named_on_every_page(opened, made_cohort, tmp_path):
    run = make_run(tmp_path / "run", made_cohort, trained=False)
    for page in PAGES:
        assert "Untrained network" in words_of(opened(page, run.folder))


def test_distributions_says_that_readers_are_held_against_each_other(opened, tmp_path):
    run = make_run(tmp_path / "run", make_readers_cohort(tmp_path / "cohort"))
    for figure in ("iou", "hit"):
        words = words_of(opened("distributions", run.folder, figure=figure))
        assert "Dotted line: the readers' mean" in words
        assert "each reader's boxes against those of each other reader" in words
        assert "contour" not in words


def test_what_location_alone_gives_stands_before_every_mean(opened, tmp_path):
    """The made heatmaps are noise, and the experts' rectangles much alike: location wins."""
    cohort = make_cohort(tmp_path / "cohort", count=18)
    run = make_run(tmp_path / "run", cohort)
    words = words_of(opened("distributions", run.folder))
    assert "has not been measured for this run" in words
    measure_yardsticks(run, open_cohort(cohort), PRESETS["default"])
    app = opened("distributions", run.folder)
    words = words_of(app)
    assert words.index("No method beats location alone.") < words.index("Mean IoU")
    (table,) = [frame.value for frame in app.dataframe if "Less location" in frame.value]
    assert list(table["Map"]) == [*TITLES.values(), *BASELINES.values()]
    card = words_of(opened("selection", run.folder))
    assert "Location alone: IoU 0." in card


def test_a_damaged_table_of_yardsticks_is_said_and_withholds_no_case(opened, made_run, tmp_path):
    shutil.copytree(made_run.folder, tmp_path / "run")
    (tmp_path / "run" / "yardsticks.parquet").write_bytes(b"none")
    assert "yardsticks.parquet: not a readable table" in words_of(opened("distributions", tmp_path / "run"))
    assert "Edema" in words_of(opened("selection", tmp_path / "run"))
