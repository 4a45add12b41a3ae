"""Where a training starts, and the classifier that it ends in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torchvision.models import DenseNet121_Weights, densenet121

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.errors import first_line
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.weights import load_classifier
from shamsul_core.training.settings import Settings, TrainingError
from shamsul_core.training.targets import output_count
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

RANDOM, IMAGENET = "random", "imagenet"
_HEAD = ("classifier.weight", "classifier.bias")


def empty_network(settings: Settings) -> DenseNet121:
    """Return the network that the settings train, with random weights of their seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return DenseNet121(output_count(len(OBSERVATIONS), settings.uncertain))


def initial_network(settings: Settings) -> tuple[DenseNet121, Preprocessing]:
    """Return the network and its preprocessing, with the weights from which the training starts.

    Raises
    ------
    TrainingError
        If ImageNet weights cannot be downloaded, or the model is not a DenseNet-121.
    ModelError
        If the model cannot be read.
    """
    network = empty_network(settings)
    if settings.init == RANDOM:
        return network, Preprocessing(size_px=settings.size_px)
    if settings.init == IMAGENET:
        state = _imagenet_weights()
        network.load_state_dict({name: state[name] for name in state if name not in _HEAD}, strict=False)
        return network, Preprocessing(size_px=settings.size_px)
    model = load_classifier(settings.init)
    if not isinstance(model.network, DenseNet121) or model.preprocessing.channels != 3:
        message = f"{settings.init}: not a DenseNet-121 of three channels, the only network trained here; give another --init"
        raise TrainingError(message)
    _copy(model, network)
    return network, replace(model.preprocessing, size_px=settings.size_px, resize_px=None)


def _imagenet_weights() -> Mapping[str, torch.Tensor]:
    weights = DenseNet121_Weights.IMAGENET1K_V1
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    try:
        state: Mapping[str, torch.Tensor] = densenet121(weights=weights, progress=False).state_dict()
    # No network; a damaged file, or one that is no DenseNet-121
    except (OSError, RuntimeError) as error:
        message = (
            f"ImageNet weights cannot be downloaded ({first_line(error)}); download {weights.url} to {cached}, "
            f"or give --init random or a model"
        )
        raise TrainingError(message) from error
    return state


def _copy(model: Classifier, network: DenseNet121) -> None:
    """Copy a classifier's weights; of its head the rows of pathologies with the same name, the others stay random."""
    state = model.network.state_dict()
    head: Any = network.classifier
    each = head.out_features // len(OBSERVATIONS)
    network.load_state_dict({name: state[name] for name in state if name not in _HEAD}, strict=False)
    with torch.no_grad():
        for row, pathology in enumerate(model.pathologies):
            if pathology not in OBSERVATIONS:
                continue
            place = OBSERVATIONS.index(pathology) * each
            for name, parameter in zip(_HEAD, (head.weight, head.bias), strict=True):
                if each == 1:
                    parameter[place] = state[name][row]
                else:
                    # The logit is positive less negative
                    parameter[place], parameter[place + 2] = -state[name][row] / 2, state[name][row] / 2


def trained_classifier(
    state: Mapping[str, torch.Tensor], preprocessing: Preprocessing, source: str
) -> Classifier:
    """Return an ordinary classifier of a trained network's weights; three classes become one logit, exactly.

    The head is linear, so that positive less negative is the difference of the two rows.
    """
    folded = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
    for name in _HEAD:
        if len(folded[name]) == 3 * len(OBSERVATIONS):
            folded[name] = folded[name][2::3] - folded[name][0::3]
    network = DenseNet121(len(OBSERVATIONS))
    network.load_state_dict(folded)
    return Classifier(network, OBSERVATIONS, preprocessing, source, is_trained=True)
