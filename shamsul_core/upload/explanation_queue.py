"""The queue of readers' radiographs before one worker process that explains them with one model."""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from shamsul_core.classifier.source import ModelSource
from shamsul_core.upload.job import Job, Offer
from shamsul_core.upload.worker_process import WorkerError, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt


_SLOWEST_START_S = 300.0
"""A worker that has not loaded its model by then never will."""

_LONGEST_SILENCE_S = 60.0
"""A worker that explains speaks many times a second, and every few seconds on a slow machine: one that is silent for so
long hangs or was stopped. It speaks from the thread that computes, so that what hangs there is not hidden."""

_WARMING_PASSES = 32
"""The first forward passes are no measure of the speed of all: they come a few at a time."""

_LOOK_S = 0.1
"""How often it is looked at whether a worker is overdue, or its reader gave up."""

_log = logging.getLogger("shamsul")


class ExplanationQueue:
    """One worker process for all readers; it begins to load its model at once, and ends with the server.

    Whatever happens to the worker or to a job, the job fails with a sentence within a bounded time, and the next is served
    by a fresh worker. What the queue's thread waits for it waits for until the worker is ended by a second thread: a pipe
    can be waited on without end in the middle of a message, in either direction.

    Parameters
    ----------
    model
        As `shamsul_core.classifier.weights.load_classifier` takes it.
    pathologies
        What to explain; where the model has an output for none of them, all that it predicts.
    clock
        Seconds from anywhere, which never run backwards.
    start_s, silence_s
        A worker that has not loaded its model, or has not said a word while it should explain, for so many seconds is
        ended.
    """

    def __init__(
        self,
        model: str | ModelSource,
        pathologies: Sequence[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        start_s: float = _SLOWEST_START_S,
        silence_s: float = _LONGEST_SILENCE_S,
    ) -> None:
        self.model = ModelSource.of(model).absolute()
        self.pathologies = tuple(pathologies)
        self.offer: Offer | None = None
        self._clock = clock
        self._start_s, self._silence_s = start_s, silence_s
        self._passes_needed: int | None = None
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._worker: WorkerProcess | None = None
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
        self._thread.start()
        threading.Thread(target=self._watch, name="queue watch", daemon=True).start()
        atexit.register(self.close)

    def ask(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> Job:
        """Queue a radiograph, uint8, H × W."""
        job = Job(pixels)
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()
        return job

    def look(self, job: Job) -> int:
        """Return how many are served before a job; those given up are none."""
        with self._changed:
            if job not in self._jobs:
                return 0
            return sum(not other.is_over for other in list(self._jobs)[: self._jobs.index(job)])

    def cancel(self, job: Job) -> None:
        """Give a job up; one that is being worked on ends at the worker's next look."""
        with self._changed:
            if job.state == "waiting" and job in self._jobs and job is not self._jobs[0]:
                self._jobs.remove(job)
            if not job.is_over:
                job.state = "cancelled"
                job.version += 1
                self._changed.notify_all()

    def forget(self, job: Job) -> None:
        """Give a job up, and let nothing of it stay in the worker, which is replaced: at once, or after another's job."""
        self.cancel(job)
        with self._changed:
            if self._worker is not None:
                self._worker.is_spent = self._worker.has_seen
            self._changed.notify_all()

    def close(self) -> None:
        """End the worker and give all jobs up."""
        with self._changed:
            self._is_closed = True
            for job in self._jobs:
                job.state = job.state if job.is_over else "cancelled"
            self._changed.notify_all()
        self._thread.join(10)
        atexit.unregister(self.close)

    # In the queue's own thread

    def _run(self) -> None:
        failed = ""
        while not self._is_closed:
            # A worker that ended while nobody waited is replaced; one that cannot be started is tried again for the next job
            failed = failed or self._prepare()
            with self._changed:
                self._changed.wait_for(self._is_wanted, timeout=None if failed else 1)
                job = self._jobs[0] if self._jobs else None
            if job is None:
                continue
            failed = self._prepare()
            reason = failed or self._serve(job)
            with self._changed:
                self._jobs.popleft()
                if reason and not job.is_over:
                    job.reason, job.state = reason, "failed"
                    job.version += 1
        self._stop()

    def _is_wanted(self) -> bool:
        is_spent = self._worker is not None and self._worker.is_spent
        return bool(self._jobs) or self._is_closed or is_spent

    def _watch(self) -> None:
        """End a worker that is overdue; whatever the queue's thread waits for then ends as well."""
        while self._thread.is_alive():
            worker = self._worker
            if worker is not None and (self._is_closed or self._clock() > worker.due):
                worker.process.kill()
            self._thread.join(_LOOK_S)

    def _prepare(self) -> str:
        """Start a worker unless one is alive; return why there is none, a sentence, empty where there is one."""
        worker = self._worker
        if worker is not None and not worker.is_spent and worker.process.poll() is None:
            return ""
        self._stop()
        try:
            self._start()
        except WorkerError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next job is served
            if not self._is_closed:
                _log.exception("The explaining process could not be started")
            why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
            reason = f"The explaining process could not be started{why}; the server's log has the reason."
            if self._is_overdue():
                reason = f"The model could not be loaded within {self._start_s / 60:.0f} minutes."
        else:
            return ""
        self._stop()
        return reason

    def _start(self) -> None:
        """Start a worker and hear what it can do.

        Raises
        ------
        WorkerError
            If the worker cannot use the model.
        Exception
            Whatever a process that cannot be started, or one that does not say what it should, leads to.
        """
        self._worker = worker = WorkerProcess.start(self.model, self.pathologies)
        worker.due = self._clock() + self._start_s
        told = worker.connection.recv()
        if told[0] == "broken":
            message = f"The model cannot be used: {told[1]}"
            raise WorkerError(message)
        self.offer = Offer(told[1], told[2], tuple(told[3]))
        worker.due = math.inf

    def _serve(self, job: Job) -> str:
        """Have a job explained; return why it could not be, a sentence, empty where it could or where it says so itself."""
        worker = self._worker
        with self._changed:
            if job.is_over or worker is None:
                return ""
            job.state, worker.has_seen = "working", True
        is_told = False
        try:
            worker.due = self._clock() + self._silence_s
            worker.connection.send(("explain", job.pixels))
            while True:
                if job.is_cancelled and worker.is_spent:
                    return ""
                if job.is_cancelled and not is_told:
                    worker.connection.send(("cancel",))
                    is_told = True
                if not worker.connection.poll(_LOOK_S):
                    continue
                told = worker.connection.recv()
                if not is_told:  # what was told to end has so long for its last word, whatever else it says
                    worker.due = self._clock() + self._silence_s
                if self._hear(job, told):
                    worker.due = math.inf
                    return ""
        except Exception as error:  # noqa: BLE001 - whatever it is, the next job is served
            if not isinstance(error, (EOFError, ConnectionError)):
                _log.exception("The explaining process did not say what it should")
            reason = "The process computing the heatmaps stopped. Press Explain again to restart it."
            if self._is_overdue():
                reason = (
                    f"The process computing the heatmaps did not answer for {self._silence_s:.0f} seconds and was ended. "
                    "Press Explain again to restart it."
                )
            self._stop()
            return reason

    def _is_overdue(self) -> bool:
        return self._worker is not None and self._clock() > self._worker.due

    def _hear(self, job: Job, told: tuple[Any, ...]) -> bool:
        """Take what the worker said into the job; return whether it was its last word; refuse what it never says."""
        if job.is_cancelled:
            return told[0] in ("done", "failed", "cancelled")
        if told[0] == "predicted":
            job.probabilities, job.novelty = told[1], told[2]
        elif told[0] == "passes":
            job.method, job.passes = str(told[1]), int(told[2])
            self._measure(job)
        elif told[0] == "explained":
            job.outcomes[told[1]] = (told[2], told[3])
        elif told[0] == "failed":
            job.reason, job.state = f"The radiograph could not be explained: {told[1]}", "failed"
        elif told[0] == "done":
            job.state = "done"
            self._passes_needed = job.passes or self._passes_needed
        else:
            message = f"unknown word {told[0]!r}"
            raise ValueError(message)
        job.version += told[0] != "passes"
        return told[0] in ("done", "failed")

    def _measure(self, job: Job) -> None:
        """Estimate how long the forward passes will take that are still to come."""
        needed = self._passes_needed or self._most_passes()
        if job.measured_from is None or job.passes < _WARMING_PASSES:
            job.measured_from = (self._clock(), job.passes)
            return
        begun, before = job.measured_from
        done = job.passes - before
        if needed and done:
            job.share = max(job.share, min(1.0, job.passes / needed))
            left = max(0, needed - job.passes) * (self._clock() - begun) / done
            job.left_s = left if job.left_s is None else min(left, job.left_s)

    def _most_passes(self) -> int:
        """Return as many forward passes as the methods take at most; they share them."""
        settings = [method["settings"] for method in (self.offer.methods if self.offer else {}).values()]
        budgets = [
            method["sampling"]["budget"] for method in settings if isinstance(method.get("sampling"), dict)
        ]
        return max(budgets, default=0)

    def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()
