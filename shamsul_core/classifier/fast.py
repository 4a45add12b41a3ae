"""A copy of a network for many forward passes: fused where that can be done, channels last, in 16 bits where that is fast."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

from shamsul_core.classifier.fused import FusedDenseNet121
from shamsul_core.classifier.network import DenseNet121

if TYPE_CHECKING:
    from collections.abc import Callable


def fast_copy(network: nn.Module, dtype: torch.dtype) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the same function as a network's, to be given its batch channels last and in `dtype`; float32 out."""
    if isinstance(network, DenseNet121):
        return FusedDenseNet121(network, dtype)
    try:
        fast: nn.Module = fuse(network)
    except (RuntimeError, TypeError, NotImplementedError, KeyError, AttributeError, ValueError, NameError):
        # torch.fx cannot follow every network
        fast = copy.deepcopy(network)
    fast = fast.to(dtype).to(memory_format=torch.channels_last)
    return lambda batch: fast(batch).float()
