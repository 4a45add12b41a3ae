"""DenseNet-121 as the explainers need it: every step a module, nothing done in place."""

from __future__ import annotations

import torch
from torch import nn
from torchvision.models import DenseNet


class DenseNet121(DenseNet):
    """DenseNet-121 (Huang et al. 2017) with a linear head over global average pooling.

    The parameters carry torchvision's names, so that its state dicts load. Unlike torchvision's own forward pass,
    the last ReLU and the pooling are modules and no ReLU works in place: Grad-CAM hooks the one, and LRP needs a
    rule for each step and activations that stay as they were.

    Parameters
    ----------
    outputs
        Number of logits.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__(32, (6, 12, 24, 16), 64, num_classes=outputs)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        for module in self.modules():
            if isinstance(module, nn.ReLU):
                module.inplace = False

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits N × outputs of a batch N × 3 × H × W."""
        logits: torch.Tensor = self.classifier(self.pool(self.relu(self.features(batch))).flatten(1))
        return logits
