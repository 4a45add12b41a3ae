"""``novelty``: sums up the radiographs that a model was trained on, so that others unlike them are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.classifier.source import ModelSource
from shamsul_core.cli.options import CohortFolder, CohortLayout, Model, Output, Prompts, Weights
from shamsul_core.cli.terminal import console, progress_bar, say, warn
from shamsul_core.extras import need

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.classifier.novelty import TrainingFeatures


def novelty(
    cohort: CohortFolder,
    model: Model,
    *,
    output: Output = None,
    weights: Weights = None,
    prompts: Prompts = None,
    layout: CohortLayout = None,
) -> None:
    """Sum up the cohort that a model was trained on, so that radiographs unlike it are told; `train` does so by itself."""
    with console.status("Reading the cohort and the model"):
        need("train")
        from shamsul_core.classifier.errors import ModelError
        from shamsul_core.classifier.novelty import novelty_file
        from shamsul_core.classifier.weights import load_classifier

        source = ModelSource(model=model, output=output, weights=weights, prompts=prompts)
        if source.is_by_name and weights is None:
            message = (
                f"{model}: is no file or folder beside which the summary could lie; give one, or --weights"
            )
            raise ModelError(message)
        path = novelty_file(source.file)
        classifier = load_classifier(source, sums_up_anew=True)
        from shamsul_core.training.opening import splits_of
        from shamsul_core.training.training_features import steps_of, summed_up_radiographs, write_beside

        train, val = splits_of(cohort, layout)
    with progress_bar(steps_of(len(train), len(val))) as on_step:
        features = summed_up_radiographs(classifier, train, val, on_step)
    write_beside(source.file, classifier, features)
    say_novelty(path, features)


def say_novelty(path: Path, features: TrainingFeatures) -> None:
    """Say what was summed up, and what its line is worth."""
    from shamsul_core.classifier.novelty import FEWEST_HELD_OUT

    say(
        f"{path}: {features.trained:,} training radiographs summed up; others are said to be unlike them beyond the distance "
        f"that 99 of 100 of {features.held_out:,} held out stay within"
    )
    if features.held_out < FEWEST_HELD_OUT:
        warn(
            f"{path}: only {features.held_out} radiographs were held out, so about 1 of {features.held_out + 1} like them will "
            f"lie beyond the farthest of them; with {FEWEST_HELD_OUT} or more it is 1 of 100"
        )
