"""The queue: what comes back, in which order, and that it serves the next reader whatever happened to the last."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from shamsul_core.classifier.weights import load_classifier
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import PRESETS, segment
from shamsul_core.upload.explanation_queue import ExplanationQueue
from shamsul_core.upload.in_memory import cohort_of_intake, run_of_job
from shamsul_core.upload.intake import Intake
from shamsul_core.upload.job import Job, Offer
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.made import made_pixels
from tests.upload import scripted_worker

pytestmark = pytest.mark.slow

PIXELS = made_pixels(260, 220)


@pytest.fixture(scope="module")
def queue(tmp_path_factory):
    """A queue before a worker that explains nothing, but says what the real one says."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("scripted")
        scripted_worker.install(patch, folder)
        opened = ExplanationQueue(str(folder))
        yield opened
        opened.close()


def follow(queue, job, until, seconds=300.0):
    """Look at a job, as its page does, until something holds of it."""
    deadline = time.monotonic() + seconds
    while not until(job):
        assert time.monotonic() < deadline, (job.state, job.reason, job.method, job.passes)
        queue.look(job)
        threading.Event().wait(0.02)
    return job


def is_over(job):
    return job.is_over


@dataclass
class Served:
    """What the real worker did with a radiograph: the job when it was done, the methods in the order in which they came."""

    job: Job
    order: list[str]
    offer: Offer
    limits: str


@pytest.fixture(scope="module")
def served(small_model):
    queue = ExplanationQueue(str(small_model), LOCALISED_PATHOLOGIES)
    job, order = queue.ask(PIXELS), []

    def noting(job):
        order.extend(name for name in list(job.outcomes) if name not in order)
        return job.is_over

    follow(queue, job, noting)
    limits = Path(f"/proc/{queue._worker.process.pid}/limits").read_text(encoding="utf-8")
    queue.close()
    return Served(job, order, queue.offer, limits)


def test_the_quick_methods_come_first_and_all_come(served, small_model):
    job = served.job
    assert job.state == "done"
    assert served.order == ["gradcam", "lrp", "lime", "shap"]
    assert job.probabilities == pytest.approx(load_classifier(str(small_model)).predict(PIXELS), abs=1e-4)
    for heatmaps, failures in job.outcomes.values():
        assert [one.pathology for one in heatmaps] == list(LOCALISED_PATHOLOGIES)
        assert failures == []


def test_it_is_held_as_a_run_of_one_with_the_scores_of_the_readers_contour(served):
    job = served.job
    cohort = cohort_of_intake(Intake(PIXELS))
    run = run_of_job(job, served.offer, cohort, "2026-01-01T00:00:00+00:00")
    assert run.scores["iou"].isna().all()
    contour = np.array([[20, 30], [150, 30], [150, 200], [20, 200]], float)
    cohort.drawn["Edema"] = (contour,)
    run = run_of_job(job, served.offer, cohort, "2026-01-01T00:00:00+00:00")
    expert = np.zeros(PIXELS.shape, bool)
    expert[30:201, 20:151] = True
    scores = run.scores.set_index(["pathology", "method"])
    heatmap = run.heatmap(cohort.radiograph.id, "gradcam", "Edema")
    mask = segment(heatmap, PIXELS.shape, PRESETS["default"]).mask
    assert scores.loc[("Edema", "gradcam"), "iou"] == pytest.approx(iou(mask, expert), abs=1e-9)
    assert scores["iou"].notna().sum() == 4
    cohort.load("Edema", ~expert)
    run = run_of_job(job, served.offer, cohort, "2026-01-01T00:00:00+00:00")
    assert set(run.scores.query("pathology == 'Edema'")["expert_area_px"]) == {PIXELS.size - expert.sum()}


def test_the_same_picture_has_the_same_id_and_another_another():
    ids = [cohort_of_intake(Intake(one)).radiograph.id for one in (PIXELS, PIXELS.copy(), PIXELS.T)]
    assert ids[0] == ids[1] != ids[2]


def test_readers_wait_in_turn_and_one_who_cancels_leaves_the_queue(queue):
    first, second, third = (queue.ask(PIXELS) for _ in range(3))
    follow(queue, first, lambda job: job.passes > 0)
    assert [queue.look(one) for one in (first, second, third)] == [0, 1, 2]
    assert second.state == "waiting"
    queue.cancel(second)
    queue.cancel(first)
    follow(queue, third, lambda job: "gradcam" in job.outcomes)
    assert first.state == second.state == "cancelled"
    assert second.outcomes == {}
    queue.cancel(third)


def test_nobody_needs_to_look_at_a_job_for_it_to_be_served(queue):
    unseen, other = queue.ask(PIXELS), queue.ask(PIXELS)
    follow(queue, other, lambda job: "gradcam" in job.outcomes)
    assert unseen.state == "done"
    queue.cancel(other)


