from __future__ import annotations

import pytest
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn
from torchvision import models
from zennit.attribution import Gradient
from zennit.canonizers import NamedMergeBatchNorm, SequentialMergeBatchNorm
from zennit.composites import SpecialFirstLayerMapComposite, layer_map_base
from zennit.rules import AlphaBeta, Epsilon, Flat, Gamma, ZBox, ZPlus
from zennit.types import BatchNorm, Convolution, Linear

from shamsul_core.classifier.network import DenseNet121
from shamsul_core.explain.lrp import RULE_SETS, LrpSettings, propagate
from shamsul_core.explain.lrp_rules import SharingOut, _attention


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


class Normed(nn.Module):
    """A convolutional network with biases, a batch norm behind a convolution, and one before."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 5, stride=2, padding=2),
            nn.BatchNorm2d(6),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
        )
        self.head = nn.Linear(8 * 4 * 4, 4)
        for norm in self.features:
            if isinstance(norm, nn.BatchNorm2d):
                nn.init.normal_(norm.weight, 1.0, 0.3)
                nn.init.normal_(norm.bias, 0.2, 0.3)
                norm.running_mean.normal_(0, 0.2)
                norm.running_var.uniform_(0.5, 2)
        self.double().eval()

    def forward(self, batch):
        return self.head(self.features(batch).flatten(1))


def drawn(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("epsilon", [1e-9, 0.25])
def test_equals_equation_6_written_out(epsilon):
    network = Wide().eval().requires_grad_(requires_grad=False)
    inputs = drawn(1, 3, 2, 2)
    ours = propagate(network, inputs, [0, 2], LrpSettings(epsilon=epsilon))
    for index, column in enumerate((0, 2)):
        expected = by_the_formula(network, inputs, column, epsilon).reshape(3, 2, 2).sum(0)
        torch.testing.assert_close(ours[index], expected, rtol=1e-6, atol=1e-9)


# The same rules by zennit: at convolutions, at the head, at the first layer
def _theirs(rules, inputs, epsilon):
    box = ZBox(low=inputs.min(), high=inputs.max())
    return {
        "epsilon": (Epsilon(epsilon), Epsilon(epsilon), Epsilon(epsilon)),
        "alpha2_beta1": (AlphaBeta(), AlphaBeta(), AlphaBeta()),
        "deep_taylor": (ZPlus(), ZPlus(), ZPlus()),
        "epsilon_plus_flat": (ZPlus(), Epsilon(epsilon), Flat()),
        "epsilon_gamma_box": (Gamma(), Epsilon(epsilon), box),
    }[rules]


def by_zennit(network, inputs, column, rules, epsilon, canonizer):
    convolution, head, first = _theirs(rules, inputs, epsilon)
    composite = SpecialFirstLayerMapComposite(
        layer_map=[
            (BatchNorm, Epsilon(epsilon)),
            *layer_map_base(),
            (Convolution, convolution),
            (nn.Linear, head),
        ],
        first_map=[(Linear, first)],
        canonizers=[canonizer],
    )
    with Gradient(
        network, composite, attr_output=lambda out: out * torch.eye(out.shape[1])[column]
    ) as attributor:
        return attributor(inputs)[1].sum(dim=1)[0]


def on_grid(values, grid):
    """Sums of what lies in each cell of a grid."""
    fold = values.shape[-1] // grid
    return values.unfold(-2, fold, fold).unfold(-2, fold, fold).sum((-1, -2))


@pytest.mark.parametrize("rules", RULE_SETS)
def test_equals_zennit(rules):
    """With a batch norm behind a convolution, which is one with it, and one before, which is not."""
    network, inputs = Normed(), drawn(1, 3, 32, 32)
    ours = propagate(network, inputs, [0, 3], LrpSettings(rules=rules, epsilon=1e-6))
    assert not ours.requires_grad, "though the network's weights do"
    for index, column in enumerate((0, 3)):
        theirs = by_zennit(network, inputs, column, rules, 1e-6, SequentialMergeBatchNorm())
        torch.testing.assert_close(ours[index], on_grid(theirs, ours.shape[-1]), rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["epsilon_plus_flat", "epsilon_gamma_box"])
def test_equals_zennit_on_densenet_with_its_pairs_named(rules):
    torch.manual_seed(0)
    network = DenseNet121(14).double().eval()
    inputs = drawn(1, 3, 64, 64)
    pairs = [(["features.conv0"], "features.norm0")]
    pairs += [
        ([f"{name}.conv1"], f"{name}.norm2")
        for name, module in network.named_modules()
        if hasattr(module, "norm2")
    ]
    ours = propagate(network, inputs, [5], LrpSettings(rules=rules, epsilon=1e-6))[0]
    theirs = by_zennit(network, inputs, 5, rules, 1e-6, NamedMergeBatchNorm(pairs))
    torch.testing.assert_close(
        ours, on_grid(theirs, ours.shape[-1]), rtol=1e-3, atol=1e-4 * float(ours.abs().max())
    )


def test_epsilon_equals_captum():
    network, inputs = Normed(), drawn(1, 3, 32, 32)
    ours = propagate(network, inputs, [1], LrpSettings(epsilon=0))[0]
    for layer in network.modules():
        if not list(layer.children()) and not isinstance(layer, nn.ReLU):
            layer.rule = EpsilonRule(1e-12)
    theirs = LRP(network).attribute(inputs.clone().requires_grad_(), target=1)[0].detach().sum(0)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("rules", RULE_SETS)
def test_conserves_the_logit_without_biases_and_batch_norm(rules):
    network, inputs = Small(), drawn(1, 3, 20, 20, dtype=torch.float32)
    logits = network(inputs)[0]
    ours = propagate(network, inputs, [0, 1, 2, 3], LrpSettings(rules=rules, epsilon=1e-9))
    torch.testing.assert_close(ours.sum((1, 2)), logits.detach(), rtol=5e-3, atol=1e-3)


def test_a_batch_norm_before_its_convolution_keeps_what_epsilon_says():
    """y = 2 x - 1 with epsilon 0.5 gives x its 2 x / (y + 0.5) of y's relevance, which is y."""
    norm = nn.BatchNorm2d(1, eps=0).eval()
    norm.weight.data.fill_(2.0)
    norm.bias.data.fill_(-1.0)
    network = nn.Sequential(norm, nn.Flatten())
    inputs = torch.tensor([0.2, 1.0, 3.0, -1.0]).view(1, 1, 2, 2)
    ours = propagate(network, inputs, [0, 1, 2, 3], LrpSettings(rules="deep_taylor", epsilon=0.5))
    y = 2 * inputs - 1
    expected = (2 * inputs * y / (y + 0.5 * y.sign())).flatten()
    torch.testing.assert_close(torch.stack([ours[place].flatten()[place] for place in range(4)]), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "size"), [("convnext_tiny", 64), ("efficientnet_b0", 64), ("vit_b_16", 224), ("swin_t", 64)]
)
def test_networks_of_other_families_keep_their_logits(kind, size):
    """Under the rules every network gives the logits that it gives without, and relevance is finite."""
    torch.manual_seed(3)
    network = getattr(models, kind)(num_classes=5).eval()
    inputs = drawn(1, 3, size, size, dtype=torch.float32)
    for rules in RULE_SETS:
        with SharingOut(RULE_SETS[rules], 1e-6):
            torch.testing.assert_close(network(inputs), network(inputs), rtol=1e-3, atol=1e-4)
        assert propagate(network, inputs, [2], LrpSettings(rules=rules, epsilon=1e-6)).isfinite().all()


