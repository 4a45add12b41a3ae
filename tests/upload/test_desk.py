"""The desk: what comes back, in which order, and that it serves the next reader whatever happened to the last."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from itertools import pairwise

import numpy as np
import pytest

from shamsul_core.classifier import load_classifier
from shamsul_core.labels import LOCALISED_PATHOLOGIES
from shamsul_core.metrics.localisation import iou
from shamsul_core.segmentation import PRESETS, segment
from shamsul_core.upload import desk as desk_module
from shamsul_core.upload.desk import Desk, Job
from shamsul_core.upload.held import held_cohort, held_run
from shamsul_core.upload.intake import Intake
from tests.made import made_pixels

PIXELS = made_pixels(260, 220)


@pytest.fixture(scope="module")
def desk(small_model):
    opened = Desk(str(small_model))
    yield opened
    opened.close()


def follow(desk, job, until, seconds=120.0):
    """Look at a job, as its page does, until something holds of it."""
    deadline = time.monotonic() + seconds
    while not until(job):
        assert time.monotonic() < deadline, (job.state, job.reason, job.method, job.passes)
        desk.look(job)
        threading.Event().wait(0.02)
    return job


def is_over(job):
    return job.is_over


@pytest.fixture(scope="module")
def served(desk):
    """A job that is done, and the methods in the order in which they came."""
    job, order = desk.ask(PIXELS), []

    def noting(one):
        order.extend(name for name in list(one.outcomes) if name not in order)
        return one.is_over

    return follow(desk, job, noting), order


def test_the_quick_methods_come_first_and_all_come(served, small_model):
    job, order = served
    assert job.state == "done"
    assert order == ["gradcam", "lrp", "lime", "shap"]
    assert job.probabilities == pytest.approx(load_classifier(str(small_model)).predict(PIXELS), abs=1e-4)
    for heatmaps, failures in job.outcomes.values():
        assert [one.pathology for one in heatmaps] == list(LOCALISED_PATHOLOGIES)
        assert failures == []


def test_it_is_held_as_a_run_of_one_with_the_scores_of_the_readers_contour(served, desk):
    job, _ = served
    cohort = held_cohort(Intake(PIXELS))
    run = held_run(job, desk.about, cohort, "2026-01-01T00:00:00+00:00")
    assert run.scores["iou"].isna().all()
    contour = np.array([[20, 30], [150, 30], [150, 200], [20, 200]], float)
    cohort.drawn["Edema"] = (contour,)
    run = held_run(job, desk.about, cohort, "2026-01-01T00:00:00+00:00")
    expert = np.zeros(PIXELS.shape, bool)
    expert[30:201, 20:151] = True
    scores = run.scores.set_index(["pathology", "method"])
    heatmap = run.heatmap(cohort.radiograph.id, "gradcam", "Edema")
    mask = segment(heatmap, PIXELS.shape, PRESETS["default"]).mask
    assert scores.loc[("Edema", "gradcam"), "iou"] == pytest.approx(iou(mask, expert), abs=1e-9)
    assert scores["iou"].notna().sum() == 4
    cohort.load("Edema", ~expert)
    run = held_run(job, desk.about, cohort, "2026-01-01T00:00:00+00:00")
    assert set(run.scores.query("pathology == 'Edema'")["expert_area_px"]) == {PIXELS.size - expert.sum()}


def test_the_same_picture_has_the_same_id_and_another_another():
    ids = [held_cohort(Intake(one)).radiograph.id for one in (PIXELS, PIXELS.copy(), PIXELS.T)]
    assert ids[0] == ids[1] != ids[2]


def test_readers_wait_in_turn_and_one_who_cancels_leaves_the_queue(desk):
    first, second, third = (desk.ask(PIXELS) for _ in range(3))
    follow(desk, first, lambda one: one.passes > 0)
    assert [desk.look(one) for one in (first, second, third)] == [0, 1, 2]
    assert second.state == "waiting"
    desk.cancel(second)
    desk.cancel(first)
    follow(desk, third, lambda one: "gradcam" in one.outcomes)
    assert first.state == second.state == "cancelled"
    assert second.outcomes == {}
    desk.cancel(third)


def test_nobody_needs_to_look_at_a_job_for_it_to_be_served(desk):
    unseen, other = desk.ask(PIXELS), desk.ask(PIXELS)
    follow(desk, other, lambda one: "gradcam" in one.outcomes)
    assert unseen.state == "done"
    desk.cancel(other)


def test_a_radiograph_that_its_reader_replaced_is_not_before_the_next(desk):
    replaced, waiting_replaced, mine = (desk.ask(PIXELS) for _ in range(3))
    follow(desk, replaced, lambda one: one.state == "working")
    desk.cancel(replaced)
    desk.cancel(waiting_replaced)
    assert desk.look(mine) == 0
    follow(desk, mine, lambda one: "gradcam" in one.outcomes)
    desk.cancel(mine)


def test_the_time_left_is_measured_and_never_rises(small_model):
    times = [0.0]
    desk = Desk(str(small_model), clock=lambda: times[0])
    try:
        job = follow(desk, desk.ask(PIXELS), lambda one: one.passes > 0)
        desk.cancel(job)
        budget = desk.about.methods["lime"]["settings"]["sampling"]["budget"]
        measured = Job(PIXELS)
        left = []
        # Ten passes a second at first, then three times slower, then quicker than ever
        for seconds, passes in ((0, 0), (10, 100), (20, 200), (80, 300), (140, 400), (141, budget - 100)):
            times[0] = seconds
            desk._hear(measured, ("passes", "lime", passes))
            left.append(measured.left_s)
        assert left[:2] == [None, pytest.approx((budget - 100) / 10)]
        assert left[2] == pytest.approx((budget - 200) / 10)
        assert all(later <= earlier for earlier, later in pairwise(left[1:]))
        assert left[-1] == pytest.approx(100 * 141 / (budget - 100))
        times[0] += 1000
        assert measured.left_s == left[-1], "it does not change by itself"
        desk._hear(measured, ("done",))
        again = Job(PIXELS)
        times[0] = 0
        for seconds, passes in ((0, 0), (10, 100)):
            times[0] = seconds
            desk._hear(again, ("passes", "lime", passes))
        assert again.left_s == pytest.approx((budget - 200) / 10), "as many as the one before needed"
    finally:
        desk.close()


def test_a_worker_that_never_loads_its_model_keeps_nobody_waiting(small_model, monkeypatch):
    monkeypatch.setattr(desk_module, "_SLOWEST_START_S", 0.0)
    desk = Desk(str(small_model))
    try:
        job = follow(desk, desk.ask(PIXELS), is_over)
        assert job.state == "failed"
        assert "could not be loaded" in job.reason
    finally:
        desk.close()


def test_a_worker_that_is_killed_is_a_sentence_and_the_next_is_served(desk):
    job = desk.ask(PIXELS)
    follow(desk, job, lambda one: "gradcam" in one.outcomes)
    os.kill(desk._process.pid, signal.SIGKILL)
    follow(desk, job, is_over)
    assert job.state == "failed"
    assert "Press Explain again" in job.reason
    assert "gradcam" in job.outcomes
    again = follow(desk, desk.ask(PIXELS), lambda one: "gradcam" in one.outcomes or one.is_over)
    assert again.reason == ""
    desk.cancel(again)


def test_a_model_that_is_missing_is_a_sentence_and_works_once_it_is_there(small_model, tmp_path):
    path = tmp_path / "later.safetensors"
    desk = Desk(str(path))
    try:
        job = follow(desk, desk.ask(PIXELS), is_over)
        assert job.state == "failed"
        assert str(path.name) in job.reason
        assert "Traceback" not in job.reason
        shutil.copy(small_model, path)
        again = follow(desk, desk.ask(PIXELS), lambda one: "gradcam" in one.outcomes or one.is_over)
        assert again.reason == ""
    finally:
        desk.close()
    assert again.state == "cancelled"


def test_the_server_that_asks_does_not_import_torch(tmp_path):
    import subprocess
    import sys

    code = "import sys, dashboard.uploading; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
