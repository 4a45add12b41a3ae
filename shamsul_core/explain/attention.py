"""The attention of a transformer, recorded while it answers, and how relevance goes back through it to the patches.

torchvision's, timm's and transformers' networks all come down to the same few functions of torch. Those that never give
away their weights (fused kernels) are worked out step by step instead, so that the weights can be read and are part of
the graph from input to logits.

A Swin transformer attends within windows of its grid, which every second block shifts, and later merges four tokens to
one. Together a block's windows are an attention of all its tokens that is zero elsewhere; what a merged token has goes
to its four evenly. The papers of attention rollout and of attention relevancy say nothing of windows: this is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isqrt
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

_MOST_OTHER_TOKENS = 16
"""Class, distillation and register tokens."""

NO_ATTENTION = "{method} needs attention between patches, which {network} has not"
UNKNOWN_ATTENTION = "{method} knows attention of all patches and Swin's windows that fill its grid; {network} attends otherwise"


@dataclass(frozen=True, eq=False)
class Attention:
    """The attention of one block.

    Parameters
    ----------
    weights
        Part of the graph from input to logits, W × heads × n × n: how much of each of n tokens (last) each takes, in
        each of W windows; W is 1 where all tokens attend to all.
    shift
        By how many places the grid of tokens was rolled up and left before it was cut into windows.
    """

    weights: torch.Tensor
    shift: int = 0

    @property
    def tokens(self) -> int:
        """Number of tokens in all windows."""
        return self.weights.shape[0] * self.weights.shape[-1]

    def places(self) -> torch.Tensor:
        """Return the tokens of each window, W × n, by their number in the grid row by row."""
        windows, tokens = self.weights.shape[0], self.weights.shape[-1]
        everyone = torch.arange(windows * tokens, device=self.weights.device)
        if windows == 1:
            return everyone[None]
        side, window = isqrt(windows * tokens), isqrt(tokens)
        rolled = everyone.view(side, side).roll((-self.shift, -self.shift), (0, 1))
        cut = rolled.view(side // window, window, side // window, window)
        return cut.transpose(1, 2).reshape(windows, tokens)


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a transformer answered and how it attended.

    Parameters
    ----------
    logits
        C.
    blocks
        Each block's attention, in their order.
    side
        Of the grid of patches that the first block's last tokens are.
    """

    logits: torch.Tensor
    blocks: Sequence[Attention]
    side: int

    def readout(self) -> torch.Tensor:
        """Return which of the last block's tokens are read out, evenly, as float32 shares.

        The class token; with distillation two; where patches are averaged, all of them: those on whose attention the
        logits depend.
        """
        weights = torch.arange(1, len(self.logits) + 1, dtype=self.logits.dtype, device=self.logits.device)
        last = self.blocks[-1]
        (gradient,) = torch.autograd.grad(self.logits @ weights, last.weights, retain_graph=True)
        is_read = torch.zeros(last.tokens, device=gradient.device)
        is_read[last.places()] = gradient.ne(0).any(dim=1).any(dim=-1).float()
        return is_read / is_read.sum()

    def on_grid(self, shares: torch.Tensor) -> torch.Tensor:
        """Return what the first block's tokens have, k × N, as k × side × side, without tokens of no patch."""
        patches = shares[:, -(self.side**2) :]
        return patches.reshape(-1, self.side, self.side)


def record(network: nn.Module, inputs: torch.Tensor, method: str) -> Recorded:
    """Return what a network answers to an input 1 × channels × S × S, with its attention.

    Raises
    ------
    ValueError
        If it has no attention between patches, or another kind than those known; named as the method's need.
    """
    name = type(network).__name__
    with torch.enable_grad(), _Recording() as recording:
        logits = network(inputs.detach().clone().requires_grad_())[0]
    blocks = recording.blocks
    if not blocks:
        raise ValueError(NO_ATTENTION.format(method=method, network=name))
    is_swin = any("Swin" in type(module).__name__ for module in network.modules())
    side = _side(blocks[0], recording.sides)
    if recording.is_strange or not side or not _is_followed(blocks, is_swin=is_swin):
        raise ValueError(UNKNOWN_ATTENTION.format(method=method, network=name))
    return Recorded(logits, blocks, side)


