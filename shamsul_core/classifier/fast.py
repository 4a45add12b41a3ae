"""A copy of a network for many forward passes: fused where that can be done, channels last, in 16 bits where that is fast.

Convolutional networks lose most beside their products in batch norms, which `torch.fx` fuses; DenseNet-121 has a module of
its own, `shamsul_core.classifier.fused`. Of a vision transformer two things can be left out without changing its answer: a
convolution over patches that do not overlap is one matrix product, and in the last block nobody reads any token but the
class token. (Hidden patches cannot: they are tokens of their place, which the others attend to.)
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.nn import functional
from torchvision.models import VisionTransformer

from shamsul_core.classifier.fused import FusedDenseNet121
from shamsul_core.classifier.network import DenseNet121

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchvision.models.vision_transformer import EncoderBlock

_LARGE_PATCH_PX = 8
"""Side from which a product over patches is faster than their convolution: four times at 16, slower at 4."""


def fast_copy(network: nn.Module, dtype: torch.dtype) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the same function as a network's, to be given its batch channels last and in `dtype`; float32 out."""
    if isinstance(network, DenseNet121):
        return FusedDenseNet121(network, dtype)
    lean = _lean(copy.deepcopy(network))
    try:
        fast: nn.Module = fuse(lean)
    except (RuntimeError, TypeError, NotImplementedError, KeyError, AttributeError, ValueError, NameError):
        # torch.fx cannot follow every network
        fast = lean
    fast = fast.to(dtype).to(memory_format=torch.channels_last)
    return lambda batch: fast(batch).float()


def _lean(network: nn.Module) -> nn.Module:
    """Replace within a network what does more than its answer needs; return it."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if _is_of_large_patches(child):
                setattr(parent, name, PatchEmbedding(cast("nn.Conv2d", child)))
    if isinstance(network, VisionTransformer):
        network.encoder.layers[-1] = ClassTokenBlock(cast("EncoderBlock", network.encoder.layers[-1]))
    return network


def _is_of_large_patches(module: nn.Module) -> bool:
    return (
        type(module) is nn.Conv2d
        and module.kernel_size == module.stride == (module.kernel_size[0],) * 2
        and module.kernel_size[0] >= _LARGE_PATCH_PX
        and module.padding in {(0, 0), "valid"}
        and module.dilation == (1, 1)
        and module.groups == 1
    )


class PatchEmbedding(nn.Module):
    """A convolution over square patches that do not overlap, as a matrix product.

    Parameters
    ----------
    convolution
        D channels out; its stride is its kernel's side p.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.side = convolution.kernel_size[0]
        self.weight = nn.Parameter(convolution.weight.permute(0, 2, 3, 1).flatten(1), requires_grad=False)
        self.bias = convolution.bias

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return maps N × D × H/p × W/p of a batch N × channels × H × W; what is over at the far edges is left out."""
        side = self.side
        count, channels, height, width = batch.shape
        rows, columns = height // side, width // side
        whole = batch[:, :, : rows * side, : columns * side].permute(0, 2, 3, 1)
        patches = whole.reshape(count, rows, side, columns, side, channels).transpose(2, 3)
        return functional.linear(patches.flatten(3), self.weight, self.bias).permute(0, 3, 1, 2)


class ClassTokenBlock(nn.Module):
    """The last block of torchvision's vision transformer, for the one token that the head reads.

    Parameters
    ----------
    block
        Whose norms, attention and layers it takes.
    """

    def __init__(self, block: EncoderBlock) -> None:
        super().__init__()
        self.ln_1, self.self_attention = block.ln_1, block.self_attention
        self.ln_2, self.mlp = block.ln_2, block.mlp

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the class token, N × 1 × D, of tokens N × T × D, of which it is the first."""
        seen = self.ln_1(tokens)
        attended = tokens[:, :1] + self.self_attention(seen[:, :1], seen, seen, need_weights=False)[0]
        token: torch.Tensor = attended + self.mlp(self.ln_2(attended))
        return token
