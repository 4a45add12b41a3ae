"""How relevance is shared out at each step of a network, as gradients of what gives the same logits.

Relevance R of an activation a is kept as R / a, which is what a backward pass carries: a step whose output y has relevance R
is replaced by one with the same output and a gradient so that each input a_i gets its part of it (Montavon et al. 2019,
"Layer-wise relevance propagation: an overview", 10.4). Steps are caught where torch calls them, so that it makes no
difference whether a network calls a module or a function, and the network stays as it is.

What is linear in its input needs no rule of its own: a sum, a mean, the winner of a maximum, and ReLU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch.nn import functional
from torch.nn.grad import conv2d_input
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Rule = Literal["epsilon", "plus", "gamma", "alpha2_beta1"]
FirstRule = Literal["flat", "box"]

_STABILISER, _GAMMA = 1e-6, 0.25
"""zennit's, as are the rules' definitions where there are biases."""


class RuleSet(NamedTuple):
    """Which rule holds where.

    Parameters
    ----------
    convolution, linear
        At convolutions, and at linear layers.
    first
        At the layer that sees the input; ``None`` where it is treated as the others.
    """

    convolution: Rule
    linear: Rule
    first: FirstRule | None


class First(NamedTuple):
    """The layer that sees the input: its output, cut off from it, its input and its weights."""

    output: torch.Tensor
    input: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None
    geometry: tuple[Any, ...]


class _Convolution(NamedTuple):
    input: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None
    geometry: tuple[Any, ...]
    is_first: bool

    def after(self, scale: torch.Tensor, shift: torch.Tensor) -> _Convolution:
        """Return it together with what scales and shifts its channels."""
        bias = shift if self.bias is None else self.bias * scale + shift
        return self._replace(weight=self.weight * scale[:, None, None, None], bias=bias)


class SharingOut(TorchFunctionMode):
    """Within it, a network's gradients are relevance divided by activation.

    A batch norm right behind a convolution is one step with it. Any other shares out by the epsilon rule: in DenseNet it
    stands before its convolution, and hangs on several others.

    Parameters
    ----------
    rules
        Which rule holds where.
    epsilon
        Of the epsilon rule.
    """

    def __init__(self, rules: RuleSet, epsilon: float) -> None:
        super().__init__()
        self.first: First | None = None
        self._rules, self._epsilon = rules, epsilon
        self._last: tuple[torch.Tensor, _Convolution] | None = None
        self._is_first = True
        self._steps: Mapping[Any, Callable[..., Any]] = {
            functional.conv2d: self._conv2d,
            functional.linear: self._linear,
            functional.batch_norm: self._batch_norm,
            functional.layer_norm: _layer_norm,
            functional.scaled_dot_product_attention: _attention,
            functional.multi_head_attention_forward: self._multi_head_attention,
            **dict.fromkeys((torch.matmul, torch.Tensor.matmul, torch.bmm, torch.Tensor.bmm), _product),
            **dict.fromkeys((torch.mul, torch.Tensor.mul), _times),
            **_ACTIVATIONS,
        }

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Take a step by its rule, or as it is."""
        return self._steps.get(func, func)(*args, **(kwargs or {}))

    def _conv2d(
        self,
        batch: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None = None,
        *geometry: Any,
        **named: Any,
    ) -> torch.Tensor:
        geometry += tuple(
            named[name] for name in ("stride", "padding", "dilation", "groups") if name in named
        )
        step = _Convolution(batch, weight, bias, geometry, self._is_first)
        self._is_first = False
        output = self._convolve(step)
        self._last = output, step
        return output

    def _convolve(self, step: _Convolution) -> torch.Tensor:
        output = functional.conv2d(step.input, step.weight, step.bias, *step.geometry)
        if step.is_first and self._rules.first:
            cut = output.detach().requires_grad_()
            self.first = First(cut, *step[:4])
            return cut
        return self._share(
            output,
            self._rules.convolution,
            step,
            lambda a, w, b: functional.conv2d(a, w, b, *step.geometry),
        )

    def _batch_norm(
        self,
        batch: torch.Tensor,
        mean: torch.Tensor,
        variance: torch.Tensor,
        weight: torch.Tensor | None = None,
        bias: torch.Tensor | None = None,
        training: bool = False,  # noqa: FBT001, FBT002 - torch's own order
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> torch.Tensor:
        scale = torch.rsqrt(variance + eps) * (1 if weight is None else weight)
        shift = (0 if bias is None else bias) - mean * scale
        if self._last is not None and self._last[0] is batch:
            return self._convolve(self._last[1].after(scale, shift))
        output = batch * scale[:, None, None] + shift[:, None, None]
        return _by(output, output, self._epsilon)

    def _linear(
        self, batch: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        output = functional.linear(batch, weight, bias)
        step = _Convolution(batch, weight, bias, (), is_first=False)
        return self._share(output, self._rules.linear, step, functional.linear)

    def _share(
        self,
        output: torch.Tensor,
        rule: Rule,
        step: _Convolution,
        of: Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor],
    ) -> torch.Tensor:
        """Return a linear step's output, shared out by a rule; `of` is the step's function of input, weight and bias."""
        if rule == "epsilon":
            return _by(output, output, self._epsilon)

        def favouring(sign: int, share: float = 1.0, whole: float = 0.0) -> torch.Tensor:
            """Return contributions by the weights of a sign, of the other sign where the input is negative."""

            def weighed(weight: torch.Tensor, sign: int) -> torch.Tensor:
                return whole * weight + share * _part(weight, sign)

            bias = None if step.bias is None else weighed(step.bias, sign)
            total = of(step.input.clamp(min=0), weighed(step.weight, sign), bias)
            if bool((step.input < 0).any()):
                total = total + of(step.input.clamp(max=0), weighed(step.weight, -sign), None)
            return _by(output, total, _STABILISER)

        if rule == "plus":
            return favouring(1)
        if rule == "alpha2_beta1":
            return 2 * favouring(1) - favouring(-1)
        return torch.where(output > 0, favouring(1, _GAMMA, whole=1), favouring(-1, _GAMMA, whole=1))

    def _multi_head_attention(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        width: int,
        heads: int,
        in_weight: torch.Tensor,
        in_bias: torch.Tensor | None,
        *_unused: Any,
        **named: Any,
    ) -> tuple[torch.Tensor, None]:
        if key is not query or value is not query or in_weight is None or named.get("attn_mask") is not None:
            message = "LRP has rules for plain self-attention only"
            raise ValueError(message)
        out_weight, out_bias = _unused[4], _unused[5]
        count, batch = query.shape[:2]
        projected = self._linear(query, in_weight, in_bias)
        parts = projected.view(count, batch, 3, heads, width // heads).permute(2, 1, 3, 0, 4)
        mixed = _attention(*parts).permute(2, 0, 1, 3).reshape(count, batch, width)
        return self._linear(mixed, out_weight, out_bias), None


@torch.no_grad()
def relevance_of_input(first: First, relevance: torch.Tensor, rule: FirstRule) -> torch.Tensor:
    """Return what of the first layer's relevance each place of the input gets.

    ``"flat"``: the same from each unit that sees it (Lapuschkin et al. 2019), summed on the layer's own grid where that divides
    the input's, since nothing finer is in it. ``"box"``: by contributions less those of the lowest and highest input (Montavon et al. 2017, z-beta).

    Parameters
    ----------
    relevance
        float32, n × C × h × w: the layer's output's, of n logits.

    Returns
    -------
    torch.Tensor
        float32, n × h × w or n × S × S; what is given is kept.
    """
    shape = (len(relevance), *first.input.shape[1:])

    def back(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        relevance: torch.Tensor = conv2d_input(shape, weight, values, *first.geometry)
        return relevance

    if rule == "flat":
        ones = torch.ones_like(first.weight)
        seen = functional.conv2d(torch.ones_like(first.input), ones, None, *first.geometry)
        fine = back(relevance / seen, ones).sum(dim=1)
        stride = first.input.shape[-1] // relevance.shape[-1]
        if relevance.shape[-1] * stride != first.input.shape[-1]:
            return fine
        return functional.avg_pool2d(fine, stride) * stride**2
    low, high = (first.input * 0 + end for end in torch.aminmax(first.input))
    parts = [(low, 1), (high, -1)]
    total = first.output.detach()
    for end, sign in parts:
        bias = None if first.bias is None else _part(first.bias, sign)
        total = total - functional.conv2d(end, _part(first.weight, sign), bias, *first.geometry)
    share = relevance / _stable(total, _STABILISER)
    by_ends = sum(end * back(share, _part(first.weight, sign)) for end, sign in parts)
    return (first.input * back(share, first.weight) - by_ends).sum(dim=1)


def _by(output: torch.Tensor, contributions: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return an output whose relevance is shared out by contributions z: each gets z / (z + epsilon) of it."""
    share = (output / _stable(contributions, epsilon)).detach()
    return output.detach() + (contributions - contributions.detach()) * share


def _stable(values: torch.Tensor, epsilon: float) -> torch.Tensor:
    return values + epsilon * torch.where(values < 0, -1.0, 1.0).to(values.dtype)


def _part(values: torch.Tensor, sign: int) -> torch.Tensor:
    return values.clamp(min=0) if sign > 0 else values.clamp(max=0)


def _passes_on(activation: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return a step that gives its input all relevance, as an activation of each place by itself does."""

    def step(batch: torch.Tensor, *_in_place: Any, **named: Any) -> torch.Tensor:
        named.pop("inplace", None)
        return _by(activation(batch, **named), batch, _STABILISER)

    return step


def _relu(batch: torch.Tensor, *_in_place: Any, **_named: Any) -> torch.Tensor:
    return torch.relu(batch)


_ACTIVATIONS: Mapping[Any, Callable[..., torch.Tensor]] = {
    **{
        kind: _passes_on(kind)
        for kind in (
            functional.gelu,
            functional.silu,
            functional.hardswish,
            functional.leaky_relu,
            torch.tanh,
        )
    },
    **dict.fromkeys((functional.relu, torch.relu, torch.relu_, torch.Tensor.relu_), _relu),
}


def _product(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return a matrix product, whose relevance goes to both by halves (Achtibat et al. 2024, proposition 3.3)."""
    return _halved(torch.matmul(one, other), one, other)


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,  # noqa: FBT001, FBT002 - torch's own order
    scale: float | None = None,
    **_named: Any,
) -> torch.Tensor:
    scores = _product(query, key.transpose(-2, -1))
    scores = scores * (query.shape[-1] ** -0.5 if scale is None else scale)
    if attn_mask is not None:
        scores = scores + attn_mask
    return _product(scores.softmax(dim=-1), value)


def _times(one: Any, other: Any) -> torch.Tensor:
    """Return a product; a gate, which is one value for many places, gets no relevance (Arras et al. 2019)."""
    if not (isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor)):
        return torch.mul(one, other)
    if one.numel() != other.numel() and one.requires_grad and other.requires_grad:
        small, large = sorted((one, other), key=torch.Tensor.numel)
        return torch.mul(small.detach(), large)
    return _halved(torch.mul(one, other), one, other)


def _halved(product: torch.Tensor, *factors: torch.Tensor) -> torch.Tensor:
    if all(factor.requires_grad and not isinstance(factor, torch.nn.Parameter) for factor in factors):
        return product / 2 + (product / 2).detach()
    return product


def _layer_norm(
    batch: torch.Tensor,
    shape: tuple[int, ...],
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> torch.Tensor:
    """Return a layer norm whose spread is taken as given (Achtibat et al. 2024, proposition 3.4)."""
    axes = tuple(range(-len(shape), 0))
    spread = (batch.var(axes, correction=0, keepdim=True) + eps).sqrt().detach()
    normed = (batch - batch.mean(axes, keepdim=True)) / spread
    normed = normed if weight is None else normed * weight
    return normed if bias is None else normed + bias
