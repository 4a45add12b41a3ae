"""The fast copy of a network, held against the network itself in float32."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import nn

from shamsul_core.classifier.fast import PatchEmbedding, fast_copy

TINY = {"num_layers": 2, "num_heads": 2, "hidden_dim": 32, "mlp_dim": 64, "num_classes": 3}
NETWORKS = {
    "resnet18": lambda: torchvision.models.resnet18(num_classes=3),
    "convnext_tiny": lambda: torchvision.models.convnext_tiny(num_classes=3),
    "vision transformer": lambda: torchvision.models.VisionTransformer(image_size=64, patch_size=16, **TINY),
    "swin_t": lambda: torchvision.models.swin_t(num_classes=3),
    "timm vit": lambda: timm.create_model("vit_tiny_patch16_224", img_size=64, depth=2, num_classes=3),
    "timm convnext": lambda: timm.create_model("convnext_atto", num_classes=3),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_is_the_same_function_and_leaves_the_network_as_it_is(name):
    torch.manual_seed(0)
    network = NETWORKS[name]().eval().requires_grad_(requires_grad=False)
    for weight in network.parameters():
        # Heads, layer scales and shifts as training leaves them, not zero and hardly more
        weight += 0.02 * torch.randn_like(weight)
    batch = torch.randn(2, 3, 64, 64)
    before = network(batch)
    fast = fast_copy(network, torch.float32)(batch.contiguous(memory_format=torch.channels_last))
    assert before.std(dim=0).min() > 1e-3, "the answers differ between pictures"
    torch.testing.assert_close(fast, before, rtol=1e-5, atol=1e-5)
    assert torch.equal(network(batch), before)


@pytest.mark.parametrize("size", [(64, 48), (70, 63)], ids=["whole", "more"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_product_over_patches_is_their_convolution(size, bias):
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 8, 16, 16, bias=bias)
    batch = torch.randn(2, 3, *size).contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(PatchEmbedding(convolution)(batch), convolution(batch), rtol=1e-5, atol=1e-5)