def test_a_radiograph_that_its_reader_replaced_is_not_before_the_next(queue):
    replaced, waiting_replaced, mine = (queue.ask(PIXELS) for _ in range(3))
    follow(queue, replaced, lambda job: job.state == "working")
    queue.cancel(replaced)
    queue.cancel(waiting_replaced)
    assert queue.look(mine) == 0
    follow(queue, mine, lambda job: "gradcam" in job.outcomes)
    queue.cancel(mine)


def test_the_time_left_is_measured_and_never_rises(queue):
    times = [0.0]
    queue = ExplanationQueue(queue.model, clock=lambda: times[0])
    try:
        job = follow(queue, queue.ask(PIXELS), lambda job: job.passes > 0)
        queue.cancel(job)
        budget = queue.offer.methods["lime"]["settings"]["sampling"]["budget"]
        measured = Job(PIXELS)
        left = []
        # Ten passes a second at first, then three times slower, then quicker than ever
        for seconds, passes in ((0, 0), (10, 100), (20, 200), (80, 300), (140, 400), (141, budget - 100)):
            times[0] = seconds
            queue._hear(measured, ("passes", "lime", passes))
            left.append(measured.left_s)
        assert left[:2] == [None, pytest.approx((budget - 100) / 10)]
        assert left[2] == pytest.approx((budget - 200) / 10)
        assert all(later <= earlier for earlier, later in pairwise(left[1:]))
        assert left[-1] == pytest.approx(100 * 141 / (budget - 100))
        times[0] += 1000
        assert measured.left_s == left[-1], "it does not change by itself"
        queue._hear(measured, ("done",))
        again = Job(PIXELS)
        times[0] = 0
        for seconds, passes in ((0, 0), (10, 100)):
            times[0] = seconds
            queue._hear(again, ("passes", "lime", passes))
        assert again.left_s == pytest.approx((budget - 200) / 10), "as many as the one before needed"
    finally:
        queue.close()


def test_a_worker_that_never_loads_its_model_keeps_nobody_waiting(queue):
    queue = ExplanationQueue(queue.model, start_s=0.0)
    try:
        job = follow(queue, queue.ask(PIXELS), is_over)
        assert job.state == "failed"
        assert "could not be loaded" in job.reason
    finally:
        queue.close()


def test_a_worker_that_is_killed_is_a_sentence_and_the_next_is_served(queue):
    job = queue.ask(PIXELS)
    follow(queue, job, lambda job: "gradcam" in job.outcomes)
    os.kill(queue._worker.process.pid, signal.SIGKILL)
    follow(queue, job, is_over)
    assert job.state == "failed"
    assert "Press Explain again" in job.reason
    assert "gradcam" in job.outcomes
    again = follow(queue, queue.ask(PIXELS), lambda job: "gradcam" in job.outcomes or job.is_over)
    assert again.reason == ""
    queue.cancel(again)


def test_a_model_that_is_missing_is_a_sentence_and_works_once_it_is_there(queue, tmp_path):
    path = tmp_path / "later.safetensors"
    queue = ExplanationQueue(str(path))
    try:
        job = follow(queue, queue.ask(PIXELS), is_over)
        assert job.state == "failed"
        assert job.reason == f"The model cannot be used: {path}: there is no such file"
        path.touch()
        again = follow(queue, queue.ask(PIXELS), lambda job: "gradcam" in job.outcomes or job.is_over)
        assert again.reason == ""
    finally:
        queue.close()
    assert again.state == "cancelled"


def test_what_a_worker_saw_goes_with_it_at_once_or_after_anothers_job(queue):
    mine = follow(queue, queue.ask(PIXELS), lambda job: job.passes > 0)
    first = queue._worker.process
    queue.forget(mine)
    theirs = queue.ask(PIXELS)
    follow(queue, theirs, lambda job: job.passes > 0)
    assert first.poll() is not None, "it was not waited for until it looked up"
    second = queue._worker.process
    queue.forget(mine)
    follow(queue, theirs, is_over)
    assert theirs.state == "done", "what another asked for is explained to its end"
    third = follow(queue, queue.ask(PIXELS), lambda job: job.passes > 0)
    assert second.poll() is not None
    queue.cancel(third)


def test_no_process_that_holds_a_radiograph_leaves_a_core_dump(served):
    assert re.search(r"Max core file size +0 +0 ", served.limits)


def test_a_worker_that_saw_nothing_is_not_replaced(queue):
    fresh = ExplanationQueue(queue.model)
    try:
        while fresh.offer is None:
            threading.Event().wait(0.02)
        before = fresh._worker.process
        fresh.forget(Job(PIXELS))
        follow(fresh, fresh.ask(PIXELS), lambda job: job.passes > 0)
        assert fresh._worker.process is before
    finally:
        fresh.close()


