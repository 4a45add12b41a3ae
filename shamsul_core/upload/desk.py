"""The desk: one worker process with one model for all readers, and the queue before it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from shamsul_core.upload import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection

    import numpy as np
    import numpy.typing as npt

    from shamsul_core.heatmap import Heatmap

State: TypeAlias = Literal["waiting", "working", "done", "failed", "cancelled"]

FailureWords: TypeAlias = tuple[str, str, str]

_SLOWEST_START_S = 300.0
"""A worker that has not loaded its model by then never will."""

_WARMING_PASSES = 32
"""The first forward passes are no measure of the speed of all: they come a few at a time."""

_LAST_WORD_S = 60.0
"""A worker that has not answered a cancelled job by then is ended, so that the next reader is served."""


class DeskError(RuntimeError):
    """Nothing can be explained; the message is a sentence for the reader."""


@dataclass(eq=False)
class Job:
    """One radiograph to be explained. What the worker has sent so far is in it; only the desk changes it.

    Parameters
    ----------
    probabilities
        Of each observation, empty until predicted.
    outcomes
        Of each method that is ready: its heatmaps, and (method, pathology, reason) where there is none.
    method, passes
        What is being worked on, and the forward passes so far of all methods.
    share
        How much of the forward passes is done, 0 to 1.
    left_s
        Seconds until everything is done, by the speed measured on this radiograph and by as many forward passes as the
        radiograph before needed; ``None`` before anything was measured. It never rises.
    version
        Counts up with each method that is ready, and at the end.
    reason
        Why it failed, a sentence.
    """

    pixels: npt.NDArray[np.uint8 | np.uint16]
    state: State = "waiting"
    probabilities: Mapping[str, float] = field(default_factory=dict)
    outcomes: dict[str, tuple[list[Heatmap], list[FailureWords]]] = field(default_factory=dict)
    method: str = ""
    passes: int = 0
    share: float = 0.0
    left_s: float | None = None
    version: int = 0
    reason: str = ""
    measured_from: tuple[float, int] | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether its reader gave it up."""
        return self.state == "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True)
class About:
    """What the worker says of its model and methods, as a run's manifest has it."""

    model: Mapping[str, Any]
    methods: Mapping[str, Mapping[str, Any]]
    pathologies: tuple[str, ...]


class Desk:
    """One worker process for all readers; it begins to load its model at once.

    Parameters
    ----------
    model
        As `shamsul_core.classifier.load_classifier` takes it.
    clock
        Seconds from anywhere, which never run backwards.
    """

    def __init__(self, model: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.model = str(Path(model).absolute()) if Path(model).exists() else model
        self.about: About | None = None
        self._clock = clock
        self._passes_needed: int | None = None
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self._thread.start()

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

    def close(self) -> None:
        """End the worker and give all jobs up."""
        with self._changed:
            self._is_closed = True
            for job in self._jobs:
                job.state = job.state if job.is_over else "cancelled"
            self._changed.notify_all()
        self._stop()
        self._thread.join(10)

    # In the desk's own thread

    def _run(self) -> None:
        while not self._is_closed:
            try:
                self._start()
            except DeskError as error:
                self._fail_next(str(error))
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._is_closed, timeout=1)
                job = self._jobs[0] if self._jobs else None
            if job is not None:
                self._serve(job)
                with self._changed:
                    self._jobs.popleft()
        self._stop()

    def _start(self) -> None:
        """Start a worker unless one is alive.

        Raises
        ------
        DeskError
            If the worker cannot load the model.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self._stop()
        ours, theirs = Pipe()
        command = [sys.executable, "-m", "shamsul_core.upload.worker", str(theirs.fileno()), self.model]
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd=ROOT
        )
        self._connection = ours
        theirs.close()
        try:
            if not ours.poll(_SLOWEST_START_S):
                self._stop()
                message = f"The model could not be loaded within {_SLOWEST_START_S / 60:.0f} minutes."
                raise DeskError(message)
            said = ours.recv()
        except (EOFError, OSError) as error:
            message = "The explaining process could not be started; the server's log has the reason."
            raise DeskError(message) from error
        if said[0] == "broken":
            self._stop()
            message = f"The model cannot be used: {said[1]}"
            raise DeskError(message)
        self.about = About(said[1], said[2], tuple(said[3]))

    def _fail_next(self, reason: str) -> None:
        """Let the next job fail, and wait for it: the cause may be gone by the next."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._is_closed)
            if self._jobs:
                job = self._jobs.popleft()
                job.reason = reason
                job.state = job.state if job.is_over else "failed"

    def _serve(self, job: Job) -> None:
        with self._changed:
            if job.is_over or self._connection is None:
                return
            job.state = "working"
        connection, told = self._connection, None
        try:
            connection.send(("explain", job.pixels))
            while True:
                if job.is_cancelled and told is None:
                    connection.send(("cancel",))
                    told = time.monotonic()
                if told is not None and time.monotonic() - told > _LAST_WORD_S:
                    self._stop()
                    return
                if connection.poll(0.1) and self._hear(job, connection.recv()):
                    return
        except (EOFError, OSError):
            self._stop()
            if not job.is_over:
                job.reason = "The process computing the heatmaps stopped. Press Explain again to restart it."
                job.state = "failed"
                job.version += 1

    def _hear(self, job: Job, said: tuple[Any, ...]) -> bool:
        """Take what the worker said into the job; return whether it was its last word."""
        if job.is_cancelled:
            return said[0] in ("done", "failed", "cancelled")
        if said[0] == "predicted":
            job.probabilities = said[1]
        elif said[0] == "passes":
            job.method, job.passes = said[1], said[2]
            self._measure(job)
        elif said[0] == "explained":
            job.outcomes[said[1]] = (said[2], said[3])
        elif said[0] == "failed":
            job.reason, job.state = f"The radiograph could not be explained: {said[1]}", "failed"
        elif said[0] == "done":
            job.state = "done"
            self._passes_needed = job.passes or self._passes_needed
        job.version += said[0] != "passes"
        return said[0] in ("done", "failed", "cancelled")

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
        settings = [method["settings"] for method in (self.about.methods if self.about else {}).values()]
        budgets = [one["sampling"]["budget"] for one in settings if isinstance(one.get("sampling"), dict)]
        return max(budgets, default=0)

    def _stop(self) -> None:
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
