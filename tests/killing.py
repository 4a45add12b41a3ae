"""Kills an engine at moments drawn by chance and lets another go on: ``python -m tests.killing COHORT MODEL FOLDER``.

Each engine is a fork of this process, so that torch is imported and the model read once; torch must have one thread,
since its threads do not outlive a fork. The moments are file
operations (before a file is opened, renamed or removed, and before its bytes are made to reach the disk) and points of
time, drawn from those of an undisturbed run, which is left in ``FOLDER/undisturbed``; the others in ``FOLDER/0``, ...
Prints how many were killed.
"""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import sys
import time
from pathlib import Path

from shamsul_core.classifier.weights import load_classifier
from shamsul_core.cohort import open_cohort
from shamsul_core.engine.plan import Plan, explain_cohort
from shamsul_core.explain import make_explainers
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Run
from shamsul_core.run.provenance import describe_run

MOMENTS = 20
_FILE_OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir"}


class Operations:
    """Counts this process' file operations in a folder, and kills it before one of them."""

    def __init__(self, folder: Path, last: int | None) -> None:
        self.folder, self.last, self.count = str(folder), last, 0
        sync = os.fsync

        def counted_sync(descriptor: int) -> None:
            self.step()
            sync(descriptor)

        os.fsync = counted_sync
        sys.addaudithook(self.seen)

    def seen(self, event: str, arguments: tuple) -> None:
        if event in _FILE_OPERATIONS and str(arguments[0]).startswith(self.folder):
            self.step()

    def step(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def explain(cohort, classifier, folder: Path) -> None:
    explainers = make_explainers("default", ["gradcam", "lrp"])
    manifest = describe_run(folder, cohort, classifier, explainers, ["Edema"], "default")
    run = Run.create_or_resume(folder, manifest)
    explain_cohort(Plan(cohort, classifier, explainers, run, PRESETS["default"]))


def in_a_fork(cohort, classifier, folder: Path, operation: int | None, seconds: float | None) -> int:
    """Explain in another process, killed before a file operation or after some time; return its exit status."""
    pid = os.fork()
    if pid == 0:
        counted = Operations(folder, operation)
        explain(cohort, classifier, folder)
        Path(f"{folder}.operations").write_text(str(counted.count))
        os._exit(0)
    if not select.select([os.pidfd_open(pid)], [], [], seconds)[0]:
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(cohort_folder: Path, model: str, folder: Path) -> None:
    cohort, classifier = open_cohort(cohort_folder), load_classifier(model)
    generator = random.Random(0)  # noqa: S311 draws moments, not secrets
    explain(cohort, classifier, folder / "warm")  # what is imported and prepared late is so in each fork, too
    started = time.monotonic()
    assert in_a_fork(cohort, classifier, folder / "undisturbed", None, None) == 0
    duration = time.monotonic() - started
    operations = int((folder / "undisturbed.operations").read_text())
    killed = 0
    while killed < MOMENTS:
        operation = generator.randint(1, operations) if killed % 2 else None
        seconds = None if killed % 2 else duration * generator.random()
        run_folder = folder / str(killed)
        if in_a_fork(cohort, classifier, run_folder, operation, seconds) == -signal.SIGKILL:
            assert in_a_fork(cohort, classifier, run_folder, None, None) == 0
            killed += 1
        else:  # it was done before its time was up
            shutil.rmtree(run_folder)
    print(killed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
