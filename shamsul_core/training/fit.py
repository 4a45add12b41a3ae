"""The loop: epochs of steps, validation, checkpoints; a training killed anywhere goes on as if it had not been.

Everything that a step depends on is either in the checkpoint (weights, Adam's moments, the scheduler) or follows from
the seed, the epoch and the step (the order of the radiographs, their augmentation). So nothing random needs to be
stored, and a resumed training has the same weights, bit for bit on a CPU, as one that nobody killed.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from shamsul_core.classifier.novelty import novelty_file
from shamsul_core.classifier.weights import save_classifier
from shamsul_core.files.atomic import write_atomically
from shamsul_core.memory import keep_freed_memory
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.training.augmentation import augmented, draw
from shamsul_core.training.logs import Logs
from shamsul_core.training.network import trained_classifier
from shamsul_core.training.settings import TrainingError
from shamsul_core.training.targets import areas_under_roc, binary_logits, summed_loss, targets_of
from shamsul_core.training.task import Position, Task, Timing, read_checkpoint
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    import numpy.typing as npt
    from lightning.fabric import Fabric
    from torch import nn

    from shamsul_core.training.examples import Examples

Progress: TypeAlias = Callable[[int], AbstractContextManager[OnStep]]
"""Makes something that is told of each step, of a number of steps known beforehand."""

LOWEST_LEARNING_RATE = 1e-8
# Keras' min_delta: a validation loss that falls by less has stalled
_SMALLEST_GAIN = 1e-4
_VALIDATION_BATCH = 32
_STEPS_BETWEEN_LOGS = 10


@contextmanager
def silence(_: int) -> Iterator[OnStep]:
    """Tell nobody of the steps."""
    yield say_nothing


def fit(fabric: Fabric, network: nn.Module, task: Task, progress: Progress) -> tuple[Position, Timing]:
    """Train a network, from its checkpoint where there is one; every process of `fabric` calls this.

    Several processes share each batch. On GPUs their batch norms normalise over all of it
    (`torch.nn.SyncBatchNorm`), so that they train as one would; on CPUs, for which torch has none, each normalises over
    its own part.

    Parameters
    ----------
    fabric
        Devices and precision.
    network
        N × 3 × size × size in; N × 14 or, with three classes, N × 42 logits out.
    task
        What to train it on.
    progress
        Told of each step, by one process.

    Raises
    ------
    TrainingError
        If the loss is not finite.
    OSError
        If the disk is full.
    """
    keep_freed_memory()
    loop = _Loop(fabric, network, task)
    position = loop.position
    left = max(0, (task.until_epoch - position.epoch) * task.steps - position.step)
    with _told(progress, left, fabric) as on_step, loop.logs:
        while position.epoch < task.until_epoch and not position.has_ended:
            loop.train_epoch(on_step)
            loop.end_epoch()
    return position, loop.timing


class _Loop:
    """A training in one process: the network on its device, the optimiser, and where they stand."""

    def __init__(self, fabric: Fabric, network: nn.Module, task: Task) -> None:
        self.fabric, self.task = fabric, task
        if fabric.world_size > 1 and fabric.device.type == "cuda":
            network = torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)
        self.network = network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(network.parameters(), lr=task.settings.learning_rate)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer,
            factor=0.1,
            # Keras reduces after `patience` epochs without improvement, torch after one more; so this is Keras' 1
            patience=0,
            threshold=_SMALLEST_GAIN,
            threshold_mode="abs",
            min_lr=LOWEST_LEARNING_RATE,
            # Else the last reduction, by less than torch's 1e-8, is left out and the lowest never reached
            eps=0,
        )
        self.wrapped, self.wrapped_optimizer = fabric.setup(self.network, self.optimizer)
        self.targets = targets_of(task.train.labels, task.settings.uncertain)
        self.val_targets = targets_of(task.val.labels, task.settings.uncertain)
        self.timing = Timing()
        self.position = Position()
        if task.checkpoint.exists():
            self._restore()
        self.saved = time.monotonic()
        self.logs = Logs(task, self.total_steps, is_writing=fabric.is_global_zero)

    @property
    def total_steps(self) -> int:
        """Steps since the training began."""
        return self.position.epoch * self.task.steps + self.position.step

    @property
    def learning_rate(self) -> float:
        """What the optimiser's learning rate is now."""
        return float(self.optimizer.param_groups[0]["lr"])

    def train_epoch(self, on_step: OnStep) -> None:
        """Go through what is left of an epoch."""
        self.network.train()
        order = _order(len(self.task.train), self.task.settings.seed, self.position.epoch)
        size = self.task.settings.batch_size
        while self.position.step < self.task.steps:
            places = order[self.position.step * size : (self.position.step + 1) * size]
            loss = self._step(places)
            if self.total_steps % _STEPS_BETWEEN_LOGS == 0:
                self.logs.step(self.total_steps, loss)
            self.position.loss += loss
            self.position.step += 1
            mean = self.position.loss / self.position.step
            on_step(f"epoch {self.position.epoch + 1} of {self.task.until_epoch}, loss {mean:.3f}")
            if (
                time.monotonic() - self.saved >= self.task.checkpoint_seconds
                and self.position.step < self.task.steps
            ):
                self._save()

    def _step(self, places: npt.NDArray[np.int64]) -> float:
        """Take one step and return its loss, the mean over the whole batch's labels."""
        began = time.perf_counter()
        mine = places[self.fabric.global_rank :: self.fabric.world_size]
        batch = self._batch(self.task.train, mine, is_training=True)
        targets = self.targets[torch.from_numpy(mine)].to(self.fabric.device)
        # Processes may have unlike numbers of labels; the mean of their gradients is the whole batch's all the same
        share = self.fabric.world_size / max(1.0, float(self.targets.weights[places].sum()))
        ready = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        loss = summed_loss(self.wrapped(batch).float(), targets) * share
        self.fabric.backward(loss)
        self.wrapped_optimizer.step()
        mean: Any = self.fabric.all_reduce(loss.detach(), reduce_op="mean")
        value = float(mean)
        done = time.perf_counter()
        self.timing.steps += 1
        self.timing.network += done - ready
        self.timing.total += done - began
        if not math.isfinite(value):
            message = f"the loss is {value} in epoch {self.position.epoch + 1}; give a lower --learning-rate and another --out"
            raise TrainingError(message)
        return value

    def _batch(self, examples: Examples, places: npt.NDArray[np.int64], *, is_training: bool) -> torch.Tensor:
        intensities = examples.intensities(places).to(self.fabric.device).float() / 255
        settings = self.task.settings
        if is_training and settings.augment:
            intensities = augmented(intensities, draw(settings.seed, self.position.epoch, places))
        batch = self.task.preprocessing.normalise(intensities)
        return batch.contiguous(memory_format=torch.channels_last)

    def end_epoch(self) -> None:
        """Validate, reduce the learning rate where the loss stalls, write what is best, and a checkpoint."""
        position = self.position
        loss, areas = self._validate()
        defined = [area for area in areas if not math.isnan(area)]
        row = {
            "epoch": position.epoch + 1,
            "steps": self.total_steps,
            "learning_rate": self.learning_rate,
            "train_loss": position.loss / position.step,
            "val_loss": loss,
            "val_auroc": sum(defined) / len(defined) if defined else math.nan,
        }
        position.epochs.append(row | dict(zip(OBSERVATIONS, areas, strict=True)))
        at_floor = self.learning_rate <= LOWEST_LEARNING_RATE
        position.has_ended = at_floor and loss > self.scheduler.best - _SMALLEST_GAIN
        self.scheduler.step(loss)
        is_best = _score(row) > position.best
        position.best = max(position.best, _score(row))
        position.epoch, position.step, position.loss = position.epoch + 1, 0, 0.0
        if self.fabric.is_global_zero:
            if is_best:
                self._write_model()
            self.logs.epoch(position.epochs)
        self._save()

    def _write_model(self) -> None:
        task = self.task
        trained = trained_classifier(self.network.state_dict(), task.preprocessing, task.out.name)
        novelty_file(str(task.out)).unlink(missing_ok=True)  # of the model before
        save_classifier(replace(trained, card=task.card), task.out, dtype=task.dtype)

    @torch.inference_mode()
    def _validate(self) -> tuple[float, list[float]]:
        """Return the validation loss and each observation's AUROC."""
        # Without SyncBatchNorm the processes' running means differ
        if self.fabric.world_size > 1:
            for buffer in self.network.buffers():
                torch.distributed.broadcast(buffer, 0)
        self.network.eval()
        count, world = len(self.task.val), self.fabric.world_size
        # Each process takes every world-th, filled up to the same number
        mine = np.arange(self.fabric.global_rank, math.ceil(count / world) * world, world) % count
        logits = []
        for start in range(0, len(mine), _VALIDATION_BATCH):
            batch = self._batch(self.task.val, mine[start : start + _VALIDATION_BATCH], is_training=False)
            with self.fabric.autocast():
                logits.append(self.network(batch).float())
        of_all = torch.cat(logits)
        if world > 1:
            gathered = of_all.new_empty(world * len(of_all), of_all.shape[1])
            torch.distributed.all_gather_into_tensor(gathered, of_all)
            of_all = gathered.unflatten(0, (world, -1)).transpose(0, 1).flatten(0, 1)[:count]
        of_all = of_all.cpu()
        loss = summed_loss(of_all, self.val_targets) / self.val_targets.weights.sum().clamp(min=1)
        return float(loss), areas_under_roc(binary_logits(of_all, len(OBSERVATIONS)), self.val_targets)

    def _save(self) -> None:
        # The others hold the same
        if self.fabric.is_global_zero:
            buffer = io.BytesIO()
            content = {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scheduler": self.scheduler.state_dict(),
                "position": asdict(self.position),
            }
            torch.save(content, buffer)
            write_atomically(self.task.checkpoint, buffer.getvalue())
        self.saved = time.monotonic()

    def _restore(self) -> None:
        content = read_checkpoint(self.task.checkpoint, self.fabric.device)
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.scheduler.load_state_dict(content["scheduler"])
        self.position = Position(**content["position"])


def _order(count: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(count)


def _score(row: dict[str, float]) -> float:
    """Return what the best epoch has most of: AUROC, or where no observation has both labels the negative loss."""
    return -row["val_loss"] if math.isnan(row["val_auroc"]) else row["val_auroc"]


def _told(progress: Progress, steps: int, fabric: Fabric) -> AbstractContextManager[OnStep]:
    return progress(steps) if fabric.is_global_zero else silence(steps)
