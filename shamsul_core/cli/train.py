"""``train``: transfer learning of DenseNet-121 on the train split of a cohort, for CheXpert's fourteen observations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.cli.options import CohortFolder
from shamsul_core.cli.terminal import console, progress_bar, say, warn
from shamsul_core.extras import need

if TYPE_CHECKING:
    from shamsul_core.training import Outcome


def train(
    cohort: CohortFolder,
    out: Annotated[
        Path, typer.Option(help="The .safetensors file to write; checkpoint and logs go to OUT.training/.")
    ],
    *,
    init: Annotated[
        str, typer.Option(help="Weights to start from: imagenet, random, or a model.")
    ] = "imagenet",
    uncertain: Annotated[
        str, typer.Option(help="Uncertain labels: zeros, ones, ignore or three-class.")
    ] = "zeros",
    frontal_only: Annotated[bool, typer.Option("--frontal-only", help="Leave out lateral views.")] = False,
    size: Annotated[int, typer.Option(help="Side of the network's input in pixels.")] = 224,
    epochs: Annotated[
        int, typer.Option(min=1, help="Maximum number of epochs; run again with more to continue.")
    ] = 100,
    batch_size: Annotated[int, typer.Option(min=1, help="Radiographs per step, across all devices.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Initial learning rate of Adam.")] = 1e-4,
    augment: Annotated[
        bool, typer.Option("--augment", help="Augment: rotate, shift, scale and brighten slightly.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed for everything random.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, or cuda for a GPU.")] = "cpu",
    devices: Annotated[int, typer.Option(min=1, help="Number of GPUs, or of processes on CPU.")] = 1,
    dtype: Annotated[
        str, typer.Option(help="Type of the weights in the file: float32 or float16.")
    ] = "float32",
    trained_on: Annotated[
        str,
        typer.Option(
            help="For the model card: what the model was trained on. Default: taken from the cohort."
        ),
    ] = "",
    not_for: Annotated[
        str, typer.Option(help="For the model card: what the model must not be used for.")
    ] = "",
) -> None:
    """Train DenseNet-121 on a cohort's train split, for CheXpert's fourteen observations; run again to resume at the same step."""
    with console.status("Reading the cohort and the weights to start from"):
        from shamsul_core.cohort.layout import find_layout

        find_layout(cohort, "train")
        need("train")
        import torch

        from shamsul_core import training

        types = {"float32": torch.float32, "float16": torch.float16}
        if dtype not in types:
            message = f"unknown dtype {dtype!r}; there are {', '.join(types)}"
            raise ValueError(message)
        settings = training.Settings(
            init=init,
            uncertain=uncertain,  # type: ignore[arg-type]  # Settings says which there are
            frontal_only=frontal_only,
            size_px=size,
            batch_size=batch_size,
            learning_rate=learning_rate,
            augment=augment,
            seed=seed,
        )
        opened = training.open_training(cohort, out, settings, trained_on=trained_on, not_for=not_for)
    for note in opened.notes:
        say(str(note))
    outcome = training.train(
        opened, epochs=epochs, device=device, devices=devices, dtype=types[dtype], progress=progress_bar
    )
    _report(outcome, out, batch_size)


def _report(outcome: Outcome, out: Path, batch_size: int) -> None:
    from shamsul_core.classifier.novelty import novelty_file
    from shamsul_core.cli.novelty import say_novelty

    position, timing = outcome.position, outcome.timing
    if not timing.steps:
        say(f"{out}: already trained, nothing to do; give more --epochs to continue")
    if position.has_ended:
        say(f"the validation loss stalled at the lowest learning rate in epoch {position.epoch}")
    best = outcome.best_epoch
    say(
        f"{out}: best epoch of {position.epoch}: {best['epoch']:.0f}, with validation AUROC {best['val_auroc']:.3f}, "
        f"loss {best['val_loss']:.3f}",
    )
    if timing.steps:
        say(
            f"the network took {timing.network / timing.total:.0%} of the time per step "
            f"({timing.total / timing.steps:.3f} s for {batch_size} radiographs)"
        )
    if outcome.training_features is not None:
        say_novelty(novelty_file(str(out)), outcome.training_features)
    from shamsul_core.messages import brief

    for line in brief((f"left out: {problem}" for problem in outcome.problems), outcome.unreadable):
        warn(line)
