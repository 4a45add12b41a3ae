"""What a network's outputs are: their names, and logits whose sigmoid is the probability.

A classifier explains logits. Where classes exclude each other, output k of a softmax over C classes becomes the log-odds
of class k against the others, z_k - log(sum of exp(z_j), j other than k): its sigmoid is the softmax's probability.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch
from torch import nn

from shamsul_core.classifier.errors import ModelError
from shamsul_core.messages import quoted
from shamsul_core.vocabulary import canonical_name

if TYPE_CHECKING:
    from collections.abc import Sequence

OutputKind: TypeAlias = Literal["sigmoid", "softmax"]

HOW_TO_NAME = 'put {sidecar} beside it with {{"pathologies": ["...", "..."]}}, the outputs in their order'

_GENERIC = re.compile(r"(label|class|output|target)?[\s_-]*\d*", re.IGNORECASE)


def log_odds(logits: torch.Tensor) -> torch.Tensor:
    """Return each class's log-odds against the others, N × C, of a softmax's logits N × C.

    >>> log_odds(torch.tensor([[0.0, 0.0, 0.0]])).sigmoid().mul(3)
    tensor([[1., 1., 1.]])
    """
    classes = logits.shape[-1]
    # Each row of what is taken away leaves its own class out
    others = logits.unsqueeze(-2).expand(*logits.shape[:-1], classes, classes)
    others = others.masked_fill(torch.eye(classes, dtype=torch.bool, device=logits.device), -torch.inf)
    return logits - others.logsumexp(dim=-1)


class LogOdds(nn.Module):
    """A network of classes that exclude each other, with one logit for each against the others.

    Parameters
    ----------
    network
        Gives the softmax's logits, N × C.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return log-odds, float32, N × C."""
        return log_odds(self.network(batch).float())


def named(names: Sequence[object], whose: str, sidecar: str) -> tuple[str, ...]:
    """Return the outputs' names as the vocabulary has them.

    Parameters
    ----------
    whose
        What gives the names, for the message.
    sidecar
        The file that could give better ones.

    Raises
    ------
    ModelError
        If there are none, they mean nothing (``LABEL_0``), or one stands for two outputs; says what to do.
    """
    if not names:
        message = f"{whose}: nothing names its outputs; {HOW_TO_NAME.format(sidecar=sidecar)}"
        raise ModelError(message)
    generic = [name for name in names if not isinstance(name, str) or _GENERIC.fullmatch(name.strip())]
    if generic:
        message = f"{whose}: its outputs have no names of their own ({quoted(str(generic[0]))}); {HOW_TO_NAME.format(sidecar=sidecar)}"
        raise ModelError(message)
    known = [canonical_name(str(name).strip()) for name in names]
    twice = [name for name in known if known.count(name) > 1]
    if twice:
        message = f"{whose}: two of its outputs are {quoted(twice[0])}; {HOW_TO_NAME.format(sidecar=sidecar)}"
        raise ModelError(message)
    return tuple(known)
