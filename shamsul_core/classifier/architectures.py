"""Networks by name: DenseNet-121 as the explainers need it, and every classifier of torchvision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torchvision
from torch import nn

from shamsul_core.classifier.errors import ModelError
from shamsul_core.classifier.network import DenseNet121

if TYPE_CHECKING:
    from collections.abc import Mapping

DENSENET121 = "densenet121"
TORCHS_EPSILON = 1e-5


def build(architecture: str, outputs: int) -> nn.Module:
    """Return a network without weights of its own; no ReLU works in place.

    Parameters
    ----------
    architecture
        torchvision's name, such as ``"densenet121"``.
    outputs
        Number of logits.

    Raises
    ------
    ModelError
        If there is no classifier of this name in torchvision.
    """
    if architecture == DENSENET121:
        return DenseNet121(outputs)
    architectures = torchvision.models.list_models(module=torchvision.models)
    if architecture not in architectures:
        message = (
            f"torchvision has no classifier {architecture!r}; there are densenet121, resnet50, vit_b_16, ..."
        )
        raise ModelError(message)
    network: nn.Module = torchvision.models.get_model(architecture, weights=None, num_classes=outputs)
    for module in network.modules():
        if hasattr(module, "inplace"):
            module.__dict__["inplace"] = False
    return network


def fill(network: nn.Module, tensors: Mapping[str, torch.Tensor], whose: str) -> None:
    """Load weights into a network, in float32.

    Parameters
    ----------
    tensors
        By their names in the network's state dict.
    whose
        File and architecture, for the message.

    Raises
    ------
    ModelError
        If they do not fit.
    """
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        message = f"{whose}: the weights do not fit: {reason[:300]}"
        raise ModelError(message) from error


def epsilon_of(network: nn.Module) -> float:
    """Return what the batch norms add to the variance; torch's 1e-5 where there are none."""
    epsilons = {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)}
    return epsilons.pop() if len(epsilons) == 1 else TORCHS_EPSILON


def set_epsilon(network: nn.Module, epsilon: float) -> None:
    """Set what the batch norms add to the variance."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = epsilon
