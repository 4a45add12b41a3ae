"""How far a radiograph lies from those that a model was trained on, seen before anything was understood of it.

Lee et al. (NeurIPS 2018) measure novelty by the Mahalanobis distance of a network's features from their mean over the training
radiographs. Here the features are of the first convolution with its norm and activation: each channel's mean and standard
deviation over its map, the statistics by which pictures differ in style (Gatys et al. 2016). What the network ends in is
trained to tell findings apart and hardly tells a foreign radiograph: of the demonstration's first model, 60 of its 100
radiographs summed up, the nearest of seven real radiographs lay at 0.5 times the distance of the farthest of the other 40 by
what the last layer is given, and at 1.3 times by these (1.0 by the first dense block's, 0.9 before norm and activation). It is no proof of likeness: of 200 radiographs of the more
lifelike simulator that came after, with the same network, one of the seven (TBX11K's healthy one) lay within the line, at 0.7.

The covariance is Ledoit and Wolf's (2004) of the features in units of their standard deviation. The line is the 99th percentile
of radiographs held out, the order statistic that a further one of the same kind exceeds in at most 1 of 100 (Vovk et al. 2005).

All of it lies beside the model, for every format: ``MODEL.novelty.safetensors``, with ``mean`` and ``whitening``, float32, and
in the metadata ``format``, ``version``, ``model`` (the fingerprint), ``line``, ``trained`` and ``held_out`` (numbers of
radiographs).
"""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import nn

from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.files.atomic import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

BEYOND = 0.01
"""Share of held-out radiographs that lie beyond the line."""

FEWEST_HELD_OUT = math.ceil(1 / BEYOND) - 1
"""With fewer, the line is their farthest, which more than 1 of 100 others exceed."""

_FORMAT, _VERSION = "shamsul-novelty", "1"
_LARGEST, _MOST_FEATURES = 2**26, 4096
_LEAST_SPREAD = 1e-6
"""Share of the largest mean below which a feature's standard deviation is rounding, as of a channel that is always 0."""


@dataclass(frozen=True, eq=False)
class TrainingFeatures:
    """What the radiographs that a model was trained on have in common.

    Parameters
    ----------
    mean
        float32, D: of each feature.
    whitening
        float32, D × D: takes what differs from the mean to where the Mahalanobis distance is the length.
    line
        The distance beyond which `BEYOND` of the radiographs held out lie; positive.
    trained, held_out
        How many radiographs mean and whitening are of, and how many the line is of.
    """

    mean: npt.NDArray[np.float32]
    whitening: npt.NDArray[np.float32]
    line: float
    trained: int
    held_out: int

    def distances(self, features: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """Return the Mahalanobis distances, N, of features N × D."""
        differences = np.asarray(features, np.float64) - self.mean
        return np.asarray(np.linalg.norm(differences @ self.whitening.T.astype(np.float64), axis=1))

    def novelty(self, features: npt.NDArray[np.floating[Any]]) -> float:
        """Return one radiograph's distance, of features D, in units of the line: above 1 lies beyond it."""
        return float(self.distances(features[None])[0] / self.line)


def sum_up(
    trained: npt.NDArray[np.floating[Any]], held_out: npt.NDArray[np.floating[Any]]
) -> TrainingFeatures:
    """Sum up the features N × D of radiographs trained on, and draw the line by those, M × D, of others held out.

    Raises
    ------
    ValueError
        If there are fewer than two of the one or none of the other, or a feature is not finite.
    """
    if len(trained) < 2 or not len(held_out):
        message = f"{len(trained)} radiographs trained on and {len(held_out)} held out are too few to sum up"
        raise ValueError(message)
    if not (np.isfinite(trained).all() and np.isfinite(held_out).all()):
        message = "the network's features are not finite"
        raise ValueError(message)
    from sklearn.covariance import LedoitWolf  # half a second, which only who trains waits for

    mean, spread = trained.mean(axis=0, dtype=np.float64), trained.std(axis=0, dtype=np.float64)
    spread = np.where(spread > _LEAST_SPREAD * np.abs(mean).max(), spread, np.inf)
    covariance = LedoitWolf(assume_centered=True).fit((trained - mean) / spread).covariance_
    # What never varies has no covariance, and no part in the distance
    covariance[np.diag_indices_from(covariance)] += np.where(np.isinf(spread), 1.0, 0.0)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)) / spread
    unlined = TrainingFeatures(
        mean.astype(np.float32), whitening.astype(np.float32), 1.0, len(trained), len(held_out)
    )
    distances = np.sort(unlined.distances(held_out))
    place = min(math.ceil((1 - BEYOND) * (len(distances) + 1)), len(distances))
    return TrainingFeatures(
        unlined.mean, unlined.whitening, float(distances[place - 1]), len(trained), len(held_out)
    )


