"""The worker process as the queue holds it: started, waited for until it is due, and ended."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from typing import TYPE_CHECKING

from shamsul_core.version import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from shamsul_core.classifier.source import ModelSource

_LAST_BREATH_S = 10.0


class WorkerError(RuntimeError):
    """Nothing can be explained; the message is a sentence for the reader."""


@dataclass(eq=False)
class WorkerProcess:
    """A worker process, our end of its pipe, by when it must have said something, and whether it may serve another.

    Parameters
    ----------
    process
        As `start` starts it; what it says and takes is in `shamsul_core.upload.worker`.
    due
        Seconds, by the clock of the queue.
    has_seen
        Whether it was given any radiograph.
    is_spent
        Whether it saw one that was erased since.
    """

    process: subprocess.Popen[bytes]
    connection: Connection
    due: float = math.inf
    has_seen: bool = False
    is_spent: bool = False

    @classmethod
    def start(cls, model: ModelSource, pathologies: Sequence[str]) -> WorkerProcess:
        """Start a worker, which begins to load the model; where its pipe is closed it ends.

        Raises
        ------
        WorkerError
            If this system cannot start one.
        OSError
            If it cannot be started now.
        """
        if sys.platform == "win32":  # which gives a new process no open file
            message = "Radiographs are explained on Linux and macOS only; on Windows, start SHAMSUL in WSL."
            raise WorkerError(message)
        ours, theirs = Pipe()
        with theirs:
            command = [
                sys.executable,
                "-m",
                "shamsul_core.upload.worker",
                str(theirs.fileno()),
                json.dumps(model.to_json()),
                *pathologies,
            ]
            try:
                # In a session of its own, so that Ctrl-C in the terminal reaches the server alone, which ends it
                process = subprocess.Popen(  # noqa: S603  # nosec B603
                    command,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    cwd=ROOT,
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        return cls(process, ours)

    def end(self) -> None:
        """End the worker, whatever it does."""
        self.connection.close()
        self.process.kill()
        # One that the system cannot end keeps nobody waiting
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_LAST_BREATH_S)
