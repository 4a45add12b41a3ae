"""What goes wrong in a worker: ordered by files in a folder, since the worker is another process.

``kill <id>`` ends the worker that begins to explain a radiograph, each time; ``kill once <id>`` the first time;
``kill once when written <id>`` when the result is in the run and its rows are not returned yet; ``full`` lets no file
grow beyond 1 kB. Each explanation begun is a line of ``explained``.
"""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

from distributed import WorkerPlugin


class Faults(WorkerPlugin):
    """Makes a worker look into `folder` before it explains."""

    name = "faults"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def setup(self, worker) -> None:
        from shamsul_core.engine import plan as engine

        explain_one, score_result = engine.explain_one, engine.score_result

        def explain(plan, radiograph, on_step):
            with (self.folder / "explained").open("a") as file:
                file.write(f"{radiograph.id}\n")
            if (self.folder / f"kill {radiograph.id}").exists():
                _end()
            self.end_once(f"kill once {radiograph.id}")
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            limit = 1000 if (self.folder / "full").exists() else hard
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            return explain_one(plan, radiograph, on_step)

        def score(run, image_id, *about):
            self.end_once(f"kill once when written {image_id}")
            return score_result(run, image_id, *about)

        self.engine, self.whole = engine, (explain_one, score_result)
        engine.explain_one, engine.score_result = explain, score

    def teardown(self, worker) -> None:
        self.engine.explain_one, self.engine.score_result = self.whole

    def end_once(self, order: str) -> None:
        if (self.folder / order).exists():
            (self.folder / order).unlink()
            _end()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
