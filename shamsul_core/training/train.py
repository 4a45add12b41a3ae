"""A training from beginning to end: a cohort goes in, a classifier comes out."""

from __future__ import annotations

import csv
import io
import logging
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch.multiprocessing.spawn import ProcessRaisedException

from shamsul_core.classifier.classifier import has_fast_bfloat16
from shamsul_core.classifier.model_card import NOT_FOR_REAL, ModelCard, read_card
from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.files.atomic import write_atomically
from shamsul_core.files.lock import locked
from shamsul_core.run.wording import cohort_title
from shamsul_core.training.examples import read_examples
from shamsul_core.training.fit import Progress, fit, silence
from shamsul_core.training.network import IMAGENET, RANDOM, initial_network
from shamsul_core.training.settings import Settings, TrainingError, claim
from shamsul_core.training.task import Position, Task, Timing, read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.cohort import Cohort, Problem, Radiograph

HELD_OUT = 0.05
"""Part of the patients that are held out for validation where the cohort has no split for it."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training about to begin or to go on.

    Parameters
    ----------
    train, val
        Radiographs to learn from, and to choose the best epoch by.
    settings
        How the network is trained.
    network, preprocessing
        Where it starts; a checkpoint replaces the weights.
    folder, out
        The folder of checkpoint and logs, and the model's file.
    notes
        What the user should know before it begins.
    problems
        Radiographs that have no file, as far as the cohort knows.
    card
        What the model will say of its training.
    """

    train: Sequence[Radiograph]
    val: Sequence[Radiograph]
    settings: Settings
    network: nn.Module
    preprocessing: Preprocessing
    folder: Path
    out: Path
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]
    card: ModelCard


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
    """

    position: Position
    timing: Timing
    problems: tuple[Problem, ...]
    unreadable: Path

    @property
    def best_epoch(self) -> dict[str, float]:
        """What is known of the epoch whose weights the model has; the first of equals, as they are written."""
        rows = self.position.epochs
        if math.isnan(rows[0]["val_auroc"]):
            return min(rows, key=lambda row: row["val_loss"])
        return max(rows, key=lambda row: row["val_auroc"])


def open_training(
    cohort_folder: Path, out: Path, settings: Settings, *, trained_on: str = "", not_for: str = ""
) -> Training:
    """Open a cohort for training, and the folder at the model's side, which a training before may have left.

    Without a split for validation, patients of the train split are held out, by the settings' seed.

    Parameters
    ----------
    cohort_folder
        The folder of a cohort with a train split, see `open_cohort`.
    out
        The model's file.
    settings
        How it is trained.
    trained_on, not_for
        For the model's card, in words; made from the cohort where they are empty.

    Raises
    ------
    CohortError
        If there is no train split.
    TrainingError
        If the folder holds a training with other settings, or the weights to start from cannot be had.
    """
    if out.suffix != ".safetensors":
        message = f"{out}: a model is a .safetensors file; give --out a name with that ending"
        raise TrainingError(message)
    cohort = open_cohort(cohort_folder, split="train")
    train, cohorts, notes = _of_views(cohort, settings), [cohort], []
    try:
        val_cohort = open_cohort(cohort_folder, split="val")
        val = _of_views(val_cohort, settings)
        cohorts.append(val_cohort)
    except CohortError as error:
        train, val = hold_out(train, settings.seed)
        notes.append(
            f"no validation split ({error}): {len(val)} radiographs, of {HELD_OUT:.0%} of the patients of the train "
            f"split, are held out"
        )
    if not train or not val:
        message = f"{cohort_folder}: {len(train)} radiographs to train on and {len(val)} to validate on; both are needed"
        raise TrainingError(message)
    network, preprocessing = initial_network(settings)
    folder = claim(out, settings, {f"cohort ({part.split})": part.fingerprint for part in cohorts})
    return Training(
        train=train,
        val=val,
        settings=settings,
        network=network,
        preprocessing=preprocessing,
        folder=folder,
        out=out,
        notes=(
            f"{len(train)} radiographs to train on, {len(val)} to validate on",
            *notes,
            *map(str, cohort.remarks),
        ),
        problems=tuple(problem for part in cohorts for problem in part.problems),
        card=card_of_training(cohort, len(train), settings.init, trained_on=trained_on, not_for=not_for),
    )


def card_of_training(
    cohort: Cohort, count: int, init: str, *, trained_on: str = "", not_for: str = ""
) -> ModelCard:
    """Return what a model will say of its training; whether it saw simulated radiographs alone is never left to words.

    Parameters
    ----------
    cohort
        The one that it is trained on.
    count
        How many of its radiographs are.
    init
        Where its weights start; what these were trained on counts as well.
    """
    is_blank = init in (RANDOM, IMAGENET)
    before = None if is_blank else read_card(init)
    words = [trained_on or f"{cohort_title(cohort)}, {count:,} radiographs" + _simulated(cohort)]
    if before is not None and not trained_on:
        words.append(f"before that, {before.trained_on}")
    elif not is_blank and not trained_on:
        words.append(f"before that, unknown data: nothing is known about {Path(init).name}")
    is_simulated = cohort.is_simulated and (is_blank or (before is not None and before.is_simulated))
    return ModelCard(
        trained_on="; ".join(words),
        not_for=not_for or (NOT_FOR_REAL if is_simulated else ""),
        is_simulated=is_simulated,
    )


def _simulated(cohort: Cohort) -> str:
    return f" ({str(cohort.simulated_note).rstrip('.')})" if cohort.is_simulated else ""


def hold_out(radiographs: Sequence[Radiograph], seed: int) -> tuple[list[Radiograph], list[Radiograph]]:
    """Return the radiographs of most patients, and those of a few, `HELD_OUT` of them but at least one."""
    patients = sorted({_patient(radiograph) for radiograph in radiographs})
    order = np.random.default_rng(seed).permutation(len(patients))
    held = {patients[place] for place in order[: max(1, round(HELD_OUT * len(patients)))]}
    return (
        [radiograph for radiograph in radiographs if _patient(radiograph) not in held],
        [radiograph for radiograph in radiographs if _patient(radiograph) in held],
    )


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
    return Outcome(position=position, timing=timing, problems=problems, unreadable=unreadable)


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


def _of_views(cohort: Cohort, settings: Settings) -> list[Radiograph]:
    return [
        radiograph
        for radiograph in cohort.radiographs.values()
        if not settings.frontal_only or radiograph.view == "frontal"
    ]


def _patient(radiograph: Radiograph) -> str:
    return radiograph.id.partition("_")[0]


def _table(problems: Sequence[Problem]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(
        [("subject", "problem"), *((problem.subject, problem.message) for problem in problems)]
    )
    return buffer.getvalue().encode()