@contextmanager
def first_maps(network: nn.Module) -> Iterator[list[npt.NDArray[np.float32]]]:
    """Gather the features N × D of each batch that a network is given in this block, where it has a convolution of torch's.

    They are of the maps N × C × h × w of the first one, after whatever keeps their shape before the next: norm, activation.
    """
    gathered: list[npt.NDArray[np.float32]] = []
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    shape: torch.Size | None = None

    def begin(_module: nn.Module, _inputs: object, maps: torch.Tensor) -> None:
        nonlocal shape
        shape = maps.shape
        gathered.append(_statistics(maps))

    def go_on(_module: nn.Module, _inputs: object, maps: object) -> None:
        if shape is not None and isinstance(maps, torch.Tensor) and maps.shape == shape:
            gathered[-1] = _statistics(maps)

    def end(_module: nn.Module, _inputs: object) -> None:
        nonlocal shape
        shape = None

    leaves = [module for module in network.modules() if not any(module.children())]
    convolutions = [module for module in leaves if isinstance(module, nn.Conv2d)]
    handles = [module.register_forward_pre_hook(end) for module in convolutions if module is not first]
    handles += [module.register_forward_hook(go_on) for module in leaves if module not in convolutions]
    handles += [] if first is None else [first.register_forward_hook(begin)]
    try:
        yield gathered
    finally:
        for handle in handles:
            handle.remove()


def _statistics(maps: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return each channel's mean and standard deviation, N × 2C, of maps N × C × h × w."""
    values = maps.detach().float()
    statistics = torch.cat([values.mean((2, 3)), values.std((2, 3), correction=0)], dim=1)
    array: npt.NDArray[np.float32] = statistics.cpu().numpy()
    return array


def novelty_file(model: str) -> Path:
    """Return where what a model's training radiographs have in common lies, or would lie: beside its file or folder."""
    return Path(f"{model.rstrip('/')}.novelty.safetensors")


def write_training_features(path: Path, features: TrainingFeatures, fingerprint: str) -> None:
    """Write it, whole or not at all; `fingerprint` is the model's.

    Raises
    ------
    OSError
        If the disk is full.
    """
    metadata = {"format": _FORMAT, "version": _VERSION, "model": fingerprint}
    numbers = {"line": features.line, "trained": features.trained, "held_out": features.held_out}
    metadata |= {name: json.dumps(number) for name, number in numbers.items()}
    write_atomically(path, save({"mean": features.mean, "whitening": features.whitening}, metadata))


def read_training_features(path: Path, fingerprint: str) -> TrainingFeatures | None:
    """Read it; ``None`` where there is no such file.

    Raises
    ------
    ModelError
        If it is damaged, or of another model than the one with this fingerprint.
    """
    if not path.is_file():
        return None
    try:
        features, model = _read(path)
    except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
        message = (
            f"{path}: not what `shamsul novelty` writes ({first_line(error)}); remove it or make it again"
        )
        raise ModelError(message) from error
    if model != fingerprint:
        message = f"{path}: was made of another model than the one beside it; remove it or make it again with: shamsul novelty"
        raise ModelError(message)
    return features


def _read(path: Path) -> tuple[TrainingFeatures, str]:
    if path.stat().st_size > _LARGEST:
        message = f"it is larger than {_LARGEST:,} bytes"
        raise ValueError(message)
    with safe_open(path, framework="np") as file:
        metadata = file.metadata() or {}
        if (metadata.get("format"), metadata.get("version")) != (_FORMAT, _VERSION):
            message = f"its metadata does not say {_FORMAT} {_VERSION}"
            raise ValueError(message)
        mean, whitening = (np.asarray(file.get_tensor(name), np.float32) for name in ("mean", "whitening"))
        line, trained, held_out = (
            cast("float", json.loads(metadata[name])) for name in ("line", "trained", "held_out")
        )
    count = len(mean) if mean.ndim == 1 else 0
    is_shaped = 0 < count <= _MOST_FEATURES and whitening.shape == (count, count)
    if not (is_shaped and np.isfinite(mean).all() and np.isfinite(whitening).all()):
        message = "mean and whitening are not D and D × D finite values"
        raise ValueError(message)
    if not (math.isfinite(line) and line > 0 and trained > 0 and held_out > 0):
        message = "its line or its numbers of radiographs are not positive"
        raise ValueError(message)
    return TrainingFeatures(mean, whitening, float(line), int(trained), int(held_out)), metadata["model"]
