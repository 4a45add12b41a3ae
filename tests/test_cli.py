"""The command line: what it says where its input is wrong, and that it never shows a traceback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from shamsul_core.cli import app
from shamsul_core.cohort import open_cohort
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation
from shamsul_core.run import Run
from shamsul_core.scoring import score_run
from shamsul_core.segmentation import PRESETS
from tests.made import image_id


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(result):
    return " ".join(result.output.split())


def test_explain_then_score(made_cohort, tmp_path):
    run = tmp_path / "run"
    about = ("--cohort", made_cohort, "--model", "untrained", "--run", run)
    done = call("explain", *about, "--method", "gradcam", "--pathology", "Airspace Opacity")
    assert done.exit_code == 0, done.output
    assert "3 radiographs explained, 0 before, 0 unreadable" in said(done)
    assert "untrained network" in said(done)
    assert set(Run.open(run).scores["pathology"]) == {"Lung Opacity"}
    again = call("explain", *about, "--method", "gradcam", "--pathology", "Lung Opacity")
    assert "0 radiographs explained, 3 before" in said(again)
    other = call("explain", *about, "--method", "lrp", "--pathology", "Lung Opacity")
    assert other.exit_code == 1
    assert "contains a run that differs in methods; give another folder" in said(other)
    scored = call("score", "--run", run, "--preset", "paper")
    assert scored.exit_code == 0
    assert Run.open(run).segmentation["sign"] == "signed"


def test_tuned_masks_outlast_a_resumed_run(made_cohort, tmp_path):
    run, tuned = tmp_path / "run", tmp_path / "tuned.csv"
    tuned.write_text("threshold,task\n0.7,Edema\n", encoding="utf-8")
    about = ("--cohort", made_cohort, "--model", "untrained", "--run", run, "--preset", "paper")
    call("explain", *about, "--method", "gradcam", "--pathology", "Edema")
    call("score", "--run", run, "--thresholds", tuned)
    masks = {"sign": "signed", "thresholds": {"Edema": 0.7}, "probability_cutoffs": None, "smoothing": 0}
    assert Run.open(run).segmentation == masks, "the run's own preset"
    scores = Run.open(run).scores
    Run.open(run).path_of(image_id(1)).unlink()
    again = call("explain", *about, "--method", "gradcam", "--pathology", "Edema")
    assert "1 radiographs explained, 2 before" in said(again)
    assert Run.open(run).segmentation == masks
    pd.testing.assert_frame_equal(Run.open(run).scores, scores)


def test_an_interrupted_score_leaves_the_scores_as_they_were(made_run, made_cohort, tmp_path):
    run = Run.open(shutil.copytree(made_run.folder, tmp_path / "run"))
    before = (run.folder / "scores.parquet").read_bytes()

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_run(run, open_cohort(made_cohort), PRESETS["paper"], interrupt)
    assert (run.folder / "scores.parquet").read_bytes() == before
    score_run(run, open_cohort(made_cohort), PRESETS["paper"])
    assert run.segmentation["sign"] == "signed"


def test_a_method_that_fails_everywhere_and_most_radiographs_unread_are_told_and_exit_with_1(
    made_cohort, tmp_path, monkeypatch
):
    def fail(*_):
        message = "planted"
        raise ValueError(message)

    about = ("--model", "untrained", "--pathology", "Edema", "--method", "gradcam")
    with monkeypatch.context() as patch:
        patch.setattr(LayerwiseRelevancePropagation, "explain", fail)
        done = call("explain", "--cohort", made_cohort, "--run", tmp_path / "one", *about, "--method", "lrp")
    assert done.exit_code == 1
    assert f"{tmp_path / 'one'}: not one heatmap of LRP could be made or scored" in said(done)
    assert "3 radiographs explained" in said(done), "the rest goes on"
    cohort = shutil.copytree(made_cohort, tmp_path / "cohort")
    for number in (1, 2):
        next(cohort.rglob(f"*{image_id(number).split('_')[0]}*/**/*.jpg")).write_bytes(b"cut")
    done = call("explain", "--cohort", cohort, "--run", tmp_path / "two", *about)
    assert done.exit_code == 1
    assert "2 of 3 radiographs could not be read" in said(done)


def test_foreign_text_is_no_markup_and_no_command_to_the_terminal(tmp_path):
    for name in ("[old] cohort", "[/b]", "\x1b[2Jcohort"):
        done = call("explain", "--cohort", tmp_path / name, "--model", "untrained", "--run", tmp_path / "run")
        assert done.exit_code == 1
        assert name.replace("\x1b", "\ufffd") in said(done)
        assert "Traceback" not in done.output
        assert "\x1b[2J" not in done.output


def test_some_of_a_cohort_and_later_the_rest(made_cohort, tmp_path):
    run, ids = tmp_path / "run", tmp_path / "ids.txt"
    about = ("explain", "--cohort", made_cohort, "--model", "untrained", "--run", run)
    about += ("--method", "gradcam", "--pathology", "Edema")
    assert "1 radiographs explained, 0 before" in said(call(*about, "--limit", "1"))
    assert Run.open(run).explained_ids() == [image_id(1)]
    ids.write_text(f"\n{image_id(3)}\n", encoding="utf-8")
    assert "1 radiographs explained, 1 before" in said(call(*about, "--ids", ids))
    assert Run.open(run).explained_ids() == [image_id(1), image_id(3)]
    assert "1 radiographs explained, 2 before" in said(call(*about))
    for text, line in (("nobody", "ids.txt line 1: 'nobody' is no radiograph"), ("", "names no radiograph")):
        ids.write_text(text, encoding="utf-8")
        done = call(*about, "--ids", ids)
        assert done.exit_code == 1
        assert line in said(done)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("explain", "--cohort", "nowhere", "--model", "untrained", "--run", "RUN"), "nowhere"),
        (
            ("explain", "--cohort", "COHORT", "--model", "no.safetensors", "--run", "RUN"),
            "no.safetensors: no such model",
        ),
        (
            ("explain", "--cohort", "COHORT", "--model", "untrained", "--run", "RUN", "--preset", "x"),
            "unknown method or preset 'x'",
        ),
        (
            ("explain", "--cohort", "COHORT", "--model", "untrained", "--run", "RUN", "--method", "x"),
            "unknown method or preset",
        ),
        (
            ("explain", "--cohort", "COHORT", "--model", "untrained", "--run", "RUN", "--split", "test"),
            "test",
        ),
        (("score", "--run", "RUN"), "no run here"),
        (("import-maps", "--maps", "COHORT", "--cohort", "COHORT", "--run", "RUN"), "contains no *_map.pkl"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_no_run(made_cohort, tmp_path, arguments, line):
    places = {"COHORT": made_cohort, "RUN": tmp_path / "run"}
    result = call(*(places.get(argument, argument) for argument in arguments))
    assert result.exit_code == 1
    assert line in said(result)
    assert "Traceback" not in result.output
    assert not (tmp_path / "run").exists()


def test_imports_the_published_maps_and_scores_them(sample, tmp_path):
    about = (
        "--maps",
        sample / "CheXlocalize" / "gradcam_maps_val",
        "--cohort",
        sample,
        "--run",
        tmp_path / "run",
    )
    assert call("import-maps", *about).exit_code == 0
    scores = Run.open(tmp_path / "run").scores.set_index("pathology")
    for pathology, iou, hit in [
        ("Cardiomegaly", 0.366206, 1),
        ("Enlarged Cardiomediastinum", 0.462347, 1),
        ("Lung Opacity", 0.0, 0),
    ]:
        assert scores.loc[pathology, "iou"] == pytest.approx(iou, abs=5e-7)
        assert scores.loc[pathology, "hit"] == hit
    tuned = call(
        "score", "--run", tmp_path / "run", "--thresholds", sample / "CheXlocalize" / "tuning_results.csv"
    )
    assert tuned.exit_code == 0
    assert Run.open(tmp_path / "run").scores.set_index("pathology").loc["Cardiomegaly", "threshold"] == 0.2


def test_maps_that_do_not_fit_are_named_and_the_rest_goes_on(sample, tmp_path):
    maps = tmp_path / "maps"
    shutil.copytree(sample / "CheXlocalize" / "gradcam_maps_val", maps)
    (maps / f"{image_id(1)}_Edema_map.pkl").write_bytes(next(maps.glob("*_Edema_map.pkl")).read_bytes())
    (maps / "patient64541_study1_view1_frontal_Atelectasis_map.pkl").write_bytes(b"cut")
    (maps / "patient64541_study1_view1_frontal_Fracture_map.pkl").symlink_to("gone")
    result = call("import-maps", "--maps", maps, "--cohort", sample, "--run", tmp_path / "run")
    assert result.exit_code == 0
    assert f"its radiograph {image_id(1)} is not in the cohort" in said(result)
    assert "Atelectasis_map.pkl: is damaged" in said(result)
    assert "Fracture_map.pkl" in said(result)
    assert Run.open(tmp_path / "run").scores["iou"].notna().sum() == 3


def test_help_names_every_command():
    shown = call("--help").output
    assert all(command in shown for command in ("explain", "score", "import-maps"))
    # Whatever the folder is called, and wherever the lines break
    assert "".join(str(Path(__file__).parents[1]).split()) not in "".join(shown.split())


def test_going_on_under_other_circumstances_is_told(made_cohort, tmp_path):
    run = tmp_path / "run"
    about = ("explain", "--cohort", made_cohort, "--model", "untrained", "--run", run)
    about += ("--pathology", "Edema", "--method", "gradcam")
    assert "differ" not in said(call(*about, "--limit", 1))
    assert "differ" not in said(call(*about, "--limit", 2)), "under the same"
    path = run / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["versions"]["torch"] = "2.0.1"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    done = said(call(*about))
    assert "explained in parts that differ in torch (2.0.1, " in done


def test_each_method_is_scored_at_its_own_tuned_thresholds(made_run, tmp_path):
    run = shutil.copytree(made_run.folder, tmp_path / "run")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["cohort"]["path"] = str(made_run.cohort_folder)
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    out = tmp_path / "tuned"
    tuned = call("tune", "--run", run, "--out", out / "best.csv", "--cutoffs-out", out / "cutoffs.csv")
    assert tuned.exit_code == 0, tuned.output
    files = {method: out / f"best_{method}.csv" for method in made_run.manifest.methods}
    best = {method: pd.read_csv(path).set_index("task") for method, path in files.items()}
    assert all(set(table["method"]) == {method} for method, table in best.items())
    assert len({tuple(table["threshold"]) for table in best.values()}) > 1, "else nothing would be told apart"

    for given in ([out], list(files.values())):
        done = call("score", "--run", run, *(word for path in given for word in ("--thresholds", path)))
        assert done.exit_code == 0, done.output
        scores = Run.open(run).scores
        for row in scores[(scores["pathology"] == "Edema") & scores["iou"].notna()].itertuples():
            assert row.threshold == best[row.method].loc["Edema", "threshold"]

    before = (run / "scores.parquet").read_bytes()
    shutil.copy(files["lime"], out / "other.csv")
    twice = call("score", "--run", run, "--thresholds", out)
    assert "other.csv" in said(twice)
    assert "best_lime.csv is of method lime too; give one of them" in said(twice).replace("- ", "-")
    (out / "other.csv").write_text("threshold,task,method\n0.5,Edema,unet\n", encoding="utf-8")
    wrong = call("score", "--run", run, "--thresholds", out / "other.csv")
    assert "other.csv: is of method 'unet'; this run has lime, shap, gradcam, lrp" in said(wrong)
    (tmp_path / "empty").mkdir()
    nothing = call("score", "--run", run, "--thresholds", tmp_path / "empty")
    assert "has no CSV with the columns threshold, task" in said(nothing)
    assert [one.exit_code for one in (twice, wrong, nothing)] == [1, 1, 1]
    assert (run / "scores.parquet").read_bytes() == before
