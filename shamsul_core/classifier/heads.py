"""Heads that people put in the place of torchvision's last linear layer: another one, or a Sequential of several.

Of a Sequential a state dict has the layers with weights and their places, ``fc.0.weight`` and ``fc.3.weight``. What lies
between has neither weights nor a name, an activation as little as a dropout: the sidecar's ``head_activation`` says which
it is. Between neighbours, ``fc.0`` and ``fc.1``, nothing lies.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn

from shamsul_core.classifier.errors import ModelError
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

    Tensors = Mapping[str, torch.Tensor]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "none": nn.Identity,
}
"""What may lie between two linear layers, by the sidecar's name; with torch's own parameters."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a state dict.

    Parameters
    ----------
    tensors
        The state dict; a single linear layer has torchvision's name there.
    outputs
        Number of logits; 0 where there is no head.
    place, module
        What stands where, if it is not torchvision's linear layer.
    definition
        What is not told by the weights: what lies between the layers.
    """

    tensors: dict[str, torch.Tensor]
    outputs: int
    place: str = ""
    module: nn.Module | None = None
    definition: str = ""


def read_head(
    path: Path, tensors: Tensors, own: Mapping[str, tuple[int, ...]], activation: str | None, sidecar: Path
) -> Head:
    """Return a state dict's head.

    Parameters
    ----------
    tensors
        The state dict, by torchvision's names.
    own
        The shapes of torchvision's own network, its linear layer last.
    activation
        What the sidecar says lies between several layers, one of `ACTIVATIONS`.
    sidecar
        Its path, for the message.

    Raises
    ------
    ModelError
        If it has several layers, and they are not linear or nothing says what lies between.
    """
    last = list(own)[-1].rpartition(".")[0]
    place, layers = _layers(tensors, own, last)
    if len(layers) > 1:
        return _several(path, tensors, place, layers, activation=activation, sidecar=sidecar)
    renamed = {}
    for name, value in tensors.items():
        parent, _, kind = name.rpartition(".")
        renamed[f"{last}.{kind}" if parent in layers else name] = value
    return Head(tensors=renamed, outputs=len(renamed.get(f"{last}.weight", ())))


def _layers(tensors: Tensors, own: Mapping[str, tuple[int, ...]], last: str) -> tuple[str, list[str]]:
    """Return where the head lies, and its layers in their order."""
    places = [last]
    parent = last.rpartition(".")[0]
    # torchvision's layer may be the only one of a Sequential, which many replace as a whole
    if parent and not any(name.startswith(f"{parent}.") and not name.startswith(f"{last}.") for name in own):
        places.append(parent)
    for place in places:
        found = (re.match(rf"({re.escape(place)}\.(\d+))\.\w+$", name) for name in tensors)
        numbered = {int(match[2]): match[1] for match in found if match}
        if numbered:
            return place, [numbered[index] for index in sorted(numbered)]
        if f"{place}.weight" in tensors:
            return place, [place]
    return last, [last]


def _several(
    path: Path, tensors: Tensors, place: str, layers: list[str], *, activation: str | None, sidecar: Path
) -> Head:
    weights = [tensors.get(f"{layer}.weight") for layer in layers]
    kinds = {name for name in tensors if name.startswith(f"{place}.")}
    are_linear = kinds <= {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
    shapes = [tuple(weight.shape) for weight in weights if weight is not None and weight.ndim == 2]
    chain = len(shapes) == len(layers) and all(one[0] == after[1] for one, after in pairwise(shapes))
    if not (are_linear and chain):
        message = (
            f"{path}: its head has {len(layers)} layers, {', '.join(map(quoted, layers[:4]))}, which are not all linear and "
            f"behind each other; give FILE.py:FUNCTION that builds the network"
        )
        raise ModelError(message)
    numbers = [int(layer.rpartition(".")[2]) for layer in layers]
    gaps = [one for one, after in pairwise(numbers) if after - one > 1]
    if gaps and activation is None:
        message = (
            f"{path}: its head has {len(layers)} layers, and their names do not tell what lies between them; say it in "
            f'{sidecar}, {{"head_activation": "relu"}} or another of {", ".join(ACTIVATIONS)}, or give FILE.py:FUNCTION '
            f"that builds the network"
        )
        raise ModelError(message)
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    for number, layer, (outputs, features) in zip(numbers, layers, shapes, strict=True):
        steps[str(number)] = nn.Linear(features, outputs, bias=f"{layer}.bias" in tensors)
        if number in gaps:
            steps[str(number + 1)] = ACTIVATIONS[str(activation)]()
    return Head(
        tensors=dict(tensors),
        outputs=shapes[-1][0],
        place=place,
        module=nn.Sequential(steps),
        definition=f"head {', '.join(f'{name} {type(step).__name__}' for name, step in steps.items())}",
    )
