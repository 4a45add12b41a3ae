"""The engine on a made cohort: what it writes, how it goes on, what a failure leaves."""

from __future__ import annotations

import dataclasses
import os
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock

from shamsul_core.cohort import open_cohort
from shamsul_core.engine.plan import Plan, explain_cohort, explain_one
from shamsul_core.engine.rescoring import score_run
from shamsul_core.explain import EXPLAINERS
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.lime import Lime
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Run, RunError
from shamsul_core.run.manifest import ALL, PRESENT_OR_PREDICTED
from shamsul_core.run.provenance import describe_run
from shamsul_core.run.scoring import NOT_ASKED
from shamsul_core.run.wording import mixture_in_words
from shamsul_core.version import software_version
from tests.killing import MOMENTS
from tests.made import image_id

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATHOLOGIES = ("Edema", "Cardiomegaly", "Lung Opacity")
IDS = [image_id(number) for number in (1, 2, 3)]


def make_plan(
    cohort_folder, run_folder, classifier, methods=("gradcam", "lrp"), pathologies=PATHOLOGIES, explained=ALL
):
    cohort = open_cohort(cohort_folder)
    explainers = [EXPLAINERS[name](EXPLAINERS[name].presets["default"]) for name in methods]
    manifest = describe_run(run_folder, cohort, classifier, explainers, pathologies, "default", explained)
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


def test_only_what_is_present_or_predicted_is_explained(made_cohort, tmp_path, classifier):
    """Labelled positive and marked: Edema and Cardiomegaly of the first two; the rest only where predicted."""
    plan = make_plan(made_cohort, tmp_path / "run", classifier, explained=PRESENT_OR_PREDICTED)
    steps = []
    explain_cohort(plan, steps.append)
    assert len(steps) == 3 * plan.steps
    predictions = plan.run.predictions.set_index("image_id")
    for name in IDS:
        wanted = {one for one in PATHOLOGIES if predictions.loc[name, one] >= 0.5}
        wanted |= set() if name == IDS[2] else {"Edema", "Cardiomegaly"}
        assert {one.pathology for one in plan.run.read(name).heatmaps} == wanted
    scores = plan.run.scores
    reasons = scores.loc[scores["mask_area_px"].isna(), "reason"]
    assert not plan.run.failures.shape[0]
    assert set(reasons) <= {NOT_ASKED}
    assert make_plan(made_cohort, tmp_path / "run", classifier, explained=PRESENT_OR_PREDICTED)
    with pytest.raises(RunError, match="pathologies"):
        make_plan(made_cohort, tmp_path / "run", classifier)


def test_nothing_is_done_twice(plan, monkeypatch):
    explain_cohort(plan)
    before = {path: path.stat().st_mtime_ns for path in plan.run.folder.rglob("*.safetensors")}
    monkeypatch.setattr("shamsul_core.engine.plan.explain_one", lambda *_: pytest.fail("explained twice"))
    monkeypatch.setattr("shamsul_core.engine.plan.score_result", lambda *_: pytest.fail("scored twice"))
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
    monkeypatch.setattr("shamsul_core.engine.plan.explain_one", lambda *_: pytest.fail("explained again"))
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
    assert "another process is working on this run" in caught[0]


