"""Grad-CAM (Selvaraju et al. 2017; the paper's equations 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from shamsul_core.classifier.network import DenseNet121
from shamsul_core.explain.feature_maps import features_and_gradients
from shamsul_core.heatmap import Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt
    from torch import nn

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
    """Grad-CAM at the network's last feature maps or tokens; 7 × 7 after their ReLU for DenseNet-121, never negative."""

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
        classifier.need_gradients("Grad-CAM")
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        network = classifier.network
        if isinstance(network, DenseNet121) and self.settings.output == "logit":
            maps = linear_head_maps(network, inputs, columns)
        else:
            maps = gradient_maps(network, inputs, columns, self.settings.output)
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
    network: nn.Module, inputs: torch.Tensor, columns: Sequence[int], output: Output
) -> npt.NDArray[np.float32]:
    """Return Grad-CAM at the last feature maps by a backward pass for each column, equations 4 and 5.

    Parameters
    ----------
    inputs
        The network's input, float32, 1 × channels × S × S.
    columns, output
        Which of the network's C outputs are explained, and whether as logits or probabilities.

    Returns
    -------
    numpy.ndarray
        float32, columns × h × w, never negative.

    Raises
    ------
    ValueError
        If the network has no feature maps.
    """
    features, gradients = features_and_gradients(network, inputs, columns, output)
    alpha = gradients.mean(dim=(2, 3))
    return torch.einsum("ck,khw->chw", alpha, features).relu().cpu().numpy()
