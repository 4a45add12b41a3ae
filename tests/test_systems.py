"""On a system that is not Linux: what is missing there is done without, or refused by name."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from shamsul_core.memory import keep_freed_memory
from shamsul_core.run import Run, RunError
from shamsul_core.simulate.cohort import cores
from shamsul_core.upload.explanation_queue import ExplanationQueue
from tests.upload.test_explanation_queue import follow, is_over


def test_cores_are_counted_without_linuxs_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() == os.cpu_count()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_the_allocator_is_left_alone_elsewhere(monkeypatch, system):
    def fails(*_):
        message = "there is no such library"
        raise OSError(message)

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("ctypes.CDLL", fails)
    keep_freed_memory()


def test_a_run_is_read_where_nothing_is_opened_without_waiting(monkeypatch, made_run, tmp_path):
    monkeypatch.delattr(os, "O_NONBLOCK", raising=False)
    assert Run.open(made_run.folder).manifest == made_run.manifest
    assert len(made_run.scores)
    with pytest.raises(RunError, match="no run here"):
        Run.open(tmp_path)


def test_an_upload_is_refused_by_name_on_windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    queue = ExplanationQueue("untrained")
    try:
        job = queue.ask(np.zeros((200, 200), np.uint8))
        follow(queue, job, is_over)
        assert job.state == "failed"
        assert "on Windows, start SHAMSUL in WSL" in job.reason
    finally:
        queue.close()
