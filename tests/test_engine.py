"""The engine on a made cohort: what it writes, how it goes on, what a failure leaves."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from shamsul_core.cohort import open_cohort
from shamsul_core.engine import Plan, explain_cohort, score_run
from shamsul_core.explain import EXPLAINERS
from shamsul_core.provenance import describe_run
from shamsul_core.run import Run, RunError
from shamsul_core.segmentation import PRESETS
from tests.made import image_id

ROOT = Path(__file__).parents[1]
PATHOLOGIES = ("Edema", "Cardiomegaly", "Lung Opacity")
IDS = [image_id(number) for number in (1, 2, 3)]


def make_plan(cohort_folder, run_folder, classifier, methods=("gradcam", "lrp"), pathologies=PATHOLOGIES):
    cohort = open_cohort(cohort_folder)
    explainers = [EXPLAINERS[name](EXPLAINERS[name].presets["default"]) for name in methods]
    manifest = describe_run(run_folder, cohort, classifier, explainers, pathologies, "default")
    return Plan(
        cohort, classifier, explainers, Run.create_or_resume(run_folder, manifest), PRESETS["default"]
    )


@pytest.fixture
def plan(made_cohort, tmp_path, classifier):
    return make_plan(made_cohort, tmp_path / "run", classifier)


def tables_equal(one, other):
    for name in ("predictions", "scores", "failures"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_explains_predicts_and_scores_all(plan):
    steps = []
    summary = explain_cohort(plan, steps.append)
    assert (summary.explained, summary.explained_before, summary.unreadable, summary.failures) == (3, 0, 0, 0)
    assert len(steps) == 3 * plan.steps
    assert plan.run.explained_ids() == IDS
    predictions = plan.run.predictions.set_index("image_id")
    for name, radiograph in plan.cohort.radiographs.items():
        expected = plan.classifier.predict(radiograph.pixels())
        assert predictions.loc[name].to_dict() == pytest.approx(expected)
    scores = plan.run.scores
    assert len(scores) == 3 * 2 * 3
    with_contour = scores[(scores["pathology"] != "Lung Opacity") & (scores["image_id"] != IDS[2])]
    assert with_contour["hit"].isin([0, 1]).all()
    assert (with_contour["expert_area_px"] > 0).all()
    assert (with_contour["iou"].notna() | with_contour["reason"].notna()).all()
    without = scores[~scores.index.isin(with_contour.index)]
    assert without["iou"].isna().all()
    assert without["reason"].notna().all()


def test_nothing_is_done_twice(plan, monkeypatch):
    explain_cohort(plan)
    before = {path: path.stat().st_mtime_ns for path in plan.run.folder.rglob("*.safetensors")}
    monkeypatch.setattr("shamsul_core.engine.explain_one", lambda *_: pytest.fail("explained twice"))
    monkeypatch.setattr("shamsul_core.engine.score_result", lambda *_: pytest.fail("scored twice"))
    summary = explain_cohort(plan)
    assert (summary.explained, summary.explained_before) == (0, 3)
    assert {path: path.stat().st_mtime_ns for path in plan.run.folder.rglob("*.safetensors")} == before


def test_an_unreadable_radiograph_is_a_failure_tried_again_and_the_rest_goes_on(
    made_cohort, tmp_path, classifier
):
    folder = shutil.copytree(made_cohort, tmp_path / "cohort")
    path = folder / "CheXpert" / "val" / "patient00002" / "study1" / "view1_frontal.jpg"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    plan = make_plan(folder, tmp_path / "run", classifier)
    summary = explain_cohort(plan)
    assert (summary.explained, summary.unreadable) == (2, 1)
    (failure,) = plan.run.failures.to_dict("records")
    assert failure["image_id"] == IDS[1]
    assert failure["step"] == "read"
    assert "view1_frontal.jpg" in failure["error"]
    path.write_bytes(whole)
    assert explain_cohort(plan).explained == 1
    assert plan.run.failures.empty
    undisturbed = make_plan(made_cohort, tmp_path / "other", classifier)
    explain_cohort(undisturbed)
    tables_equal(plan.run, undisturbed.run)


def test_a_method_that_fails_is_named_and_its_scores_say_why(made_cohort, tmp_path, classifier):
    plan = make_plan(made_cohort, tmp_path / "run", classifier, ("gradcam",), ("Edema", "Broken Heart"))
    explain_cohort(plan)
    failures = plan.run.failures
    assert len(failures) == 3
    assert (failures["step"] == "explain").all()
    assert (failures["pathology"] == "Broken Heart").all()
    broken = plan.run.scores.query("pathology == 'Broken Heart'")
    assert broken["reason"].str.contains("no output for it").all()
    assert broken["iou"].isna().all()


def test_a_damaged_result_is_made_again(plan):
    explain_cohort(plan)
    path = plan.run.path_of(IDS[0])
    whole = plan.run.read(IDS[0])
    path.write_bytes(b"half a file")
    assert explain_cohort(plan).explained == 1
    np.testing.assert_array_equal(plan.run.read(IDS[0]).heatmaps[0].values, whole.heatmaps[0].values)


def test_scores_are_made_again_without_explaining(plan, monkeypatch):
    explain_cohort(plan)
    before = plan.run.scores
    monkeypatch.setattr("shamsul_core.engine.explain_one", lambda *_: pytest.fail("explained again"))
    score_run(plan.run, plan.cohort, PRESETS["paper"])
    assert plan.run.segmentation == PRESETS["paper"].to_json()
    assert not plan.run.scores["iou"].equals(before["iou"])
    score_run(plan.run, plan.cohort, PRESETS["default"])
    pd.testing.assert_frame_equal(plan.run.scores, before)


def test_two_engines_never_work_on_one_run(plan):
    with FileLock(plan.run.folder / ".lock"):
        caught = []

        def second():
            try:
                explain_cohort(plan)
            except RunError as error:
                caught.append(str(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "another engine is at work on this run" in caught[0]


def test_a_full_disk_loses_nothing(plan, monkeypatch):
    explain_cohort(dataclasses.replace(plan, explainers=plan.explainers))
    scores = plan.run.scores
    plan.run.path_of(IDS[1]).unlink()

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            explain_cohort(plan)
    assert not list(plan.run.folder.rglob("*.part"))
    assert explain_cohort(plan).explained == 1
    pd.testing.assert_frame_equal(plan.run.scores, scores)


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(made_cohort, tmp_path):
    """kill -9 of the real command, some times, each later; then once to the end."""
    command = [
        *(
            sys.executable,
            "-m",
            "shamsul_core",
            "explain",
            "--cohort",
            str(made_cohort),
            "--model",
            "untrained",
        ),
        *("--method", "gradcam", "--pathology", "Edema"),
    ]
    run_folder = tmp_path / "killed"
    kills = 0
    for results_before_the_kill in (0, 1, 2):
        process = subprocess.Popen(
            [*command, "--run", str(run_folder)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None:
            if (
                len(list(run_folder.glob("heatmaps/patient*"))) >= results_before_the_kill
                and run_folder.exists()
            ):
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
                break
            time.sleep(0.001)  # polling another process; nothing is timed by it
    assert kills
    for folder in (run_folder, tmp_path / "undisturbed"):
        done = subprocess.run(
            [*command, "--run", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    killed, undisturbed = Run.open(run_folder), Run.open(tmp_path / "undisturbed")
    tables_equal(killed, undisturbed)
    for name in IDS:
        assert killed.path_of(name).read_bytes() == undisturbed.path_of(name).read_bytes()
