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
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    import numpy as np
    import numpy.typing as npt

    from shamsul_core.heatmap import Heatmap

State: TypeAlias = Literal["waiting", "working", "done", "failed", "cancelled"]

FailureWords: TypeAlias = tuple[str, str, str]

_ABANDONED_S = 20.0
"""A job that nobody has looked at for so long is given up: its reader closed the page."""


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
    method, passes, started
        What is being worked on: the method, its forward passes so far, when it began (`time.monotonic`).
    version
        Counts up with each method that is ready, and at the end.
    reason
        Why it failed, a sentence.
    """

    pixels: npt.NDArray[np.uint8]
    state: State = "waiting"
    probabilities: Mapping[str, float] = field(default_factory=dict)
    outcomes: dict[str, tuple[list[Heatmap], list[FailureWords]]] = field(default_factory=dict)
    method: str = ""
    passes: int = 0
    started: float = 0.0
    version: int = 0
    reason: str = ""
    seen: float = field(default_factory=time.monotonic)

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
    """

    def __init__(self, model: str) -> None:
        self.model = str(Path(model).absolute()) if Path(model).exists() else model
        self.about: About | None = None
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self._thread.start()

    def ask(self, pixels: npt.NDArray[np.uint8]) -> Job:
        """Queue a radiograph, uint8, H × W."""
        job = Job(pixels)
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()
        return job

    def look(self, job: Job) -> int:
        """Return how many are served before a job, and keep it alive: one not looked at is given up."""
        job.seen = time.monotonic()
        with self._changed:
            return self._jobs.index(job) if job in self._jobs else 0

    def cancel(self, job: Job) -> None:
        """Give a job up; one that is being worked on ends at the worker's next look."""
        with self._changed:
            if not job.is_over:
                job.state = "cancelled"
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
            said = ours.recv()
        except (EOFError, OSError) as error:
            message = "The program that explains could not be started; the server's log says why."
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
        if job.is_over or self._connection is None:
            return
        connection, is_told = self._connection, False
        job.state, job.started = "working", time.monotonic()
        try:
            connection.send(("explain", job.pixels))
            while True:
                if time.monotonic() - job.seen > _ABANDONED_S:
                    job.state = "cancelled"
                if job.state == "cancelled" and not is_told:
                    connection.send(("cancel",))
                    is_told = True
                if connection.poll(0.1) and self._hear(job, connection.recv()):
                    return
        except (EOFError, OSError):
            self._stop()
            if not job.is_over:
                job.reason = "The program that explains was stopped. Ask again: it starts anew."
                job.state = "failed"
                job.version += 1

    def _hear(self, job: Job, said: tuple[Any, ...]) -> bool:
        """Take what the worker said into the job; return whether it was its last word."""
        if said[0] == "predicted":
            job.probabilities = said[1]
        elif said[0] == "passes":
            if said[1] != job.method:
                job.method, job.started = said[1], time.monotonic()
            job.passes = said[2]
        elif said[0] == "explained":
            job.outcomes[said[1]] = (said[2], said[3])
        elif said[0] == "failed":
            job.reason, job.state = f"It could not be explained: {said[1]}", "failed"
        elif said[0] == "done" and job.state != "cancelled":
            job.state = "done"
        job.version += said[0] != "passes"
        return said[0] in ("done", "failed", "cancelled")

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
