"""The logs of a training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
from torch.utils.tensorboard import SummaryWriter

from shamsul_core.files.atomic import write_atomically
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from shamsul_core.training.task import Task


class Logs:
    """``epochs.csv``, which is what the checkpoint knows, and TensorBoard's event files."""

    def __init__(self, task: Task, step: int, *, is_writing: bool) -> None:
        self._table = task.folder / "epochs.csv"
        # What a killed training logged beyond its checkpoint comes again
        self._events = (
            SummaryWriter(str(task.folder / "tensorboard"), purge_step=step) if is_writing else None
        )

    def __enter__(self) -> Logs:
        return self

    def __exit__(self, *_: object) -> None:
        if self._events:
            self._events.close()

    def step(self, number: int, loss: float) -> None:
        """Log the loss of a step, by its number since the training began."""
        if self._events:
            self._events.add_scalar("loss/step", loss, number)

    def epoch(self, epochs: list[dict[str, float]]) -> None:
        """Log the last of the epochs, and write the table of all."""
        write_atomically(self._table, pd.DataFrame(epochs).to_csv(index=False).encode())
        if self._events:
            for name, value in epochs[-1].items():
                if name not in ("epoch", "steps") and not math.isnan(value):
                    group = "auroc" if name in OBSERVATIONS else "epoch"
                    self._events.add_scalar(f"{group}/{name}", value, int(epochs[-1]["steps"]))
