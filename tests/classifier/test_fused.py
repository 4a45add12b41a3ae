from __future__ import annotations

import pytest
import torch
from torch import nn

from shamsul_core.classifier.fused import FusedDenseNet121
from shamsul_core.classifier.network import DenseNet121

INPUTS = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def network():
    """With batch norms as no initialisation leaves them: any mean, variance, shift, and scales of either sign."""
    torch.manual_seed(0)
    network = DenseNet121(5).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 0.8, 0.4)
            nn.init.normal_(module.bias, 0.0, 0.2)
            nn.init.normal_(module.running_mean, 0.0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.requires_grad_(requires_grad=False)


def fused_logits(network, dtype):
    return FusedDenseNet121(network, dtype)(INPUTS.to(dtype).contiguous(memory_format=torch.channels_last))


def test_is_the_same_function(network):
    torch.testing.assert_close(fused_logits(network, torch.float32), network(INPUTS), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e-12, -1e-12])
def test_a_channel_that_does_not_depend_on_its_input_is_a_constant(network, scale):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight[::3] = scale
    torch.testing.assert_close(fused_logits(network, torch.float32), network(INPUTS), rtol=1e-4, atol=1e-5)


def test_bfloat16_stays_close(network):
    exact = network(INPUTS)
    torch.testing.assert_close(
        fused_logits(network, torch.bfloat16), exact, rtol=0, atol=0.05 * float(exact.std())
    )
