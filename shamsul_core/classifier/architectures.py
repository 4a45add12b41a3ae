"""Networks by name: DenseNet-121 as the explainers need it, and every classifier of torchvision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torchvision
from torch import nn

from shamsul_core.classifier.errors import ModelError
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.messages import EXAMPLES, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DENSENET121 = "densenet121"
VISION_TRANSFORMER = "vit_"
"""How the names begin of the only networks that are built for one size of their input."""

TORCHS_EPSILON = 1e-5


def check_name(architecture: str) -> None:
    """Raise a `ModelError` where torchvision has no classifier of this name."""
    if architecture not in torchvision.models.list_models(module=torchvision.models):
        message = (
            f"torchvision has no classifier {architecture!r}; there are densenet121, resnet50, vit_b_16, ..."
        )
        raise ModelError(message)


def build(
    architecture: str,
    outputs: int,
    *,
    channels: int = 3,
    size_px: int | None = None,
    head: tuple[str, nn.Module | None] = ("", None),
) -> nn.Module:
    """Return a network without weights of its own; no ReLU works in place.

    Parameters
    ----------
    architecture
        torchvision's name, such as ``"densenet121"``.
    outputs
        Number of logits.
    channels
        Of the input; where it is not torchvision's three, the first convolution is another.
    size_px
        Side of the input, for vision transformers; torchvision's 224 where it is not given.
    head
        Where another head than torchvision's linear layer goes, and that head.

    Raises
    ------
    ModelError
        If there is no classifier of this name in torchvision.
    """
    place, other = head
    if architecture == DENSENET121 and other is None:
        return _with_channels(DenseNet121(outputs), channels)
    check_name(architecture)
    options = (
        {"image_size": size_px} if size_px is not None and architecture.startswith(VISION_TRANSFORMER) else {}
    )
    network: nn.Module = torchvision.models.get_model(
        architecture, weights=None, num_classes=outputs, **options
    )
    for module in network.modules():
        if hasattr(module, "inplace"):
            module.__dict__["inplace"] = False
    if other is not None:
        network.set_submodule(place, other)
    return _with_channels(network, channels)


def _with_channels(network: nn.Module, channels: int) -> nn.Module:
    """Give a network's first convolution another number of input channels, without weights of its own."""
    name, stem = next((name, part) for name, part in network.named_modules() if isinstance(part, nn.Conv2d))
    if stem.in_channels != channels:
        parent, _, child = name.rpartition(".")
        size: Any = stem.kernel_size
        stride: Any = stem.stride
        padding: Any = stem.padding
        other = nn.Conv2d(channels, stem.out_channels, size, stride, padding, bias=stem.bias is not None)
        setattr(network.get_submodule(parent), child, other)
    return network


def fill(network: nn.Module, tensors: Mapping[str, torch.Tensor], whose: str) -> None:
    """Load weights into a network, in float32.

    Parameters
    ----------
    tensors
        By their names in the network's state dict.
    whose
        File and architecture, for the message.

    Raises
    ------
    ModelError
        If they do not fit.
    """
    state = network.state_dict()
    missing, unexpected = sorted(state.keys() - tensors.keys()), sorted(tensors.keys() - state.keys())
    # Older files do not count batches
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    others = [name for name in state.keys() & tensors.keys() if state[name].shape != tensors[name].shape]
    if missing or unexpected or others:
        words = [
            f"{what} {_examples(names)}"
            for what, names in (("missing", missing), ("unexpected", unexpected))
            if names
        ]
        words += [
            f"{quoted(name)} is {tuple(tensors[name].shape)}, not {tuple(state[name].shape)}"
            for name in sorted(others)[:1]
        ]
        message = f"{whose}: the weights do not fit: {'; '.join(words)}"
        raise ModelError(message)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)


def _examples(names: Sequence[str]) -> str:
    rest = len(names) - EXAMPLES
    return ", ".join(map(quoted, names[:EXAMPLES])) + (f" and {rest:,} more" if rest > 0 else "")


def epsilon_of(network: nn.Module) -> float:
    """Return what the batch norms add to the variance; torch's 1e-5 where there are none."""
    epsilons = {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)}
    return epsilons.pop() if len(epsilons) == 1 else TORCHS_EPSILON


def set_epsilon(network: nn.Module, epsilon: float) -> None:
    """Set what the batch norms add to the variance."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = epsilon
