"""Where Grad-CAM and its kin look: a network's last feature maps, or its last tokens that still reach the output.

Of a convolutional network these are the last activations with more than one place. A transformer's tokens are brought
back to the grid of patches that they come from, without those that stand for no patch (class, distillation, registers),
which come first. Of tokens only the outputs of layer norms are looked at, as is usual
(https://github.com/jacobgil/pytorch-grad-cam): the last block's first norm where the class token alone is read out,
since from there on no patch reaches it, and the last norm where the patches are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.heatmap import Output

    Layout = Literal["channels first", "channels last", "tokens"]

_PASSING = (nn.Dropout, nn.Identity, nn.Softmax)
"""What gives on maps of another layer, or an attention's weights of tokens by tokens."""

_MOST_OTHER_TOKENS = 16
"""Class, distillation and register tokens; the most that is usual are the first of 5."""

NO_MAPS = "Grad-CAM needs feature maps or tokens on a grid before the head, which {network} has not"


@dataclass(frozen=True)
class FeatureMaps:
    """Activations of one layer and how places lie in them.

    Parameters
    ----------
    activations
        Part of the graph from input to logits: 1 × C × h × w, 1 × h × w × C, or 1 × N × C.
    layout
        Which of these.
    side
        Of the grid of tokens; 0 for other layouts.
    """

    activations: torch.Tensor
    layout: Layout
    side: int = 0

    def on_grid(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of the activations' shape, such as their gradient, as 1 × C × h × w."""
        if self.layout == "channels first":
            return values
        if self.layout == "channels last":
            return values.permute(0, 3, 1, 2)
        patches = values[:, -(self.side**2) :]
        return patches.transpose(1, 2).reshape(1, -1, self.side, self.side)


def trace(network: nn.Module, inputs: torch.Tensor) -> tuple[torch.Tensor, list[FeatureMaps]]:
    """Return the logits, C, of an input 1 × channels × S × S, and all feature maps on the way, in their order.

    The network is as it was afterwards, its hooks too, also if this fails.
    """
    seen: list[FeatureMaps] = []
    sides: set[int] = set()

    def keep(module: nn.Module, _inputs: object, activations: object) -> torch.Tensor | None:
        if module is network or not isinstance(activations, torch.Tensor) or not activations.requires_grad:
            return None
        maps = _maps(module, activations, sides)
        if maps is None:
            return None
        seen.append(maps)
        # What follows may work in place
        return activations.clone()

    handles = [module.register_forward_hook(keep) for module in network.modules()]
    try:
        with torch.enable_grad():
            logits = network(inputs.detach().clone().requires_grad_())[0]
    finally:
        for handle in handles:
            handle.remove()
    return logits, seen


def last_feature_maps(network: nn.Module, logits: torch.Tensor, maps: Sequence[FeatureMaps]) -> FeatureMaps:
    """Return the last of a network's feature maps whose places reach the logits; the last where none does.

    Raises
    ------
    ValueError
        If there are none.
    """
    # Of a plain sum, what speaks for one output might cancel what speaks against another
    weights = torch.arange(1, len(logits) + 1, dtype=logits.dtype, device=logits.device)
    connected: list[FeatureMaps] = []
    for candidate in reversed(maps):
        gradient: torch.Tensor | None = torch.autograd.grad(
            logits @ weights, candidate.activations, retain_graph=True, allow_unused=True
        )[0]
        if gradient is None:
            continue
        connected.append(candidate)
        if candidate.on_grid(gradient).any():
            return candidate
    if not connected:
        raise ValueError(NO_MAPS.format(network=type(network).__name__))
    return connected[0]


def features_and_gradients(
    network: nn.Module, inputs: torch.Tensor, columns: Sequence[int], output: Output = "logit"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the last feature maps and how each of some outputs rises with them, by a backward pass for each.

    Parameters
    ----------
    inputs
        The network's input, float32, 1 × channels × S × S.
    columns, output
        Which of the network's outputs, and whether as logits or probabilities.

    Returns
    -------
    tuple
        Features, float32, K × h × w, and gradients, float32, columns × K × h × w.

    Raises
    ------
    ValueError
        If the network has no feature maps.
    """
    logits, traced = trace(network, inputs)
    last = last_feature_maps(network, logits, traced)
    explained = torch.sigmoid(logits) if output == "probability" else logits
    gradients = [
        torch.autograd.grad(explained[column], last.activations, retain_graph=True)[0] for column in columns
    ]
    features = last.on_grid(last.activations.detach())[0]
    return features, torch.cat([last.on_grid(gradient) for gradient in gradients])


def _maps(module: nn.Module, activations: torch.Tensor, sides: set[int]) -> FeatureMaps | None:
    """Return activations as feature maps; ``None`` where they have no places. `sides` are those of grids seen so far."""
    if activations.ndim == 4 and not isinstance(module, _PASSING):
        first, second, third = activations.shape[1:]
        # The input is square, and so are maps of it; others are tokens of windows or of an attention's heads
        if second == third > 1 and not (_normalises_last(module) and first == second):
            sides.add(second)
            return FeatureMaps(activations, "channels first")
        if first == second > 1 and _normalises_last(module):
            sides.add(first)
            return FeatureMaps(activations, "channels last")
    if activations.ndim == 3 and _normalises_last(module):
        side = _side(activations.shape[1], sides)
        return None if side < 2 else FeatureMaps(activations, "tokens", side)
    return None


def _side(tokens: int, sides: set[int]) -> int:
    """Return the side of the square grid that tokens are of; 0 where they are of none.

    Where the patches were made, their grid has been seen; a few tokens more stand for no patch.
    """
    seen = [side for side in sides if 0 <= tokens - side**2 <= _MOST_OTHER_TOKENS]
    if seen:
        return max(seen)
    return isqrt(tokens) if isqrt(tokens) ** 2 == tokens else 0


def _normalises_last(module: nn.Module) -> bool:
    """Return whether a module is a layer norm over the last axis; of maps, channels are the last then."""
    return isinstance(module, nn.LayerNorm) and not type(module).__name__.endswith("2d")
