"""Classifiers of TorchXRayVision (Cohen et al., MIDL 2022): ``torchxrayvision:densenet121-res224-chex`` and others.

Their input is the radiograph's middle square in one channel from -1024 to 1024, their outputs are calibrated so that 0.5
is each output's own operating point. What is explained is the logit of that calibrated probability, which is a rising
function of the logit that the last layer adds up; LRP, which shares out sums, explains the latter. Outputs without a
name or without an operating point, which the library itself does not answer for, are left out.

With weights of one's own, ``torchxrayvision:<weights>`` says which of the library's networks they are of.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from shamsul_core.classifier.architectures import build, fill
from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.checkpoint import beneath, read_checkpoint
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.classifier.model_card import XRAYVISION
from shamsul_core.classifier.preprocessing import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

PREFIX = XRAYVISION
_TINY = 1e-6


class CalibratedXrayNetwork(nn.Module):
    """A TorchXRayVision network that gives logits of calibrated probabilities.

    Parameters
    ----------
    layers
        The network up to the logits that its last layer adds up, all of the library's outputs.
    columns
        Which of them are kept.
    thresholds
        Operating point, 0..1, of each that is kept.
    """

    def __init__(self, layers: nn.Module, columns: Sequence[int], thresholds: Sequence[float]) -> None:
        super().__init__()
        self.before_calibration = _Selected(layers, columns)
        self.register_buffer("thresholds", torch.tensor(thresholds))
        for module in self.modules():
            if isinstance(module, nn.ReLU):
                module.inplace = False

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits N × C of a batch N × 1 × size × size."""
        raw = torch.sigmoid(self.before_calibration(batch))
        at: Any = self.thresholds
        calibrated = torch.where(raw < at, raw / (2 * at), 1 - (1 - raw) / (2 * (1 - at)))
        return torch.logit(calibrated.clamp(_TINY, 1 - _TINY))


class _Selected(nn.Module):
    def __init__(self, layers: nn.Module, columns: Sequence[int]) -> None:
        super().__init__()
        self.layers, self.columns = layers, list(columns)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(batch)[:, self.columns].float()
        return logits


class _DenseLayers(nn.Module):
    """The library's DenseNet, every step a module, without what it does to the size of its input."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.features: nn.Module = network.features
        self.relu, self.pool = nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        self.classifier: nn.Module = network.classifier

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.pool(self.relu(self.features(batch))).flatten(1))
        return logits


def load_xrayvision(sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of what ``torchxrayvision:<weights>`` names; the library downloads it at the first call.

    Raises
    ------
    ModelError
        If the library is missing, knows no such weights, or cannot download them; or if one's own do not fit.
    """
    weights = source.model.removeprefix(PREFIX)
    try:
        import torchxrayvision
    except ModuleNotFoundError as error:
        message = f"{source.model}: needs the library; pip install torchxrayvision"
        raise ModelError(message) from error
    model_urls = torchxrayvision.models.model_urls
    if weights not in model_urls:
        # Names without a dash are the library's short ones, for a DenseNet each
        there = ", ".join(name for name in model_urls if "-" in name)
        message = f"{source.model}: torchxrayvision has no such classifier; there are {there}"
        raise ModelError(message)
    size_px = int(model_urls[weights]["input_resolution"])
    if source.weights is not None:
        return _own_weights(Path(source.weights), sidecar, weights, size_px)
    kind = torchxrayvision.models.ResNet if weights.startswith("resnet") else torchxrayvision.models.DenseNet
    try:
        network = kind(weights=weights)
    except Exception as error:
        message = f"{source.model}: torchxrayvision could not get its weights, which needs a network ({first_line(error)})"
        raise ModelError(message) from error
    return content_of(network, source.model, size_px)


def content_of(network: Any, name: str, size_px: int = 224) -> Content:
    """Return the content of one of the library's DenseNets or ResNets, its outputs by the library's names."""
    names = list(network.pathologies)
    thresholds = getattr(network, "op_threshs", None)
    points = [0.5] * len(names) if thresholds is None else thresholds.flatten().tolist()
    columns = [column for column, name in enumerate(names) if name and not math.isnan(points[column])]
    layers = network.model if hasattr(network, "model") else _DenseLayers(network)
    return Content(
        network=CalibratedXrayNetwork(layers, columns, [points[column] for column in columns]),
        name=name,
        architecture="torchxrayvision",
        names=[names[column] for column in columns],
        output="sigmoid",
        preprocessing=preprocessing(size_px).to_json(),
        definition="torchxrayvision",
    )


def preprocessing(size_px: int) -> Preprocessing:
    """Return what the library does: the middle square, resized by scikit-image, from 0..1 to -1024..1024."""
    return Preprocessing(size_px=size_px, mean=(0.5,), std=(1 / 2048,), fit="crop", library="torchxrayvision")


def _own_weights(path: Path, sidecar: Sidecar, weights: str, size_px: int) -> Content:
    """Return the content of a state dict of one of the library's networks, without calibration."""
    import torchxrayvision

    default_pathologies = torchxrayvision.datasets.default_pathologies
    tensors = read_checkpoint(path).tensors
    architecture = weights.partition("-")[0] if weights.startswith("resnet") else "densenet121"
    # The library's ResNets lie under `model.`
    wanted = build(architecture, 1, channels=1).state_dict().keys()
    own = max(beneath(tensors), key=lambda part: len(wanted & part.keys()))
    own.pop("op_threshs", None)
    outputs = len(own.get("classifier.bias", own.get("fc.bias", ())))
    network = build(architecture, outputs, channels=1)
    fill(network, own, f"{path} ({architecture} of torchxrayvision with {outputs} outputs)")
    names = sidecar.pathologies or (default_pathologies if outputs == len(default_pathologies) else ())
    return Content(
        network=network,
        name=path.name,
        architecture=architecture,
        names=names,
        output="sigmoid",
        preprocessing=preprocessing(size_px).to_json(),
    )
