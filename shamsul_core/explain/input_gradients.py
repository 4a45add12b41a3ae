"""Gradients of logits by the network's input, which Integrated Gradients and SmoothGrad average."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

_BATCH = {"cpu": 4, "cuda": 32}
"""Inputs at once by the kind of device; each keeps its activations for the backward passes."""


def input_gradients(
    network: nn.Module, inputs: torch.Tensor, columns: Sequence[int]
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Yield gradients batch by batch, from one forward pass and a backward pass for each column.

    Parameters
    ----------
    inputs
        float32, N × channels × S × S.
    columns
        The logits' columns.

    Yields
    ------
    tuple
        Which of the inputs, and float32, columns × as many × channels × S × S.
    """
    size = _BATCH.get(inputs.device.type, _BATCH["cpu"])
    for start in range(0, len(inputs), size):
        part = slice(start, min(start + size, len(inputs)))
        batch = inputs[part].detach().clone().requires_grad_()
        # Each input's logits depend on it alone
        sums = network(batch).sum(dim=0)
        gradients = [torch.autograd.grad(sums[column], batch, retain_graph=True)[0] for column in columns]
        yield part, torch.stack(gradients)