def test_a_full_disk_is_one_line_and_loses_nothing(made_cohort, tmp_path, classifier):
    """A real one: a file system of so few pages that the second result does not fit."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=80k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may mount nothing")
    try:
        plan = make_plan(made_cohort, folder / "run", classifier)
        with pytest.raises(
            OSError, match=r"No space left on device; .*free some space and run the same command again"
        ):
            explain_cohort(plan)
        assert not list(folder.rglob("*.part"))
        explained = plan.run.explained_ids()
        assert 1 <= len(explained) < len(IDS)
        written = plan.run.path_of(explained[0]).stat().st_mtime_ns
        subprocess.run(["mount", "-o", "remount,size=1m", str(folder)], check=True)
        assert explain_cohort(plan).explained == len(IDS) - len(explained)
        assert plan.run.path_of(explained[0]).stat().st_mtime_ns == written
        undisturbed = make_plan(made_cohort, tmp_path / "undisturbed", classifier)
        explain_cohort(undisturbed)
        tables_equal(plan.run, undisturbed.run)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_file_that_cannot_grow_is_one_line_and_loses_nothing(plan):
    """As a full disk, for those who may not mount: no file of this process grows beyond 30 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        with pytest.raises(OSError, match=r"free some space and run the same command again: .*safetensors"):
            explain_cohort(plan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(plan.run.folder.rglob("*.part"))
    assert plan.run.explained_ids() == []
    assert explain_cohort(plan).explained == len(IDS)


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(made_cohort, tmp_path, small_model):
    command = ("tests.killing", made_cohort, small_model, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.stdout.split() == [str(MOMENTS)], done.stderr
    undisturbed = Run.open(tmp_path / "undisturbed")
    assert undisturbed.explained_ids() == IDS
    for moment in range(MOMENTS):
        killed = Run.open(tmp_path / str(moment))
        tables_equal(killed, undisturbed)
        for name in IDS:
            assert killed.path_of(name).read_bytes() == undisturbed.path_of(name).read_bytes()
        created = undisturbed.manifest.created
        assert dataclasses.replace(killed.manifest, created=created) == undisturbed.manifest
        assert not list(killed.folder.rglob("*.part"))


def test_scores_say_how_far_the_sampling_came(made_cohort, tmp_path, classifier):
    plan = make_plan(made_cohort, tmp_path / "run", classifier, ("lime", "gradcam"), ("Edema",))
    settings = dataclasses.replace(
        plan.explainers[0].settings, sampling=AdaptiveSampling(first=240, budget=240, reliability=1.1)
    )
    plan = dataclasses.replace(plan, explainers=[Lime(settings), plan.explainers[1]])
    plan.run.write(explain_one(plan, plan.cohort.radiographs[IDS[0]], lambda _: None))
    score_run(plan.run, plan.cohort, plan.segmentation)
    lime, gradcam = (plan.run.scores.set_index("method").loc[name] for name in ("lime", "gradcam"))
    assert (lime["converged"], lime["evaluations"], lime["standard_error"] > 0) == (False, 240, True)
    assert gradcam["converged"] is pd.NA
    assert gradcam["evaluations"] == 0
    assert np.isnan(gradcam["standard_error"])


def test_a_map_that_is_not_a_number_is_a_failure_and_the_rest_is_scored(plan):
    explain_cohort(plan)
    result = plan.run.read(IDS[0])
    broken, *others = result.heatmaps
    broken = dataclasses.replace(broken, values=np.full_like(broken.values, np.nan))
    plan.run.write(dataclasses.replace(result, heatmaps=(broken, *others)))
    before = plan.run.scores
    score_run(plan.run, plan.cohort, plan.segmentation)
    (failure,) = plan.run.failures.to_dict("records")
    assert (failure["image_id"], failure["step"], failure["method"]) == (IDS[0], "explain", broken.method)
    assert "not a map of finite values" in failure["error"]
    assert len(plan.run.scores) == len(before)


def test_a_run_made_half_in_another_precision_says_so(made_cohort, tmp_path, classifier, monkeypatch):
    """As when it goes on on another machine; 16 bits and 32 give other values."""
    for count, precision in ((1, torch.float32), (2, torch.bfloat16), (3, torch.bfloat16)):
        monkeypatch.setitem(vars(classifier), "fast_dtype", precision)
        plan = make_plan(made_cohort, tmp_path / "run", classifier, ("gradcam",), ("Edema",))
        explain_cohort(plan, image_ids=IDS[:count])
    manifest = Run.open(plan.run.folder).manifest
    assert [one["precision"] for one in manifest.made_with.values()] == ["float32", "bfloat16"]
    made = [manifest.made_with[plan.run.read_record(name).made_with] for name in IDS]
    assert [one["precision"] for one in made] == ["float32", "bfloat16", "bfloat16"]
    assert torch.__version__.startswith(made[0]["versions"]["torch"])
    assert made[0]["software"] == software_version()
    assert made[0]["device"] == "cpu"
    assert mixture_in_words(manifest).startswith(
        "explained in parts that differ in precision (float32, bfloat16); "
    )
