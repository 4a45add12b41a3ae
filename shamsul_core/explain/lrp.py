"""LRP (Bach et al. 2015; the paper's equation 6), by captum's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, IdentityRule
from torch import nn

from shamsul_core.classifier.outputs import LogOdds, log_odds
from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch.utils.hooks import RemovableHandle

    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class LrpSettings:
    """LRP's settings; relevance starts from the logit.

    Parameters
    ----------
    rules
        ``"epsilon"``: the epsilon rule at every layer (Bach et al. 2015, equation 58), which with a small epsilon is
        the paper's equation 6. ``"alpha1_beta0"``: only positive weights at convolutions, the identity at batch norm
        (Montavon et al. 2017), epsilon elsewhere.
    epsilon
        Stabiliser added to a neuron's activation before it divides; 0 is the epsilon rule's limit.
    """

    rules: Literal["epsilon", "alpha1_beta0"] = "epsilon"
    epsilon: float = 1e-9


_VANISHING_EPSILON = 1e-8
_PIECEWISE_LINEAR = (
    nn.Conv2d,
    nn.BatchNorm2d,
    nn.Linear,
    nn.ReLU,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Dropout,
    nn.Flatten,
    nn.Identity,
)


@dataclass(frozen=True)
class LayerwiseRelevancePropagation:
    """Relevance of every pixel of the network's input, summed over the three channels."""

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
        relevance = propagate(summing, subject.inputs, needed, self.settings).sum(dim=1)
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
    """Propagate the relevance of some logits back to the input.

    The network is as it was afterwards, its hooks and weights too, also if this fails.

    Parameters
    ----------
    inputs
        float32, 1 × 3 × S × S.
    columns
        The logits' columns.

    Returns
    -------
    torch.Tensor
        float32, len(columns) × 3 × S × S.

    Raises
    ------
    ValueError
        If the network has a layer that LRP has no rule for.
    """
    if settings.rules == "epsilon" and settings.epsilon <= _VANISHING_EPSILON:
        return gradient_times_input(network, inputs, columns)
    try:
        _assign_rules(network, settings)
        return _OneGraphLRP(network).attribute_each(inputs, columns)
    except TypeError as error:
        message = f"LRP has no rule for a layer of {type(network).__name__}: {error}"
        raise ValueError(message) from error
    finally:
        for layer in network.modules():
            layer.__dict__.pop("rule", None)
            layer.__dict__.pop("activations", None)


def gradient_times_input(network: nn.Module, inputs: torch.Tensor, columns: Sequence[int]) -> torch.Tensor:
    """Return LRP by the epsilon rule as epsilon goes to zero, from one forward pass and a backward pass for each column.

    In a network of linear layers, ReLU and pooling, what a layer's division takes out the next one's multiplication
    puts back, so that gradient times input remains (Ancona et al., ICLR 2018, proposition 1). captum's layer by layer
    rule with its epsilon of 1e-9 gives the same in six times the time.

    Parameters, result and errors are those of `propagate`, without its settings.
    """
    for layer in network.modules():
        if not (any(layer.children()) or isinstance(layer, _PIECEWISE_LINEAR)):
            message = f"LRP has no rule for a layer of {type(network).__name__}: {type(layer).__name__}"
            raise ValueError(message)
    batch = inputs.detach().clone().requires_grad_()
    logits = network(batch)[0]
    gradients = [torch.autograd.grad(logits[column], batch, retain_graph=True)[0] for column in columns]
    return torch.cat(gradients) * batch.detach()


def _assign_rules(network: nn.Module, settings: LrpSettings) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and settings.rules == "alpha1_beta0":
            layer.__dict__["rule"] = Alpha1_Beta0_Rule()
        elif isinstance(layer, nn.BatchNorm2d) and settings.rules == "alpha1_beta0":
            layer.__dict__["rule"] = IdentityRule(settings.epsilon)
        elif isinstance(
            layer, nn.Conv2d | nn.BatchNorm2d | nn.Linear | nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d
        ):
            layer.__dict__["rule"] = EpsilonRule(settings.epsilon)


class _OneGraphLRP(LRP):
    """captum's LRP with one forward graph kept for all outputs, where captum makes two passes for each."""

    def attribute_each(self, inputs: torch.Tensor, columns: Sequence[int]) -> torch.Tensor:
        self._original_state_dict = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.layers: list[nn.Module] = []
        self.backward_handles: list[RemovableHandle] = []
        self.forward_handles: list[RemovableHandle] = []
        self._get_layers(self.model)
        self._check_and_attach_rules()
        batch = inputs.detach().clone().requires_grad_()
        try:
            with torch.no_grad():
                logits = self._compute_output_and_change_weights((batch,), None, None)
            self._register_forward_hooks()
            # captum hooks a layer's input, which must not be the leaf itself
            outputs = self.model(batch + 0)
            shares = [
                torch.autograd.grad(outputs[0, column], batch, retain_graph=True)[0] * logits[0, column]
                for column in columns
            ]
        finally:
            self._restore_model()
        return torch.cat(shares).detach()