def back(
    shares: torch.Tensor,
    blocks: Sequence[Attention],
    averaged: Sequence[torch.Tensor],
    keep: float,
    take: float,
) -> torch.Tensor:
    """Bring what the last block's tokens have back to the first block's: of each block, ``keep v + take v A``.

    Parameters
    ----------
    shares
        k × N of the last block's N tokens.
    averaged
        Each block's attention A, without heads, W × n × n.

    Returns
    -------
    torch.Tensor
        k × N of the first block's tokens.
    """
    for attention, weights in zip(reversed(blocks), reversed(averaged), strict=True):
        shares = _unmerged(shares, attention.tokens)
        places = attention.places()
        taken = torch.empty_like(shares)
        taken[:, places] = torch.einsum("kwi,wij->kwj", shares[:, places], weights)
        shares = keep * shares + take * taken
    return shares


def _unmerged(shares: torch.Tensor, tokens: int) -> torch.Tensor:
    """Return the shares of tokens of which each four were merged to one, evenly; as they are where none were."""
    if shares.shape[1] == tokens:
        return shares
    side = isqrt(shares.shape[1])
    grid = shares.reshape(-1, side, side) / 4
    return grid.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2).flatten(1)


def _side(first: Attention, sides: set[int]) -> int:
    """Return the side of the grid of patches, of the size that a convolution made it; 0 where there is none."""
    return max((side for side in sides if 0 <= first.tokens - side**2 <= _MOST_OTHER_TOKENS), default=0)


def _is_followed(blocks: Sequence[Attention], *, is_swin: bool) -> bool:
    """Return whether windows are Swin's and fill the grid, and each block has as many tokens as the last or a quarter."""
    for before, after in pairwise(blocks):
        if after.tokens != before.tokens and not (is_swin and after.tokens * 4 == before.tokens):
            return False
    return all(
        block.weights.shape[0] == 1 or (is_swin and isqrt(block.tokens) ** 2 == block.tokens)
        for block in blocks
    )


class _Recording(TorchFunctionMode):
    """Keeps attention, and the sides of convolutions' maps, of what is computed within it."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Attention] = []
        self.sides: set[int] = set()
        self.is_strange = False
        self._shift = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        named = dict(kwargs or {})
        if func is functional.scaled_dot_product_attention:
            return self._attend(*args, **named)
        if func is functional.multi_head_attention_forward:
            return self._attend_with_projections(func, args, named)
        result = func(*args, **named)
        if func in _SOFTMAXES and isinstance(result, torch.Tensor) and result.ndim == 4:
            self._keep(result)
        elif func is torch.roll:
            shifts = named.get("shifts", args[1] if len(args) > 1 else 0)
            # Rolled back, it is rolled the other way
            self._shift = max(0, -(shifts if isinstance(shifts, int) else shifts[0]))
        elif func is torch.conv2d and result.shape[-1] == result.shape[-2]:
            self.sides.add(result.shape[-1])
        return result

    def _keep(self, weights: torch.Tensor) -> None:
        if weights.shape[-1] != weights.shape[-2]:
            self.is_strange = True
        else:
            self.blocks.append(Attention(weights, self._shift))
        self._shift = 0

    def _attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,  # noqa: FBT001, FBT002 (torch's signature)
        scale: float | None = None,
        **other: Any,
    ) -> torch.Tensor:
        """Return what `torch.nn.functional.scaled_dot_product_attention` does, in steps."""
        if is_causal or other.get("enable_gqa") or query.ndim != 4:
            self.is_strange = True
            return functional.scaled_dot_product_attention(
                query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **other
            )
        scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
        if attn_mask is not None:
            scores = (
                scores.masked_fill(~attn_mask, -torch.inf)
                if attn_mask.dtype == torch.bool
                else scores + attn_mask
            )
        weights = scores.softmax(dim=-1)
        self._keep(weights)
        return weights @ value

    def _attend_with_projections(
        self, func: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return what `torch.nn.functional.multi_head_attention_forward` does for plain self-attention."""
        query, key, value, width, heads, weight, bias, bias_key, bias_value, zero, _, out_weight, out_bias = (
            args
        )
        has_masks = any(named.get(mask) is not None for mask in ("attn_mask", "key_padding_mask"))
        is_plain = (
            query is key is value and weight is not None and bias_key is bias_value is None and not zero
        )
        if not is_plain or has_masks or query.ndim != 3 or named.get("need_weights", True):
            self.is_strange = True
            result: tuple[torch.Tensor, torch.Tensor | None] = func(*args, **named)
            return result
        tokens, batch, _ = query.shape
        parts = functional.linear(query, weight, bias).view(tokens, batch, 3, heads, width // heads)
        attended = self._attend(*parts.permute(2, 1, 3, 0, 4))
        together = attended.permute(2, 0, 1, 3).reshape(tokens, batch, width)
        return functional.linear(together, out_weight, out_bias), None


_SOFTMAXES = (functional.softmax, torch.softmax, torch.Tensor.softmax)
