from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LRP
from torch import nn

from shamsul_core.classifier.weights import untrained_classifier
from shamsul_core.explain.lrp import LrpSettings, _assign_rules, propagate


class Small(nn.Module):
    """A convolutional network without biases and batch norm."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, bias=False),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, bias=False),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
        )
        self.head = nn.Linear(8, 4, bias=False)
        self.eval()

    def forward(self, batch):
        return self.head(self.features(batch).flatten(1))


class Wide(nn.Module):
    """Two linear layers with a ReLU, in float64."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.first = nn.Linear(12, 7)
        self.relu = nn.ReLU()
        self.second = nn.Linear(7, 3)
        self.double()

    def forward(self, batch):
        return self.second(self.relu(self.first(batch.flatten(1))))


def by_the_formula(network, values, column, epsilon):
    """Equation 6 as matrices: R_i = sum_j a_i w_ji / (z_j + epsilon sign z_j) R_j, layer by layer."""
    a0 = values.flatten()
    z1 = network.first.weight @ a0 + network.first.bias
    a1 = z1.relu()
    z2 = network.second.weight @ a1 + network.second.bias
    relevance = torch.zeros_like(z2)
    relevance[column] = z2[column]
    for activation, weight, z in ((a1, network.second.weight, z2), (a0, network.first.weight, z1)):
        relevance = activation * (weight.T @ (relevance / (z + epsilon * z.sign())))
    return relevance


@pytest.mark.parametrize("epsilon", [1e-9, 0.25])
def test_equals_equation_6_written_out(epsilon):
    network = Wide().eval().requires_grad_(requires_grad=False)
    inputs = torch.randn(1, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    ours = propagate(network, inputs, [0, 2], LrpSettings(epsilon=epsilon))
    for index, column in enumerate((0, 2)):
        expected = by_the_formula(network, inputs, column, epsilon).reshape(3, 2, 2)
        torch.testing.assert_close(ours[index], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("rules", ["epsilon", "alpha1_beta0"])
def test_conserves_the_logit_without_biases_and_batch_norm(rules):
    network = Small()
    inputs = torch.randn(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    logits = network(inputs)[0]
    ours = propagate(network, inputs, [0, 1, 2, 3], LrpSettings(rules=rules))
    torch.testing.assert_close(ours.sum((1, 2, 3)), logits.detach(), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["epsilon", "alpha1_beta0"])
def test_densenet_conserves_the_logit_less_the_heads_bias(rules, pixels):
    classifier = untrained_classifier()
    nn.init.normal_(classifier.network.classifier.bias, generator=torch.Generator().manual_seed(5))
    inputs = classifier.preprocess(pixels)
    columns = [0, 4, 9]
    expected = (classifier.logits(inputs)[0] - classifier.network.classifier.bias)[columns]
    ours = propagate(classifier.network, inputs, columns, LrpSettings(rules=rules))
    torch.testing.assert_close(ours.sum((1, 2, 3)), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "settings", [LrpSettings(), LrpSettings(epsilon=0.1), LrpSettings(rules="alpha1_beta0")]
)
def test_one_graph_for_all_equals_captum_one_by_one(settings, classifier, pixels):
    inputs = classifier.preprocess(pixels)
    ours = propagate(classifier.network, inputs, [3, 5], settings)
    for index, column in enumerate((3, 5)):
        _assign_rules(classifier.network, settings)
        theirs = LRP(classifier.network).attribute(inputs.clone().requires_grad_(), target=column)[0].detach()
        torch.testing.assert_close(ours[index], theirs, rtol=1e-5, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("rules", ["epsilon", "alpha1_beta0"])
def test_leaves_no_trace_also_after_a_failure(rules):
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.GELU(), nn.Conv2d(2, 2, 3))
    attributes = [set(vars(module)) for module in network.modules()]
    with pytest.raises(ValueError, match=r"LRP has no rule for a layer of Sequential: .*GELU"):
        propagate(network, torch.ones(1, 3, 9, 9), [0], LrpSettings(rules=rules))
    assert [set(vars(module)) for module in network.modules()] == attributes
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_rules_differ(classifier, pixels):
    inputs = classifier.preprocess(pixels)
    one, other = (
        propagate(classifier.network, inputs, [5], LrpSettings(rules=r)) for r in ("epsilon", "alpha1_beta0")
    )
    assert np.corrcoef(one.flatten(), other.flatten())[0, 1] < 0.99
