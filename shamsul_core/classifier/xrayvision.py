"""Classifiers of TorchXRayVision (Cohen et al., MIDL 2022): ``torchxrayvision:densenet121-res224-chex`` and others.

Their input is one channel from -1024 to 1024, their outputs are calibrated so that 0.5 is each output's own operating
point. What is explained is the logit of that calibrated probability, which is a rising function of the logit that the
last layer adds up; LRP, which shares out sums, explains the latter.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.classifier.model_card import XRAYVISION
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.vocabulary import OBSERVATIONS

PREFIX = XRAYVISION
_NAMES = {"Effusion": "Pleural Effusion", "Pleural_Thickening": "Pleural Other"}
_TINY = 1e-6


class CalibratedXrayNetwork(nn.Module):
    """A TorchXRayVision DenseNet with our interface: three equal channels in, logits of calibrated probabilities out.

    Parameters
    ----------
    network
        One of the library's DenseNets.
    columns
        Which of its outputs are CheXpert's observations.
    """

    def __init__(self, network: nn.Module, columns: list[int]) -> None:
        super().__init__()
        thresholds: Any = getattr(network, "op_threshs", None)
        if thresholds is None:
            thresholds = torch.full((max(columns) + 1,), 0.5)
        self.features: Any = network.features
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier: Any = network.classifier
        self.columns = columns
        self.register_buffer("thresholds", torch.nan_to_num(thresholds.flatten()[columns].float(), nan=0.5))
        for module in self.modules():
            if isinstance(module, nn.ReLU):
                module.inplace = False

    @property
    def before_calibration(self) -> nn.Module:
        """The same layers up to the logits that their last one adds up, before any sigmoid."""
        return _UncalibratedXrayNetwork(self)

    def added_up(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the logits N × C before calibration, float32, of a batch N × 3 × 224 × 224."""
        features = self.pool(self.relu(self.features(batch[:, :1]))).flatten(1)
        logits: torch.Tensor = self.classifier(features)[:, self.columns].float()
        return logits

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits N × C of a batch N × 3 × 224 × 224, of which the first channel counts."""
        raw = torch.sigmoid(self.added_up(batch))
        at: Any = self.thresholds
        calibrated = torch.where(raw < at, raw / (2 * at), 1 - (1 - raw) / (2 * (1 - at)))
        return torch.logit(calibrated.clamp(_TINY, 1 - _TINY))


class _UncalibratedXrayNetwork(nn.Module):
    def __init__(self, calibrated: CalibratedXrayNetwork) -> None:
        super().__init__()
        self.features, self.relu, self.pool = calibrated.features, calibrated.relu, calibrated.pool
        self.classifier = calibrated.classifier
        self._added_up = calibrated.added_up

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self._added_up(batch)


def load_xrayvision(source: str) -> Classifier:
    """Return the classifier that ``torchxrayvision:<weights>`` names; the library downloads it at the first call.

    Raises
    ------
    ModelError
        If the library is missing, knows no such weights, or cannot download them.
    """
    weights = source.removeprefix(PREFIX)
    try:
        import torchxrayvision
    except ModuleNotFoundError as error:
        message = f"{source}: needs the library; pip install torchxrayvision"
        raise ModelError(message) from error
    model_urls = torchxrayvision.models.model_urls
    if weights not in model_urls or not weights.startswith("densenet121"):
        there = ", ".join(name for name in model_urls if name.startswith("densenet121"))
        message = f"{source}: torchxrayvision has no such DenseNet; there are {there}"
        raise ModelError(message)
    try:
        network = torchxrayvision.models.DenseNet(weights=weights)
    except Exception as error:
        message = f"{source}: torchxrayvision could not get its weights, which needs a network ({first_line(error)})"
        raise ModelError(message) from error
    return wrapped(network, source)


def wrapped(network: Any, source: str) -> Classifier:
    """Return one of the library's DenseNets as a classifier of those of its outputs that CheXpert has, too.

    Raises
    ------
    ModelError
        If it has none of them.
    """
    named = [_NAMES.get(name, name) for name in network.pathologies]
    columns = [column for column, name in enumerate(named) if name in OBSERVATIONS]
    if not columns:
        message = f"{source}: none of its outputs is a CheXpert observation: {', '.join(filter(None, named))}"
        raise ModelError(message)
    # From 0..1 to -1024..1024
    preprocessing = Preprocessing(mean=(0.5,) * 3, std=(1 / 2048,) * 3)
    return Classifier(
        CalibratedXrayNetwork(network, columns),
        tuple(named[column] for column in columns),
        preprocessing,
        source,
        is_trained=True,
        architecture="torchxrayvision",
    )
