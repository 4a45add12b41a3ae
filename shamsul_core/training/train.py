"""A training until it is done: its radiographs go in, a classifier and what came of it come out."""

from __future__ import annotations

import csv
import io
import logging
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from lightning.fabric import Fabric
from torch.multiprocessing.spawn import ProcessRaisedException

from shamsul_core.classifier.classifier import has_fast_bfloat16
from shamsul_core.classifier.weights import load_classifier
from shamsul_core.files.atomic import write_atomically
from shamsul_core.files.lock import locked
from shamsul_core.training.examples import read_examples
from shamsul_core.training.fit import Progress, fit, silence
from shamsul_core.training.settings import TrainingError
from shamsul_core.training.task import Position, Task, Timing, read_checkpoint
from shamsul_core.training.training_features import FEWEST, steps_of, summed_up_examples, write_beside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from shamsul_core.classifier.novelty import TrainingFeatures
    from shamsul_core.cohort import Problem
    from shamsul_core.training.opening import Training


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a training.

    Parameters
    ----------
    position
        How far it has come, with what is known of each epoch.
    timing
        Where the time of this call's steps went; no steps where everything was done before.
    problems
        Radiographs that could not be used; they are listed in `unreadable`.
    unreadable
        Path of ``unreadable.csv``.
    training_features
        What the radiographs have in common, by which others unlike them are told; ``None`` where they are too few.
    """

    position: Position
    timing: Timing
    problems: tuple[Problem, ...]
    unreadable: Path
    training_features: TrainingFeatures | None = None

    @property
    def best_epoch(self) -> dict[str, float]:
        """What is known of the epoch whose weights the model has; the first of equals, as they are written."""
        rows = self.position.epochs
        if math.isnan(rows[0]["val_auroc"]):
            return min(rows, key=lambda row: row["val_loss"])
        return max(rows, key=lambda row: row["val_auroc"])


def train(
    training: Training,
    *,
    epochs: int = 100,
    device: str = "cpu",
    devices: int = 1,
    dtype: torch.dtype = torch.float32,
    progress: Progress = silence,
    checkpoint_seconds: float = 600.0,
) -> Outcome:
    """Train until the number of epochs is reached, or the loss stalls at the lowest learning rate.

    The model's file holds the best epoch so far: by the validation AUROC, the mean over the observations of which
    there are both labels.

    Parameters
    ----------
    training
        From `open_training`.
    epochs
        How many in all, with those of earlier calls.
    device, devices
        ``"cpu"`` or ``"cuda"``, and how many of them; on CPUs, processes.
    dtype
        Precision of the weights in the model's file.
    progress
        Told of each radiograph that is read, then of each step; it goes to another process with several devices.
    checkpoint_seconds
        Seconds between checkpoints.

    Raises
    ------
    TrainingError
        If another training is at work in the folder, the devices or the batch do not fit, no radiograph can be read,
        or the loss is not finite.
    OSError
        If the disk is full.
    """
    fabric = _fabric(device, devices, training.settings.batch_size)
    with locked(training.folder, "training", TrainingError, beside=training.folder.stem):
        with progress(len(training.train) + len(training.val)) as on_step:
            pixels = training.folder / "radiographs"
            learned = read_examples(training.train, training.preprocessing, pixels, "train", on_step)
            judged = read_examples(training.val, training.preprocessing, pixels, "val", on_step)
        if len(learned) < devices:
            message = f"{len(learned)} radiographs to train on are too few for {devices} devices; give fewer --devices"
            raise TrainingError(message)
        problems = (*training.problems, *learned.problems, *judged.problems)
        unreadable = training.folder / "unreadable.csv"
        write_atomically(unreadable, _table(problems))
        task = Task(
            train=learned,
            val=judged,
            settings=training.settings,
            preprocessing=training.preprocessing,
            until_epoch=epochs,
            folder=training.folder,
            out=training.out,
            dtype=dtype,
            checkpoint_seconds=checkpoint_seconds,
            card=training.card,
        )
        position, timing = _until_done(fabric, training.network, task, progress)
        training_features = _sum_up(task, device, progress)
    return Outcome(
        position=position,
        timing=timing,
        problems=problems,
        unreadable=unreadable,
        training_features=training_features,
    )


def _sum_up(task: Task, device: str, progress: Progress) -> TrainingFeatures | None:
    """Sum up the radiographs beside the model, unless they are already, or are too few."""
    classifier = load_classifier(str(task.out), device)
    if classifier.training is not None or len(task.train) < FEWEST:
        return classifier.training
    with progress(steps_of(len(task.train), len(task.val))) as on_step:
        features = summed_up_examples(classifier, task.train, task.val, on_step)
    write_beside(str(task.out), classifier, features)
    return features


def _until_done(
    fabric: Fabric, network: nn.Module, task: Task, progress: Progress
) -> tuple[Position, Timing]:
    if task.checkpoint.exists():
        position = Position(**read_checkpoint(task.checkpoint)["position"])
        if position.epoch and not task.out.exists():
            message = f"{task.out}: is gone, while {task.folder} goes on after its epoch {position.epoch}; remove that to start again"
            raise TrainingError(message)
        if position.has_ended or position.epoch >= task.until_epoch:
            return position, Timing()
    try:
        # The network goes as an argument: Fabric then gives each process weights of its own
        launch: Any = fabric.launch
        result: tuple[Position, Timing] = launch(partial(fit, task=task, progress=progress), network)
    except ProcessRaisedException as error:
        last = str(error).strip().splitlines()[-1]
        kind, _, reason = last.partition(": ")
        if kind.endswith(TrainingError.__name__):
            raise TrainingError(reason) from error
        raise
    return result


def _fabric(device: str, devices: int, batch_size: int) -> Fabric:
    if device not in ("cpu", "cuda"):
        message = f"{device}: no such device to train on; give cpu or cuda"
        raise TrainingError(message)
    available = torch.cuda.device_count()
    if device == "cuda" and devices > available:
        message = f"cuda: only {available} GPUs here, not {devices}; give fewer --devices, or --device cpu"
        raise TrainingError(message)
    if batch_size % devices:
        message = f"a batch of {batch_size} cannot be divided evenly among {devices} devices; give another --batch-size"
        raise TrainingError(message)
    # They tell of precision and processes
    for part in ("fabric", "pytorch"):
        logging.getLogger(f"lightning.{part}.utilities.rank_zero").setLevel(logging.WARNING)
    is_fast = has_fast_bfloat16() if device == "cpu" else torch.cuda.is_bf16_supported()
    return Fabric(
        accelerator=device,
        devices=devices,
        strategy="auto" if devices == 1 else "ddp_spawn",
        precision="bf16-mixed" if is_fast else "32-true",
    )


def _table(problems: Sequence[Problem]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(
        [("subject", "problem"), *((problem.subject, problem.message) for problem in problems)]
    )
    return buffer.getvalue().encode()
