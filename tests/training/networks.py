"""A DenseNet-121 whose batch norms do not depend on the batch, and processes that train it."""

from __future__ import annotations

from functools import partial

import torch
from lightning.fabric import Fabric
from torch import nn

from shamsul_core.classifier.network import DenseNet121
from shamsul_core.training.fit import fit, silence


class SteadyNetwork(DenseNet121):
    """Its batch norms keep their running statistics, so that a batch may be split."""

    def train(self, mode: bool = True) -> SteadyNetwork:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def steady_network(outputs: int) -> SteadyNetwork:
    torch.manual_seed(0)
    return SteadyNetwork(outputs)


def fit_on(devices: int, task) -> None:
    """Fit as `shamsul_core.training.train` does, on processes of this machine, in 32 bits."""
    strategy = "auto" if devices == 1 else "ddp_spawn"
    fabric = Fabric(accelerator="cpu", devices=devices, strategy=strategy, precision="32-true")
    fabric.launch(partial(fit, task=task, progress=silence), steady_network(14))
