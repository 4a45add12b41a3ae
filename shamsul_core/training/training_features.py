"""What the radiographs of a training have in common, summed up beside its model, see `shamsul_core.classifier.novelty`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.classifier.errors import ModelError
from shamsul_core.classifier.novelty import (
    TrainingFeatures,
    first_maps,
    novelty_file,
    sum_up,
    write_training_features,
)
from shamsul_core.cohort import CohortError
from shamsul_core.progress import OnStep, say_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt
    import torch

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.cohort import Radiograph
    from shamsul_core.training.examples import Examples

MOST = 4000
"""Radiographs of a split that are looked at, drawn by lot where there are more: some thirty for each of 128 features."""

FEWEST = 2
"""Radiographs of which there is a covariance."""

_SEED = 0
_BATCH = 16


def summed_up_examples(
    classifier: Classifier, train: Examples, val: Examples, on_step: OnStep = say_nothing
) -> TrainingFeatures:
    """Sum up what a training has at the network's size already.

    Raises
    ------
    ModelError
        If the network has no convolution, or nothing can be summed up.
    """

    def batches(examples: Examples) -> Iterator[torch.Tensor]:
        places = _drawn(len(examples))
        for start in range(0, len(places), _BATCH):
            intensities = examples.intensities(places[start : start + _BATCH]).float() / 255
            yield classifier.preprocessing.normalise(intensities).to(classifier.device)

    return _summed_up(classifier, batches(train), batches(val), on_step)


def summed_up_radiographs(
    classifier: Classifier,
    train: Sequence[Radiograph],
    val: Sequence[Radiograph],
    on_step: OnStep = say_nothing,
) -> TrainingFeatures:
    """Sum up radiographs of a cohort that a model was trained on; those that cannot be read are left out.

    Raises
    ------
    ModelError
        If the network has no convolution, or nothing can be summed up.
    """

    def batches(radiographs: Sequence[Radiograph]) -> Iterator[torch.Tensor]:
        for place in _drawn(len(radiographs)):
            try:
                yield classifier.preprocess(radiographs[place].pixels())
            except CohortError:
                on_step(f"{radiographs[place].id} cannot be read")

    return _summed_up(classifier, batches(train), batches(val), on_step)


def steps_of(train: int, val: int) -> int:
    """Return how many radiographs of two splits are looked at."""
    return min(train, MOST) + min(val, MOST)


def write_beside(model: str, classifier: Classifier, features: TrainingFeatures) -> Path:
    """Write what was summed up beside a model's file or folder, and return where.

    Parameters
    ----------
    model
        The file or folder that `classifier` was loaded from.
    """
    path = novelty_file(model)
    write_training_features(path, features, classifier.fingerprint)
    return path


def _drawn(count: int) -> npt.NDArray[np.int64]:
    order = np.random.default_rng(_SEED).permutation(count)[:MOST]
    return np.sort(order)


def _summed_up(
    classifier: Classifier, train: Iterable[torch.Tensor], val: Iterable[torch.Tensor], on_step: OnStep
) -> TrainingFeatures:
    try:
        return sum_up(_features(classifier, train, on_step), _features(classifier, val, on_step))
    except ValueError as error:
        message = f"{classifier.source}: its training radiographs cannot be summed up ({error})"
        raise ModelError(message) from error


def _features(
    classifier: Classifier, batches: Iterable[torch.Tensor], on_step: OnStep
) -> npt.NDArray[np.float32]:
    with first_maps(classifier.network) as gathered:
        for batch in batches:
            classifier.logits(batch)
            if not gathered:
                message = "the network has no convolution of torch's, whose maps are looked at"
                raise ValueError(message)
            for _ in range(len(batch)):
                on_step("summing up the training radiographs")
    return np.concatenate(gathered) if gathered else np.zeros((0, 0), np.float32)
