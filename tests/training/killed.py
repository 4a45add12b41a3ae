"""Trains and ends itself without warning: ``python -m tests.training.killed COHORT OUT STEP``.

There is a checkpoint after each step but the one in which it is killed.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

from shamsul_core.training import Settings, open_training, train

SETTINGS = Settings(init="random", size_px=64, batch_size=8, augment=True)
EPOCHS = 2


def train_here(cohort: Path, out: Path, progress) -> None:
    train(open_training(cohort, out, SETTINGS), epochs=EPOCHS, progress=progress, checkpoint_seconds=0)


def main(cohort: Path, out: Path, last: int) -> None:
    @contextmanager
    def progress(_):
        steps = 0

        def report(doing: str) -> None:
            nonlocal steps
            steps += doing.startswith("epoch")
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)

        yield report

    train_here(cohort, out, progress)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