# What can happen to a worker, each with the next reader served after it


class Clock:
    """The time, which a test can put forward."""

    def __init__(self):
        self.later = 0.0

    def __call__(self):
        return time.monotonic() + self.later


@pytest.mark.parametrize("when", ["while it explains", "before it is asked"])
def test_a_worker_that_is_stopped_is_ended_and_the_next_is_served(queue, when):
    clock = Clock()
    queue = ExplanationQueue(queue.model, clock=clock)
    try:
        # Larger than what a pipe holds: who sends it to a stopped process waits as well
        large, first = made_pixels(2000, 1800), queue.ask(PIXELS)
        follow(queue, first, lambda job: job.passes > 0)
        if when == "before it is asked":
            follow(queue, first, is_over)
            os.kill(queue._worker.process.pid, signal.SIGSTOP)
        job, following = queue.ask(large), queue.ask(PIXELS)
        if when == "while it explains":
            queue.cancel(first)
            follow(queue, job, lambda job: job.state == "working" and job.probabilities)
            os.kill(queue._worker.process.pid, signal.SIGSTOP)
        follow(queue, job, lambda job: job.state == "working")
        clock.later += 61
        follow(queue, job, is_over, 30)
        assert job.state == "failed"
        assert "did not answer for 60 seconds" in job.reason
        assert "Press Explain again" in job.reason
        follow(queue, following, lambda job: "gradcam" in job.outcomes or job.is_over)
        assert following.reason == ""
    finally:
        queue.close()


WORKER = """
import os, signal, sys
from multiprocessing.connection import Connection
from pathlib import Path
connection, good = Connection(int(sys.argv[3])), Path({good!r})
if not good.exists():
    {start}
connection.send(("ready", {{}}, {{}}, []))
while connection.recv()[0] == "explain":
    if not good.exists():
        {answer}
    connection.send(("done",))
"""
SAYS = {
    "what is no pickle": "connection.send_bytes(b'no pickle')",
    "what cannot be made here": "connection.send_bytes(b'cno_such_module\\nthing\\n.')",
    "something else": "connection.send(('passes', 'lime', 'many'))",
    "a number": "connection.send(7)",
    "a word out of place": "connection.send(('cancelled',))",
    "half of it and no more": "os.write(connection.fileno(), b'\\0\\0\\1\\0half'); signal.pause()",
    "nothing": "signal.pause()",
    "nothing, for it is stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "nothing, for it ended": "os._exit(1)",
}


@pytest.mark.parametrize("when", ["start", "answer"])
@pytest.mark.parametrize("says", SAYS)
def test_whatever_a_worker_says_the_job_fails_with_a_sentence_and_the_next_is_served(
    tmp_path, monkeypatch, when, says
):
    good = tmp_path / "good"
    does = {"start": "pass", "answer": "pass", when: SAYS[says]}
    scripted_worker.install_program(monkeypatch, tmp_path, ["-c", WORKER.format(good=str(good), **does)])
    clock = Clock()
    queue = ExplanationQueue("a model", clock=clock)
    try:
        job = queue.ask(PIXELS)
        if when == "answer":
            follow(queue, job, lambda job: job.state == "working" or job.is_over)
        deadline = time.monotonic() + 60
        while not job.is_over:
            assert time.monotonic() < deadline
            clock.later += 50
            threading.Event().wait(0.05)
        assert job.state == "failed"
        assert job.reason.endswith(("has the reason.", "5 minutes.", "restart it."))
        good.touch()
        assert follow(queue, queue.ask(PIXELS), is_over, 60).state == "done"
    finally:
        queue.close()


def test_a_worker_that_cannot_be_started_is_a_sentence_and_is_tried_again_for_the_next(queue, monkeypatch):
    python = sys.executable
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    queue = ExplanationQueue(queue.model)
    try:
        for _ in range(2):
            job = follow(queue, queue.ask(PIXELS), is_over, 30)
            assert job.state == "failed"
            assert "could not be started (No such file or directory)" in job.reason
        monkeypatch.setattr(sys, "executable", python)
        again = follow(queue, queue.ask(PIXELS), lambda job: "gradcam" in job.outcomes or job.is_over)
        assert again.reason == ""
    finally:
        queue.close()


def test_no_descriptor_is_lost_where_a_worker_cannot_be_started(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    queue = ExplanationQueue("a model")
    try:
        follow(queue, queue.ask(PIXELS), is_over, 30)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(5):
            follow(queue, queue.ask(PIXELS), is_over, 30)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before
    finally:
        queue.close()
