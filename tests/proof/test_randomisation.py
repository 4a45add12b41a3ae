"""Cascading randomisation: the layers in Quantus' order, from the output down, and maps that must change or stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from shamsul_core.explain import Subject
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.gradcam import GradCam, GradCamSettings
from shamsul_core.explain.kernelshap import KernelShap, KernelShapSettings
from shamsul_core.explain.lime import Lime, LimeSettings
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation, LrpSettings
from shamsul_core.explain.superpixels import SuperpixelSettings
from shamsul_core.localisation.baselines import EDGES, GREY
from shamsul_core.proof.catalogue import ALL_LAYERS, RANK_CORRELATION, SSIM, STAGES
from shamsul_core.proof.examined import Examined
from shamsul_core.proof.maps import maps_of
from shamsul_core.proof.randomisation import cascade, layers_from_output, measure
from tests.proof.networks import NAMES, SIZE, TrueMap, adding, folding
from tests.proof.quantus_references import references


def test_the_layers_are_quantus_in_its_order():
    assert layers_from_output(folding().network) == references()["layers"]


def test_each_stage_forgets_more_from_the_output_down():
    classifier = folding()
    before = {name: tensor.clone() for name, tensor in classifier.network.state_dict().items()}
    layers = layers_from_output(classifier.network)
    shares = []
    for _, share, forgetful in cascade(classifier, seed=4):
        own, its = dict(classifier.network.named_modules()), dict(forgetful.network.named_modules())
        is_changed = [
            not all(
                torch.equal(a, b) for a, b in zip(own[name].parameters(), its[name].parameters(), strict=True)
            )
            for name in layers
        ]
        # A norm that was never trained is as new
        convolutions = [
            changed
            for name, changed in zip(layers, is_changed, strict=True)
            if not hasattr(own[name], "running_mean")
        ]
        count = sum(convolutions)
        assert convolutions == [True] * count + [False] * (len(convolutions) - count)
        shares.append(share)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) == len(STAGES)
    after = classifier.network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_layer_that_cannot_be_reset_is_shuffled(pixels):
    """Such as ONNX's and Keras': their weights stay the same numbers in other places."""

    class Bare(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.Parameter(torch.arange(SIZE * SIZE * 1.0))

        def forward(self, batch):
            return (batch[:, 0].flatten(1).float() * self.weights).sum(dim=1, keepdim=True).expand(-1, 2)

    bare = replace(adding(np.zeros((SIZE, SIZE))), network=Bare())
    *_, (_, _, last) = cascade(bare, seed=0)
    assert not torch.equal(last.network.weights, bare.network.weights)
    assert torch.equal(last.network.weights.sort().values, bare.network.weights)


def test_a_network_without_weights_is_refused(classifier):
    with pytest.raises(ValueError, match="no weights in torch"):
        next(cascade(replace(classifier, network=torch.nn.Flatten()), seed=0))


@pytest.fixture(scope="module")
def rows(pixels):
    """The maps of some radiographs, each of which has random networks of its own."""
    few, cut = AdaptiveSampling(first=120, step=20, budget=120), SuperpixelSettings(count=16)
    explainers = [
        GradCam(GradCamSettings()),
        LayerwiseRelevancePropagation(LrpSettings()),
        Lime(LimeSettings(sampling=few, superpixels=cut)),
        KernelShap(KernelShapSettings(sampling=few, superpixels=cut)),
    ]
    rows = []
    for number in range(24):
        subject = Subject(folding(number), np.roll(pixels, 12 * number, axis=1))
        examined = Examined(
            subject=subject,
            pathologies=NAMES,
            maps=maps_of(subject, explainers, NAMES),
            explainers=explainers,
            seed=1000 + number,
        )
        rows += list(measure(examined))
    return rows


def mean_of(rows, method, figure=RANK_CORRELATION, stage=ALL_LAYERS):
    values = [row.value for row in rows if (row.method, row.figure, row.setting) == (method, figure, stage)]
    return np.nanmean(values)  # a map that is flat before and after has no order to compare


@pytest.mark.parametrize("method", [EDGES, GREY])
def test_maps_that_never_saw_the_network_keep_one(rows, method):
    for stage in STAGES:
        assert mean_of(rows, method, stage=stage) == pytest.approx(1)
        assert mean_of(rows, method, SSIM, stage) == pytest.approx(1)


@pytest.mark.parametrize("method", ["gradcam", "lrp", "lime", "shap"])
def test_with_all_layers_random_nothing_is_kept_of_a_map_of_the_network(rows, method):
    assert abs(mean_of(rows, method)) < 0.1


def test_the_true_map_of_a_sum_forgets_it(pixels):
    generator = np.random.default_rng(0)
    subject = Subject(adding(generator.normal(size=(SIZE, SIZE))), pixels)
    keep = {}
    examined = Examined(
        subject=subject,
        pathologies=["Edema"],
        maps=maps_of(subject, [TrueMap()], ["Edema"]),
        explainers=[TrueMap()],
    )
    rows = list(measure(examined, keep))
    # One layer only, so that it is the output layer and all layers
    assert {row.at for row in rows} == {1.0}
    assert abs(mean_of(rows, "true")) < 0.1
    assert set(keep) == set(STAGES)
