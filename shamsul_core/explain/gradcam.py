"""Grad-CAM (Selvaraju et al. 2017; the paper's equations 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from shamsul_core.classifier.network import DenseNet121
from shamsul_core.heatmap import Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class GradCamSettings:
    """Grad-CAM's settings.

    Parameters
    ----------
    output
        What is explained; the probability's map is the logit's times p (1 - p).
    """

    output: Output = "logit"


@dataclass(frozen=True)
class GradCam:
    """Grad-CAM at the network's last feature maps; 7 × 7 and after their ReLU for DenseNet-121, never negative."""

    settings: GradCamSettings

    name: ClassVar[str] = "gradcam"
    title: ClassVar[str] = "Grad-CAM"
    presets: ClassVar[Mapping[str, GradCamSettings]] = {
        "paper": GradCamSettings(),
        "default": GradCamSettings(),
    }

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        classifier, inputs = subject.classifier, subject.inputs
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        network = classifier.network
        if isinstance(network, DenseNet121) and self.settings.output == "logit":
            maps = linear_head_maps(network, inputs, columns)
        else:
            layer = last_feature_maps(network, inputs)
            maps = gradient_maps(network, layer, inputs, columns, self.settings.output)
        return {
            pathology: Heatmap(
                method=self.name, pathology=pathology, output=self.settings.output, values=maps[index]
            )
            for index, pathology in enumerate(pathologies)
        }


@torch.inference_mode()
def linear_head_maps(
    network: DenseNet121, inputs: torch.Tensor, columns: Sequence[int]
) -> npt.NDArray[np.float32]:
    """Return the logits' Grad-CAM in closed form, from one forward pass for all pathologies.

    Behind global average pooling over h × w places and a linear head with weights W, the gradient of logit c by
    feature map k is W[c, k] / (h w) at every place, and so is its mean, alpha in equation 4.

    Returns
    -------
    numpy.ndarray
        float32, one h × w map for each column.
    """
    features = network.relu(network.features(inputs))[0]
    alpha = network.classifier.weight[list(columns)] / features[0].numel()
    return torch.einsum("ck,khw->chw", alpha, features).relu().cpu().numpy()


def gradient_maps(
    network: nn.Module, layer: nn.Module, inputs: torch.Tensor, columns: Sequence[int], output: Output
) -> npt.NDArray[np.float32]:
    """Return Grad-CAM at a layer by a backward pass for each column, equations 4 and 5.

    Parameters
    ----------
    layer
        The layer of the network whose feature maps, channels × h × w, are taken.
    inputs
        The network's input, float32, 1 × 3 × S × S.
    columns, output
        Which of the network's C outputs are explained, and whether as logits or probabilities.

    Returns
    -------
    numpy.ndarray
        float32, columns × h × w, never negative.
    """
    kept: list[torch.Tensor] = []

    def keep(_module: nn.Module, _inputs: object, features: torch.Tensor) -> torch.Tensor:
        kept.append(features)
        # What follows may work in place
        return features.clone()

    handle = layer.register_forward_hook(keep)
    try:
        logits = network(inputs.detach().clone().requires_grad_())[0]
    finally:
        handle.remove()
    explained = torch.sigmoid(logits) if output == "probability" else logits
    features = kept[-1]
    maps = []
    for column in columns:
        (gradient,) = torch.autograd.grad(explained[column], features, retain_graph=True)
        alpha = gradient.mean(dim=(2, 3), keepdim=True)
        maps.append((alpha * features).sum(dim=1)[0].relu())
    return torch.stack(maps).detach().cpu().numpy()


@torch.inference_mode()
def last_feature_maps(network: nn.Module, inputs: torch.Tensor) -> nn.Module:
    """Return the layer whose feature maps (channels × h × w, more than one place) are a network's last.

    Raises
    ------
    ValueError
        If the network goes on with something else than feature maps, as a vision transformer does with tokens.
    """
    if isinstance(network, DenseNet121):
        return network.relu
    last: list[nn.Module] = []
    tokens_since: list[bool] = [False]

    def look(module: nn.Module, _inputs: object, activations: object) -> None:
        if not isinstance(activations, torch.Tensor) or module is network:
            return
        if activations.ndim == 4 and min(activations.shape[2:]) > 1:
            last[:], tokens_since[0] = [module], False
        elif activations.ndim == 3:
            tokens_since[0] = True

    handles = [module.register_forward_hook(look) for module in network.modules()]
    try:
        network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    if not last or tokens_since[0]:
        message = f"Grad-CAM needs feature maps before the head, which {type(network).__name__} has not"
        raise ValueError(message)
    return last[0]
