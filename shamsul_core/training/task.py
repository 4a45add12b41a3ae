"""What is to be trained, how far it has come, and the checkpoint that says so."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from shamsul_core.classifier.errors import first_line
from shamsul_core.training.settings import Settings, TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.classifier.model_card import ModelCard
    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.training.examples import Examples


@dataclass
class Position:
    """How far a training has come; with the weights and the optimiser's state all that a checkpoint holds.

    Parameters
    ----------
    epoch, step
        Of the step that comes next; the step counts within its epoch.
    loss
        Sum of the losses of the epoch's steps so far.
    best
        Validation score of the model written last, see `_score`.
    has_ended
        Whether the loss stalled at the lowest learning rate, where nothing changes any more.
    epochs
        What is known of each complete epoch: the lines of ``epochs.csv``.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    best: float = -math.inf
    has_ended: bool = False
    epochs: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be trained, and where it goes.

    Parameters
    ----------
    train, val
        The radiographs that it learns from, and those by which the best epoch is chosen.
    settings
        How the network is trained.
    preprocessing
        How the network wants its radiographs.
    until_epoch
        Number of epochs in all.
    folder
        For checkpoint and logs.
    out
        The model's file.
    dtype
        Precision of the weights in the model's file.
    checkpoint_seconds
        Seconds between checkpoints; there is one after each epoch, too.
    card
        What the model's file says of its training.
    """

    train: Examples
    val: Examples
    settings: Settings
    preprocessing: Preprocessing
    until_epoch: int
    folder: Path
    out: Path
    dtype: torch.dtype = torch.float32
    checkpoint_seconds: float = 600.0
    card: ModelCard | None = None

    @property
    def steps(self) -> int:
        """Steps of an epoch: whole batches; the radiographs that remain have their turn in other epochs."""
        return max(1, len(self.train) // self.settings.batch_size)

    @property
    def checkpoint(self) -> Path:
        """Path of the checkpoint, which is there once the first has been written."""
        return self.folder / "checkpoint.pt"


@dataclass
class Timing:
    """Where the time of this call's steps went.

    Parameters
    ----------
    steps
        How many steps.
    network
        Seconds that the network took, forwards and backwards, with the optimiser.
    total
        Seconds in all, those that reading took among them.
    """

    steps: int = 0
    network: float = 0.0
    total: float = 0.0


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint; nothing in it is executed.

    Raises
    ------
    TrainingError
        If it cannot be read.
    """
    try:
        return dict(torch.load(path, map_location=device, weights_only=True))
    # Whatever torch, zip or pickle meet in a damaged file
    except Exception as error:
        message = f"{path}: not a readable checkpoint ({first_line(error)}); remove it to start again"
        raise TrainingError(message) from error
