"""Networks whose right explanation is known: they add up weighted places, or look at a patch alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.heatmap import Heatmap

SIZE = 32
NAMES = ("Edema", "Cardiomegaly")
PATCH = (slice(8, 18), slice(12, 24))


class Adding(nn.Module):
    """Two logits, the second the first's negative: the sum of the input's first channel by weights."""

    has_fixed_precision = True  # exact, and not in 16 bits

    def __init__(self, weights):
        super().__init__()
        self.linear = nn.Linear(weights.size, 2, bias=False)
        rows = torch.as_tensor(weights, dtype=torch.float32).flatten()
        self.linear.weight = nn.Parameter(torch.stack([rows, -rows]))

    def forward(self, batch):
        return self.linear(batch[:, :1].flatten(1).float())


def adding(weights):
    return Classifier(Adding(weights), NAMES, Preprocessing(size_px=SIZE), "adding", is_trained=True)


def of_patch():
    """A classifier that sees the patch alone: its logit is the mean brightness there."""
    weights = np.zeros((SIZE, SIZE))
    weights[PATCH] = 1 / 120
    return adding(weights)


class TrueMap:
    """A method that is right about `Adding`: each place's weight times its value."""

    name: ClassVar[str] = "true"
    title: ClassVar[str] = "True"
    presets: ClassVar[dict] = {}
    settings = SimpleNamespace()

    def explain(self, subject, pathologies):
        network = subject.classifier.network
        maps = {}
        for name in pathologies:
            weights = network.linear.weight[subject.classifier.output_index(name)].view(SIZE, SIZE)
            values = (weights * subject.inputs[0, 0]).numpy()
            maps[name] = Heatmap(method=self.name, pathology=name, output="logit", values=values)
        return maps


class Folding(nn.Module):
    """A convolutional network small enough for hundreds of explanations a second."""

    def __init__(self):
        super().__init__()
        layers = []
        for before, after in ((3, 8), (8, 16), (16, 16)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(16, 2)

    def forward(self, batch):
        return self.classifier(self.pool(self.features(batch)).flatten(1))


def folding(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Folding()
    return Classifier(network, NAMES, Preprocessing(size_px=SIZE), "folding", is_trained=False)
