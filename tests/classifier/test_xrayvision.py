"""TorchXRayVision's classifiers, held against the library's own pipeline."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from shamsul_core.classifier.assembly import assemble
from shamsul_core.classifier.sidecar import Sidecar
from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier
from shamsul_core.classifier.xrayvision import content_of
from shamsul_core.explain import Subject
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation, LrpSettings
from shamsul_core.heatmap import Heatmap
from shamsul_core.vocabulary import canonical_name
from tests.classifier.formats import assert_same_probabilities, explained, written


@pytest.fixture(scope="module")
def xray_network():
    import torchxrayvision as xrv

    torch.manual_seed(0)
    names = ["Atelectasis", "Effusion", "Infiltration", "Lung Opacity", "", "Edema"]
    network = xrv.models.DenseNet(
        growth_rate=8, block_config=(2, 2, 2, 2), num_init_features=16, weights=None, num_classes=len(names)
    )
    network.pathologies = names
    network.op_threshs = torch.tensor([0.2, 0.35, 0.5, float("nan"), float("nan"), 0.05])
    torch.nn.init.normal_(network.classifier.weight, std=0.01)
    return network.eval()


def loaded(network, name="torchxrayvision:made"):
    source = ModelSource(model=name)
    content = content_of(network, name, 64)
    return assemble(content, Sidecar(path=Path("made.json")), source)


def their_probabilities(network, columns):
    """By their own transforms and network, as their README has it."""
    import torchxrayvision as xrv

    def probabilities(picture):
        image = xrv.datasets.normalize(np.asarray(picture.convert("L")), 255)[None]
        image = xrv.datasets.XRayResizer(64)(xrv.datasets.XRayCenterCrop()(image))
        with torch.inference_mode():
            return network(torch.from_numpy(image)[None])[0, columns].numpy()

    return probabilities


def test_calibrated_outputs_are_theirs_but_for_those_without_a_name_or_an_operating_point(
    xray_network, tmp_path
):
    classifier = loaded(xray_network)
    assert classifier.pathologies == tuple(
        map(canonical_name, ("Atelectasis", "Effusion", "Infiltration", "Edema"))
    )
    assert_same_probabilities(classifier, written(tmp_path), their_probabilities(xray_network, [0, 1, 2, 5]))


def test_all_methods_explain_the_middle_square_where_it_lies(xray_network, pixels):
    classifier = loaded(xray_network)
    outcomes = explained(classifier, pixels)
    assert all(isinstance(outcome, Heatmap) for outcome in outcomes.values()), outcomes
    # 120 × 100: ten rows above and below are not seen
    assert {outcome.field for outcome in outcomes.values()} == {(10 / 120, 0, 110 / 120, 1)}
    for outcome in outcomes.values():
        seen = outcome.relevance.any(axis=1)
        assert seen.shape == (512,)
        assert not seen[: 512 // 12].any()
        assert not seen[-(512 // 12) :].any()
    np.testing.assert_array_equal(classifier.seen(pixels).shape, (64, 64))


@pytest.mark.slow
def test_weights_of_ones_own_are_put_into_the_librarys_network(tmp_path):
    import torchxrayvision as xrv

    path, names = tmp_path / "mine.pt", ["A", "B", "C"]
    uncalibrated = xrv.models.DenseNet(weights=None, num_classes=3, apply_sigmoid=True).eval()
    torch.nn.init.normal_(uncalibrated.classifier.weight, std=1e-4)
    torch.save(uncalibrated.state_dict(), path)
    (tmp_path / "mine.pt.json").write_text(
        json.dumps({"pathologies": names, "preprocessing": {"size_px": 64}})
    )
    source = ModelSource(model="torchxrayvision:densenet121-res224-all", weights=str(path))
    classifier = load_classifier(source)
    assert classifier.pathologies == tuple(names)
    assert_same_probabilities(classifier, written(tmp_path), their_probabilities(uncalibrated, [0, 1, 2]))


class OnTheirLayers(torch.nn.Module):
    """Their network without what comes after its last layer."""

    def __init__(self, network):
        super().__init__()
        self.features, self.relu, self.pool = network.features, torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1)
        self.classifier = network.classifier

    def forward(self, image):
        return self.classifier(self.pool(self.relu(self.features(image))).flatten(1))


@pytest.mark.parametrize("bias", [0.0, 40.0])
def test_lrp_of_torchxrayvision_explains_the_logit_before_the_sigmoid(xray_network, pixels, bias):
    """Where the sigmoid saturates there is as much to explain as elsewhere.

    By proposition 1 of Ancona et al. (ICLR 2018), the logit's gradient times the input, on their own layers.
    """
    network = copy.deepcopy(xray_network)
    with torch.no_grad():
        network.classifier.bias += bias
    classifier = loaded(network)
    before = {name: value.clone() for name, value in classifier.network.state_dict().items()}
    subject = Subject(classifier, pixels)
    relevance = LayerwiseRelevancePropagation(LrpSettings()).explain(subject, ["Edema"])["Edema"].values
    layers = OnTheirLayers(network)
    image = subject.inputs[:, :1].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layers(image)[0, 5], image)
    expected = (gradient * image)[0, 0].detach()
    assert np.abs(relevance).max() > 0
    np.testing.assert_allclose(relevance, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    after = classifier.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_torchxrayvision_without_network_says_so(monkeypatch):
    import torchxrayvision as xrv

    def fails(*_, **__):
        message = "no network"
        raise OSError(message)

    monkeypatch.setattr(xrv.models, "DenseNet", fails)
    with pytest.raises(ModelError, match=r"needs a network \(no network\)"):
        load_classifier("torchxrayvision:densenet121-res224-chex")
    with pytest.raises(ModelError, match="there are densenet121-res224-"):
        load_classifier("torchxrayvision:resnet9000")
