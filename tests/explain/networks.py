"""Small networks with random weights, for every kind that methods tell apart."""

from __future__ import annotations

import torch
from torch import nn
from torchvision.models import VisionTransformer

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.preprocessing import Preprocessing

PATHOLOGIES = ("Edema", "Cardiomegaly", "Support Devices")


def classifier_of(network: nn.Module, size_px: int) -> Classifier:
    """A classifier of as many of `PATHOLOGIES` as the network has outputs."""
    with torch.no_grad():
        outputs = network.eval()(torch.zeros(1, 3, size_px, size_px)).shape[1]
    return Classifier(
        network, PATHOLOGIES[:outputs], Preprocessing(size_px=size_px), "random weights", is_trained=False
    )


def small_transformer(seed: int = 0) -> VisionTransformer:
    """A vision transformer of 4 × 4 patches, two blocks and two heads, whose attention is far from even."""
    torch.manual_seed(seed)
    network = VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=3
    ).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "in_proj_weight" in name or "heads" in name or "pos_embedding" in name:
                parameter.normal_(std=0.7)
    return network


class Pooled(nn.Module):
    """Convolution, ReLU, global average pooling and a linear head, whose class activation maps are known."""

    def __init__(self, seed: int = 0, *, scale: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.features = nn.Sequential(nn.Conv2d(3, 6, 5, stride=4, padding=2), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(6, 3)
        with torch.no_grad():
            self.head.weight *= scale

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.pool(self.features(batch)).flatten(1))
        return logits


class Linear(nn.Module):
    """Logits that are weighted sums of the input."""

    def __init__(self, size_px: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(3, 3, size_px, size_px, generator=generator) / size_px)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nchw,kchw->nk", batch, self.weight)
