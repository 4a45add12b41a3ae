"""The command line: what it says where its input is wrong, and that it never shows a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torchvision
from typer.testing import CliRunner

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.weights import save_classifier
from shamsul_core.cli import app
from shamsul_core.cohort import open_cohort
from shamsul_core.engine.rescoring import score_run
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Run
from shamsul_core.vocabulary import OBSERVATIONS
from tests.made import image_id, make_cohort

pytestmark = pytest.mark.slow


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


def test_names_of_ones_own_pair_a_model_with_a_cohort(made_cohort, tmp_path):
    model = save_tiny(tmp_path / "tiny.safetensors", ("Mass", "Nodule"))
    run, names = tmp_path / "run", tmp_path / "names.toml"
    about = ("--cohort", made_cohort, "--model", model, "--run", run, "--method", "gradcam", "--only-marked")
    alone = call("explain", *about)
    assert alone.exit_code == 1
    assert "it predicts Mass, Nodule; --names pairs what has two names" in said(alone)
    names.write_text('[observations]\n"Mass" = "Edema"\n', encoding="utf-8")
    done = call("explain", *about, "--names", names, "--pathology", "Mass")
    assert done.exit_code == 0, done.output
    assert "2 radiographs explained" in said(done), "the third is not marked"
    scores = Run.open(run).scores
    assert set(scores["pathology"]) == {"Mass"}
    assert set(scores["label"]) == {1.0}
    expected = open_cohort(made_cohort).annotation(image_id(1), "Edema").area
    assert scores.set_index("image_id").loc[image_id(1), "expert_area_px"] == expected
    other = call("explain", *about, "--pathology", "Mass")
    assert "contains a run that differs in names of observations" in said(other)


def save_tiny(path, pathologies):
    """Write an untrained ResNet-18 of these outputs on 32 × 32."""
    network = torchvision.models.resnet18(num_classes=len(pathologies)).eval()
    made = Classifier(
        network, pathologies, Preprocessing(size_px=32), "made", is_trained=False, architecture="resnet18"
    )
    save_classifier(made, path)
    return path


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


def with_absent_files(cohort, folder, count):
    """A copy of a cohort whose label file names `count` radiographs more than there are."""
    copy = shutil.copytree(cohort, folder)
    labels = copy / "CheXpert" / "val_labels.csv"
    *_, last = labels.read_text(encoding="utf-8").splitlines()
    absent = [last.replace("patient00003", f"patient{number:05d}") for number in range(100, 100 + count)]
    with labels.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in absent)
    return copy


def test_many_absent_files_are_three_lines_a_count_and_a_file(made_cohort, tmp_path):
    cohort, run = with_absent_files(made_cohort, tmp_path / "cohort", 1000), tmp_path / "run"
    about = ("--cohort", cohort, "--run", run)
    done = call("explain", *about, "--model", "untrained", "--method", "gradcam", "--pathology", "Edema")
    assert done.exit_code == 0
    told = [line for line in done.output.splitlines() if "val_labels.csv line" in line]
    assert [line.split(":")[0] for line in told] == [f"val_labels.csv line {number}" for number in (5, 6, 7)]
    assert f"and 997 more like these, 1,000 in all; see {run / 'problems.txt'}" in said(done)
    everything = (run / "problems.txt").read_text(encoding="utf-8").splitlines()
    assert len(everything) == 1000
    assert "patient01099/study1/view1_frontal.jpg" in everything[-1]


def test_few_problems_are_told_each_and_no_file_is_written(made_cohort, tmp_path):
    cohort, run = with_absent_files(made_cohort, tmp_path / "cohort", 4), tmp_path / "run"
    shutil.rmtree(cohort / "CheXlocalize")
    about = ("--cohort", cohort, "--run", run)
    done = call("explain", *about, "--model", "untrained", "--method", "gradcam", "--pathology", "Edema")
    assert done.output.count("there is no file for") == 4
    assert "there is no CheXlocalize/gt_segmentations_val.json beside the radiographs" in said(done)
    assert not (run / "problems.txt").exists()


def test_failures_that_are_alike_are_three_and_a_count(made_cohort, tmp_path, monkeypatch):
    def fail(_, subject, pathologies):
        message = f"planted in {len(pathologies)} of '{subject}'"
        raise ValueError(message)

    monkeypatch.setattr(LayerwiseRelevancePropagation, "explain", fail)
    about = ("--model", "untrained", "--method", "lrp", "--run", tmp_path / "run")
    done = call("explain", "--cohort", made_cohort, *about, "--pathology", "Edema", "--pathology", "Fracture")
    assert done.output.count("planted") == 3, "one for each of three radiographs"
    make_cohort(tmp_path / "cohort", 9)
    about = (*about[:-1], tmp_path / "nine")
    done = call("explain", "--cohort", tmp_path / "cohort", *about, "--pathology", "Edema")
    assert done.output.count("planted") == 3
    assert f"and 6 more like these, 9 in all; see {tmp_path / 'nine' / 'failures.parquet'}" in said(done)


def test_check_says_what_there_is_and_exits_with_0(made_cohort, tmp_path):
    done = call("check", made_cohort, "--out", tmp_path / "problems.txt")
    assert done.exit_code == 0, done.output
    assert f"{made_cohort}: CheXpert and CheXlocalize, split val, 3 radiographs" in said(done)
    for place in (
        "radiographs CheXpert/val",
        "labels CheXpert/val_labels.csv",
        "gt_segmentations CheXlocalize/gt_segmentations_val.json",
    ):
        assert place in said(done)
    # Three radiographs: two marked with Edema and uncertain of pneumonia, no label blank
    assert "labels positive uncertain negative blank marked as" in said(done)
    assert "Edema 2 0 1 0 2 contour" in said(done)
    assert "Pneumonia 0 2 1 0 -" in said(done)
    assert "Consolidation 0 0 3 0 0 contour" in said(done)
    assert "3 of 3 radiographs can be used, 0 problems" in said(done)
    assert not (tmp_path / "problems.txt").exists()


def test_check_opens_every_radiograph_and_counts_what_is_alike(made_cohort, tmp_path):
    cohort, out = with_absent_files(made_cohort, tmp_path / "cohort", 20), tmp_path / "all.txt"
    damaged = cohort / "CheXpert" / "val" / "patient00003" / "study1" / "view1_frontal.jpg"
    damaged.write_bytes(b"no image, and no expert marked it")
    done = call("check", cohort, "--out", out)
    assert done.exit_code == 0
    assert f"{damaged}: " in said(done)
    assert f"and 17 more like these, 20 in all; see {out}" in said(done)
    assert "2 of 3 radiographs can be used, 21 problems" in said(done)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 21


def test_check_exits_with_1_where_nothing_can_be_used(made_cohort, tmp_path):
    cohort = shutil.copytree(made_cohort, tmp_path / "cohort")
    for path in cohort.rglob("*.jpg"):
        path.write_bytes(b"no image")
    done = call("check", cohort, "--out", tmp_path / "all.txt")
    assert done.exit_code == 1
    assert "0 of 3 radiographs can be used" in said(done)
    assert call("check", tmp_path / "nowhere").exit_code == 1
    (tmp_path / "empty").mkdir()
    done = call("check", tmp_path / "empty")
    assert done.exit_code == 1
    assert "looked for radiographs in" in said(done)


def test_check_says_which_outputs_of_a_model_find_a_partner(made_cohort, small_model, tmp_path):
    cohort = shutil.copytree(made_cohort, tmp_path / "cohort")
    labels = cohort / "CheXpert" / "val_labels.csv"
    table = pd.read_csv(labels).drop(columns=["Fracture", "Lung Lesion"])
    table["Edema"] = None  # but marked by experts
    table.to_csv(labels, index=False)
    done = call("check", cohort, "--model", small_model, "--out", tmp_path / "all.txt")
    assert done.exit_code == 0, done.output
    assert f"{small_model}: 12 of its 14 outputs are labelled or marked here: No Finding, " in said(done)
    assert (
        f"{small_model}: the cohort does not label or mark Lung Lesion (near: Lung Opacity), Fracture"
        in said(done)
    )
    assert "there is no column for Lung Lesion, Fracture; their labels are blank" in said(done)
    table[[name for name in OBSERVATIONS if name in table]] = None
    table.to_csv(labels, index=False)
    shutil.rmtree(cohort / "CheXlocalize")
    done = call("check", cohort, "--model", small_model, "--out", tmp_path / "all.txt")
    assert done.exit_code == 1
    assert "0 of its 14 outputs are labelled or marked here: none" in said(done)


def test_check_tells_layout_and_kind_of_truth(public_samples, tmp_path):
    cohort, out = public_samples / "tbx11k", ("--out", tmp_path / "all.txt")
    done = call("check", cohort, *out)
    assert done.exit_code == 0, done.output
    assert f"{cohort}: COCO JSON, split train, 2 radiographs" in said(done)
    assert "annotations annotations/json/TBX11K_train.json" in said(done)
    assert "ActiveTuberculosis 1 0 1 0 1 box" in said(done)
    assert "ObsoletePulmonaryTuberculosis 0 0 2 0 - -" in said(done)
    alone = call("check", cohort, "--layout", "folder", *out)
    assert f"{cohort}: a folder of images, split all, 2 radiographs" in said(alone)
    assert call("check", cohort, "--layout", "none", *out).exit_code == 1


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
    assert all(command in shown for command in ("explain", "score", "import-maps", "serve"))
    assert "Usage: shamsul [OPTIONS] COMMAND" in shown
    # Nor where the project lies, whatever that folder is called, and wherever the lines break
    package = Path(__file__).parents[2] / "shamsul_core"
    assert "".join(str(package).split()) not in "".join(shown.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "--cohort", "nowhere", "--model", "untrained", "--run", "run"),
        ("train", "--cohort", "nowhere", "--out", "model.safetensors"),
        ("import-maps", "--cohort", "nowhere", "--maps", ".", "--run", "run"),
        ("check", "nowhere", "--model", "untrained"),
        ("score", "--run", "nowhere"),
        ("tune", "--run", "nowhere"),
        ("report", "--run", "nowhere", "--out", "report"),
        ("export", "--run", "nowhere", "--out", "out"),
        ("explain", "--model", "untrained", "--run", "run"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_cohort_or_run_that_is_not_there_is_said_before_anything_heavy_is_imported(arguments, tmp_path):
    program = (
        "import atexit, sys\n"
        "heavy = {'torch', 'torchvision', 'captum', 'matplotlib', 'sklearn', 'scipy', 'dask', 'plotly'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules))))\n"
        "from shamsul_core.cli import app\n"
        "app()\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (1, 2)
    assert "nowhere" in done.stderr or "Missing option '--cohort'" in done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("error", [KeyError("planted"), RuntimeError("planted\nin two lines"), np.ones])
def test_an_error_that_nobody_foresaw_is_one_line_and_with_debug_a_traceback(made_run, monkeypatch, error):
    def fail(*_):
        if error is np.ones:
            np.ones(2) + np.ones(3)  # a ValueError, but numpy's and nobody's input
        raise error

    monkeypatch.setattr("shamsul_core.engine.rescoring.score_run", fail)
    done = call("score", "--run", made_run.folder)
    assert done.exit_code == 1
    (line,) = [one for one in done.output.splitlines() if "unexpected" in one]
    kind = "ValueError: operands could not be" if error is np.ones else f"{type(error).__name__}: "
    assert line.startswith(f"Something unexpected went wrong ({kind}")
    assert "Please report it to those who gave you SHAMSUL" in line
    assert "--debug" in line
    assert "Traceback" not in done.output
    done = call("score", "--run", made_run.folder, "--debug")
    assert done.exit_code == 1
    assert "Traceback (most recent call last)" in done.output
    assert "test_cli.py" in done.output
    assert done.output.splitlines()[-1] == line


def test_an_error_with_a_sentence_for_its_reader_has_no_traceback_even_with_debug(made_cohort, tmp_path):
    about = ("--model", "untrained", "--run", tmp_path / "run", "--pathology", "Edema")
    ids = tmp_path / "ids.txt"
    ids.write_bytes(b"\xff\xfe no text")
    for arguments in (("--ids", ids), ("--ids", tmp_path / "gone.txt"), ("--method", "x")):
        done = call("explain", "--cohort", made_cohort, *about, *arguments, "--debug")
        assert done.exit_code == 1
        assert "Traceback" not in done.output
        assert "unexpected" not in done.output, done.output


def test_every_command_takes_debug():
    for command in app.registered_commands:
        assert "--debug" in call(command.name, "--help").output


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
