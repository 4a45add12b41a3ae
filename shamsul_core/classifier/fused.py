"""DenseNet-121 rewritten for many forward passes: the same function in fewer, cheaper steps.

Besides fusing each convolution with the batch norm behind it, three identities save most of the time that is not
multiplication:

- A batch norm and ReLU before a 1 × 1 convolution are ``relu(s x + b) = s max(x, -b/s) + b`` for s > 0, and with the
  minimum for s < 0. Scale and shift go into the convolution, and one bound per channel is all that remains.
- A dense block's features are written where the next layer reads them, into one buffer, and are never concatenated.
- Average pooling and a 1 × 1 convolution commute, so that a transition pools first and multiplies a quarter.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.classifier.network import DenseNet121

_NEGLIGIBLE_SCALE = 1e-6


class FusedDenseNet121:
    """A DenseNet-121's logits, for evaluation only.

    Parameters
    ----------
    network
        The network whose weights are taken, as they are now.
    dtype
        Precision of weights and activations, but of the head's, which are float32.
    """

    def __init__(self, network: DenseNet121, dtype: torch.dtype) -> None:
        steps: Mapping[str, Any] = dict(network.features.named_children())
        self._stem = _fused(steps["conv0"], steps["norm0"], dtype)
        self._blocks = [
            [_Layer(layer, dtype) for layer in steps[f"denseblock{n}"].children()] for n in range(1, 5)
        ]
        self._transitions = [
            _BoundedConvolution(step.norm, step.conv.weight, None, dtype)
            for step in (steps[f"transition{n}"] for n in range(1, 4))
        ]
        head = network.classifier
        self._head = _BoundedConvolution(
            steps["norm5"], head.weight[:, :, None, None], head.bias, torch.float32
        )

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """Return float32 logits N × C of a batch N × 3 × S × S, channels last, in the network's dtype."""
        weight, bias = self._stem
        features = functional.conv2d(batch, weight, bias, stride=2, padding=3).relu_()
        features = functional.max_pool2d(features, 3, stride=2, padding=1)
        for block, transition in zip(self._blocks, [*self._transitions, None], strict=True):
            features = _dense_block(features, block)
            if transition is not None:
                features = transition.multiply(functional.avg_pool2d(transition.bound(features), 2))
        pooled = self._head.bound(features).float().mean((2, 3), keepdim=True)
        return self._head.multiply(pooled).flatten(1)


def _dense_block(features: torch.Tensor, layers: list[_Layer]) -> torch.Tensor:
    count, channels, height, width = features.shape
    ends = [channels]
    for layer in layers:
        ends.append(ends[-1] + layer.growth)
    block = torch.empty(
        (count, ends[-1], height, width),
        dtype=features.dtype,
        device=features.device,
        memory_format=torch.channels_last,
    )
    block[:, :channels] = features
    for layer, (start, end) in zip(layers, pairwise(ends), strict=True):
        block[:, start:end] = layer(block[:, :start])
    return block


class _Layer:
    """norm, ReLU, 1 × 1 convolution, norm, ReLU, 3 × 3 convolution."""

    def __init__(self, layer: Any, dtype: torch.dtype) -> None:
        weight, bias = fuse_conv_bn_weights(
            layer.conv1.weight, None, *_statistics(layer.norm2), layer.norm2.weight, layer.norm2.bias
        )
        self._first = _BoundedConvolution(layer.norm1, weight, bias, dtype)
        self._second = _channels_last(layer.conv2.weight, dtype)
        self.growth = len(self._second)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        first = self._first.multiply(self._first.bound(features)).relu_()
        return functional.conv2d(first, self._second, padding=1)


class _BoundedConvolution:
    """Batch norm, ReLU and 1 × 1 convolution as a bound for each channel and a convolution."""

    def __init__(
        self, norm: Any, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype
    ) -> None:
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        shift = norm.bias - norm.running_mean * scale
        # A channel that hardly depends on its input is the constant relu(shift)
        constant = scale.abs() <= _NEGLIGIBLE_SCALE * shift.abs()
        scale = torch.where(constant, 0, scale)
        shift = torch.where(constant, shift.relu(), shift)
        bound = torch.where(scale == 0, 0, -shift / torch.where(scale == 0, 1, scale))
        infinite = torch.full_like(bound, torch.inf)
        self._low = _per_channel(torch.where(scale < 0, -infinite, bound), dtype)
        self._high = _per_channel(torch.where(scale > 0, infinite, bound), dtype)
        self._is_bounded_above = bool((scale < 0).any())
        self._weight = _channels_last(weight * scale[:, None, None], dtype)
        constant_part = weight[:, :, 0, 0] @ shift
        self._bias = (constant_part if bias is None else constant_part + bias).detach().to(dtype)

    def bound(self, features: torch.Tensor) -> torch.Tensor:
        """Return the features within their bounds, a new tensor."""
        if self._is_bounded_above:
            return torch.clamp(features, self._low, self._high)
        return torch.maximum(features, self._low)

    def multiply(self, bounded: torch.Tensor) -> torch.Tensor:
        """Return the convolution of bounded features."""
        return functional.conv2d(bounded, self._weight, self._bias)


def _fused(convolution: Any, norm: Any, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    weight, bias = fuse_conv_bn_weights(convolution.weight, None, *_statistics(norm), norm.weight, norm.bias)
    return _channels_last(weight, dtype), bias.detach().to(dtype)


def _statistics(norm: Any) -> tuple[torch.Tensor, torch.Tensor, float]:
    return norm.running_mean, norm.running_var, norm.eps


def _per_channel(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return values.detach().to(dtype).view(1, -1, 1, 1)


def _channels_last(weight: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return weight.detach().to(dtype).contiguous(memory_format=torch.channels_last)