def test_leaves_no_trace_also_after_a_failure():
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Softplus(), nn.Conv2d(2, 2, 3))
    attributes = [set(vars(module)) for module in network.modules()]
    with pytest.raises(ValueError, match=r"LRP has no rule for a layer of Sequential: .*Softplus"):
        propagate(network, torch.ones(1, 3, 9, 9), [0], LrpSettings())
    assert [set(vars(module)) for module in network.modules()] == attributes
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_attention_shares_out_as_attnlrp_says():
    """Achtibat et al. 2024, equations 13 (softmax) and 15 (matrix products), written out for one head."""
    query, key, value = (drawn(3, 4) + shift for shift in (0, 1, 2))
    leaves = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
    output = _attention(*leaves)
    relevance = drawn(3, 4) * 0.3
    ours = [
        leaf.detach() * gradient
        for leaf, gradient in zip(
            leaves, torch.autograd.grad(output, leaves, relevance / output.detach()), strict=True
        )
    ]

    def halves(one, other, relevance):
        ratio = relevance / (2 * one @ other)
        return one * (ratio @ other.T), other * (one.T @ ratio)

    scores = query @ key.T / 2
    weights = scores.softmax(-1)
    of_weights, of_value = halves(weights, value, relevance)
    of_scores = scores * (of_weights - weights * of_weights.sum(-1, keepdim=True))
    of_query, of_key = halves(query, key.T, of_scores)
    for our, expected in zip(ours, (of_query, of_key.T, of_value), strict=True):
        torch.testing.assert_close(our, expected, rtol=1e-6, atol=1e-9)
