"""The page overview without a browser: what it says of runs of all kinds, and that it never shows a traceback."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.summary import cohort_table
from shamsul_core.report import _chapters
from shamsul_core.report.chapter import Words
from shamsul_core.run import Run
from shamsul_core.statistics.prediction.discrimination import evaluate
from tests.made import make_cohort, make_run

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "pages" / "overview.py"


@pytest.fixture
def opened(monkeypatch):
    def open_page(run: Path, **query: str) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", "--run", str(run)])
        page = AppTest.from_file(PAGE, default_timeout=60)
        page.query_params.update(query)
        page.run()
        assert not page.exception
        return page

    return open_page


def said(page: AppTest) -> str:
    kinds = (page.header, page.caption, page.info, page.warning, page.error, page.markdown)
    html = [one.proto.body for one in page.get("html")]
    return " ".join([str(one.value) for kind in kinds for one in kind] + html)


def relabelled(cohort: Path, folder: Path, label: str) -> Path:
    """A copy of a cohort in which every label is another."""
    copy = shutil.copytree(cohort, folder)
    path = copy / "CheXpert" / "val_labels.csv"
    with path.open(newline="", encoding="utf-8") as file:
        head, *lines = list(csv.reader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *([*line[:5], *[label] * (len(line) - 5)] for line in lines)])
    return copy


@pytest.mark.parametrize(("split", "is_said"), [("val", True), ("train", False)])
def test_a_leak_is_said_where_the_card_names_the_split(
    opened, made_run, made_cohort, tmp_path, split, is_said
):
    shutil.copytree(made_cohort, tmp_path / "cohort")
    run = shutil.copytree(made_run.folder, tmp_path / "run")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["cohort"]["path"] = "../cohort"
    manifest["model"]["card"] = {
        "trained_on": "radiographs",
        "cohorts": [{"layout": "chexpert", "split": split}],
    }
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert ("Leak between training and test" in said(opened(run))) == is_said
    chapter, *_ = [
        one for one in _chapters_of(run, tmp_path / "cohort") if one.title == "How well the model predicts"
    ]
    first = chapter.blocks[0]
    assert (isinstance(first, Words) and "Leak between training and test" in str(first)) == is_said


def _chapters_of(run: Path, cohort: Path):
    opened_cohort = open_cohort(cohort)
    labels = cohort_table(opened_cohort)
    return _chapters(Run.open(run), opened_cohort, labels, labels, "fixed")


def test_the_answer_stands_first(opened, made_run, made_cohort):
    page = opened(made_run.folder)
    performance = evaluate(made_run.predictions, cohort_table(open_cohort(made_cohort)))
    assert [metric.value for metric in page.metric] == [
        f"{performance.weighted.loc[name, 'value']:.2f}" for name in ("auroc", "auprc")
    ]
    words = said(page)
    assert page.header[0].value == "Cohort “cohort”, validation set"
    assert "3 of 3 radiographs predicted · model made, trained · 1 failed" in words
    assert "The paper reports" not in words
    assert "No interval: this takes at least 10 patients with each label." in words
    assert "Not in the weighted averages: No Finding" in words
    assert "not evaluated: no positive" in words
    assert "For research, not for diagnosis" in words


def test_the_papers_averages_stand_beside_those_of_its_own_radiographs(opened, made_run, monkeypatch):
    patients = frozenset(name.split("_")[0] for name in made_run.explained_ids())
    monkeypatch.setattr("shamsul_core.cohort.patients.CHEXPERT_VALIDATION", patients)
    page = opened(made_run.folder)
    assert page.header[0].value == "CheXpert validation set"
    assert "The paper reports 0.76." in said(page)
    assert "The paper reports 0.65." in said(page)


def test_a_run_without_failures_says_so(opened, made_run, tmp_path):
    folder = shutil.copytree(made_run.folder, tmp_path / "run")
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    path = made_run.manifest.cohort["path"]
    (folder / "manifest.json").write_text(
        manifest.replace(f'"{path}"', f'"{made_run.cohort_folder}"'), encoding="utf-8"
    )
    made_run.failures.iloc[:0].to_parquet(folder / "failures.parquet")
    assert "0 failed." in said(opened(folder, part="Run"))


def test_youden_and_u_zeros_change_the_table(opened, made_run):
    plain, youden = said(opened(made_run.folder)), said(opened(made_run.folder, threshold="Youden"))
    zeros = said(opened(made_run.folder, u_zeros="true"))
    both = said(opened(made_run.folder, threshold="Youden", u_zeros="true"))

    def threshold_in(words):
        row = words.split(">Edema</th>")[1].split("</tr>")[0]
        return row.split("<td>")[-1].split("</td>")[0]  # the last plain cell, before the rates

    assert threshold_in(plain) == "0.50"
    assert threshold_in(youden) != "0.50"
    assert threshold_in(both) == threshold_in(youden), "one threshold"
    assert ">Pneumonia</th><td>0</td><td>1</td><td>2</td>" in plain
    assert ">Pneumonia</th><td>0</td><td>3</td><td>0</td>" in zeros


@pytest.mark.parametrize("part", ["Precision-recall", "Calibration", "Cohort", "Run"])
def test_every_part_opens(opened, made_run, part):
    page = opened(made_run.folder, part=part)
    words = said(page)
    if part == "Run":
        assert "made to fail" in words
        assert "fingerprint" in words
    else:
        assert len(page.get("image")) >= 2


def test_an_untrained_network_is_labelled(opened, made_cohort, tmp_path):
    words = said(opened(make_run(tmp_path / "run", made_cohort, trained=False).folder))
    assert "Untrained network: its predictions and heatmaps mean nothing." in words
    assert "model made, untrained" in words


@pytest.mark.parametrize(
    ("label", "words"), [("", "have no labels"), ("-1.0", "have no labels"), ("1.0", "no negative")]
)
def test_without_labels_of_both_kinds_it_says_so(opened, made_cohort, tmp_path, label, words):
    run = make_run(tmp_path / "run", relabelled(made_cohort, tmp_path / "cohort", label))
    for part in ("ROC", "Calibration"):
        assert words in said(opened(run.folder, part=part))


def test_one_radiograph(opened, tmp_path):
    run = make_run(tmp_path / "run", make_cohort(tmp_path / "cohort", 1))
    for part in ("ROC", "Precision-recall", "Calibration", "Cohort", "Run"):
        words = said(opened(run.folder, part=part))
        assert "1 of 1 radiographs predicted" in words
        assert "nan" not in words.lower().replace("nano", "")


def test_a_run_without_predictions_yet(opened, made_cohort, tmp_path):
    run = make_run(tmp_path / "run", made_cohort)
    for name in ("predictions", "scores", "failures"):
        (run.folder / f"{name}.parquet").unlink()
    words = said(opened(run.folder))
    assert "has no predictions yet" in words
    assert "0 of 3 radiographs predicted" in words


def test_a_damaged_table_is_one_sentence(opened, made_cohort, tmp_path):
    run = make_run(tmp_path / "run", made_cohort)
    (run.folder / "predictions.parquet").write_bytes(b"cut")
    assert "predictions.parquet: not a readable table" in said(opened(run.folder))


def test_a_radiograph_that_left_the_cohort_and_a_missing_probability_do_no_harm(
    opened, made_cohort, tmp_path
):
    run = make_run(tmp_path / "run", made_cohort)
    table = run.predictions
    table.loc[0, "Edema"] = np.nan
    table.loc[1, "image_id"] = "patient99999_study1_view1_frontal"
    table.drop(columns="Fracture").to_parquet(run.folder / "predictions.parquet")
    assert len(Run.open(run.folder).predictions) == 3
    words = said(opened(run.folder))
    assert "Edema" in words
    assert ">Fracture</th>" not in words


def test_what_is_wrong_with_the_cohort_is_listed_and_what_is_alike_is_counted(opened, made_cohort, tmp_path):
    cohort = shutil.copytree(made_cohort, tmp_path / "cohort")
    labels = cohort / "CheXpert" / "val_labels.csv"
    *_, last = labels.read_text(encoding="utf-8").splitlines()
    with labels.open("a", encoding="utf-8") as file:
        file.writelines(last.replace("patient00003", f"patient{number}") + "\n" for number in range(100, 120))
    run = make_run(tmp_path / "run", cohort)
    shutil.rmtree(cohort / "CheXlocalize")
    words = said(opened(run.folder, part="Cohort"))
    assert words.count("there is no file for") == 3
    assert "and 17 more like these, 20 in all" in words
    assert "there is no CheXlocalize/gt_segmentations_val.json beside the radiographs" in words


def test_of_a_cohort_without_problems_none_is_listed(opened, made_run):
    assert "What its files lack" not in said(opened(made_run.folder, part="Cohort"))
