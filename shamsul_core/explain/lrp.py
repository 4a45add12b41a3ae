"""LRP (Bach et al. 2015; the paper's equation 6) by named sets of rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import torch
from torch import nn

from shamsul_core.classifier.outputs import LogOdds, log_odds
from shamsul_core.explain.lrp_rules import RuleSet, SharingOut, relevance_of_input
from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.explain.subject import Subject

Rules: TypeAlias = Literal["epsilon", "alpha2_beta1", "deep_taylor", "epsilon_plus_flat", "epsilon_gamma_box"]

RULE_SETS: Mapping[Rules, RuleSet] = {
    "epsilon": RuleSet("epsilon", "epsilon", None),
    "alpha2_beta1": RuleSet("alpha2_beta1", "alpha2_beta1", None),
    "deep_taylor": RuleSet("plus", "plus", None),
    "epsilon_plus_flat": RuleSet("plus", "epsilon", "flat"),
    "epsilon_gamma_box": RuleSet("gamma", "epsilon", "box"),
}


@dataclass(frozen=True, kw_only=True)
class LrpSettings:
    """LRP's settings; relevance starts from the logit.

    Parameters
    ----------
    rules
        ``"epsilon"``: the epsilon rule at every layer (Bach et al. 2015, equation 58), which with a small epsilon is
        the paper's equation 6, the code's ``lrp.z``, and gradient × input (Ancona et al. 2018, proposition 1).
        ``"alpha2_beta1"`` and ``"deep_taylor"`` (positive contributions only; Montavon et al. 2017): two more that the
        paper's code ran. ``"epsilon_plus_flat"`` and ``"epsilon_gamma_box"``: epsilon at linear layers, positive
        contributions or favoured ones (gamma of 0.25) at convolutions, and at the first layer all the same, or by the box
        of the input's lowest and highest value (Kohlbrenner et al. 2020).
    epsilon
        Stabiliser added to an activation before it divides; 0 is the epsilon rule's limit. It holds at a batch norm too
        that is not right behind a convolution.
    """

    rules: Rules = "epsilon"
    epsilon: float = 1e-9


_LINEAR = (
    nn.Conv2d,
    nn.BatchNorm2d,
    nn.LayerNorm,
    nn.Linear,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool1d,
    nn.Dropout,
    nn.Flatten,
    nn.Unflatten,
    nn.Identity,
    nn.ModuleList,
    nn.Sequential,
)
_ACTIVATIONS = (nn.ReLU, nn.GELU, nn.SiLU, nn.Hardswish, nn.LeakyReLU, nn.Tanh)
_GATES = (nn.Sigmoid, nn.Hardsigmoid, nn.Softmax)
"""Their places' relevance is none, or what the gradient says."""
_BY_NAME = ("Permute", "StochasticDepth", "FastAdaptiveAvgPool", "GELU", "GELUActivation")
_BY_ENDING = ("LayerScale", "RelativePositionBias", "DropPath")
"""Layers of torchvision, timm and transformers that call what has a rule, or nothing."""


@dataclass(frozen=True)
class LayerwiseRelevancePropagation:
    """Relevance of every place of the network's input, or of its first layer where that shares out evenly."""

    settings: LrpSettings

    name: ClassVar[str] = "lrp"
    title: ClassVar[str] = "LRP"
    presets: ClassVar[Mapping[str, LrpSettings]] = {"paper": LrpSettings(), "default": LrpSettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        classifier = subject.classifier
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        classifier.need_gradients("LRP")
        summing, weights = _summing(classifier.network, subject.inputs, columns)
        needed = weights.any(dim=0).nonzero().flatten().tolist()
        relevance = propagate(summing, subject.inputs, needed, self.settings)
        maps = torch.einsum("cn,nhw->chw", weights[:, needed], relevance).cpu().numpy()
        return {
            pathology: Heatmap(method=self.name, pathology=pathology, output="logit", values=maps[index])
            for index, pathology in enumerate(pathologies)
        }


def _summing(
    network: nn.Module, inputs: torch.Tensor, columns: Sequence[int]
) -> tuple[nn.Module, torch.Tensor]:
    """Return the part of a network whose logits are sums, and by which weights these make up what is explained.

    Relevance is shared out from what a layer adds up. A calibrated output is a sigmoid's, which adds up nothing, and
    the logit before stands for it. The log-odds of a class are to first order the class's own logit, less those of the
    others by their shares in the rest of the probability, and relevance is linear in the logits.

    Returns
    -------
    tuple
        The part, with C logits, and float32, len(columns) × C.
    """
    if isinstance(network, LogOdds):
        logits = network.network(inputs).detach()[0]
        return network.network, torch.func.jacrev(log_odds)(logits)[list(columns)]
    before: nn.Module = getattr(network, "before_calibration", network)
    with torch.no_grad():
        count = network(inputs).shape[1]
    return before, torch.eye(count, device=inputs.device)[list(columns)]


def propagate(
    network: nn.Module, inputs: torch.Tensor, columns: Sequence[int], settings: LrpSettings
) -> torch.Tensor:
    """Propagate the relevance of some logits back to the input, by one forward pass and a backward pass for each.

    Parameters
    ----------
    inputs
        float32, 1 × 3 × S × S.
    columns
        The logits' columns.

    Returns
    -------
    torch.Tensor
        float32, len(columns) × S × S, or h × w of the first layer's grid, see `relevance_of_input`.

    Raises
    ------
    ValueError
        If the network has a layer that LRP has no rule for.
    """
    for layer in network.modules():
        name = type(layer).__name__
        known = isinstance(layer, (*_LINEAR, *_ACTIVATIONS, *_GATES))
        known = known or name in _BY_NAME or name.endswith(_BY_ENDING)
        if not (any(layer.children()) or known):
            message = f"LRP has no rule for a layer of {type(network).__name__}: {name}"
            raise ValueError(message)
    rules = RULE_SETS[settings.rules]
    batch = inputs.detach().clone().requires_grad_()
    with torch.enable_grad(), SharingOut(rules, settings.epsilon) as sharing:
        logits = network(batch)[0]
    first = sharing.first
    start = batch if first is None else first.output
    gradients = [torch.autograd.grad(logits[column], start, retain_graph=True)[0] for column in columns]
    relevance = torch.cat(gradients) * start.detach()
    if first is None or rules.first is None:
        return relevance.sum(dim=1)
    return relevance_of_input(first, relevance, rules.first)
