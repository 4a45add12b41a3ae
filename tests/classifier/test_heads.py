"""Heads of several layers, as people put them in the place of torchvision's."""

from __future__ import annotations

import json

import pytest
import torch
import torchvision
from captum.attr import LayerGradCam
from torch import nn

from shamsul_core.classifier.weights import ModelError, load_classifier, save_classifier
from shamsul_core.explain.gradcam import gradient_maps
from shamsul_core.heatmap import Heatmap
from tests.classifier.formats import explained
from tests.made import made_pixels

pytestmark = pytest.mark.slow

SIDECAR = {
    "pathologies": ["Edema", "Nodule"],
    "output": "sigmoid",
    "preprocessing": {"size_px": 64, "mean": [0.5] * 3, "std": [0.25] * 3},
}
HEADS = {
    "resnet18": ("fc", 512),
    "densenet121": ("classifier", 1024),
    "efficientnet_b0": ("classifier", 1280),
    "mobilenet_v3_small": ("classifier.3", 1024),
}


def written(folder, architecture, *steps, **said):
    """torchvision's network with another head, its state dict and sidecar."""
    torch.manual_seed(0)
    network = torchvision.models.get_model(architecture, weights=None, num_classes=2)
    network.set_submodule(HEADS[architecture][0], nn.Sequential(*steps))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            # As training leaves them, so that maps keep a size
            nn.init.uniform_(module.running_var, 0.1, 0.2)
    torch.save(network.state_dict(), folder / "m.pt")
    (folder / "m.pt.json").write_text(json.dumps(SIDECAR | said))
    return network.eval(), folder / "m.pt"


@pytest.mark.parametrize("architecture", HEADS)
@pytest.mark.parametrize(
    ("name", "activation"), [("relu", nn.ReLU), ("gelu", nn.GELU), ("none", nn.Identity)]
)
def test_a_head_of_two_layers_is_read_as_the_sidecar_says(tmp_path, architecture, name, activation):
    features = HEADS[architecture][1]
    steps = [nn.Linear(features, 8), activation(), nn.Dropout(0.5), nn.Linear(8, 2)]
    network, path = written(tmp_path, architecture, *steps, head_activation=name)
    classifier = load_classifier(str(path))
    assert classifier.architecture == architecture
    batch = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(classifier.logits(batch), network(batch).detach(), rtol=1e-5, atol=1e-5)
    with pytest.raises(ModelError, match="keep the model's own"):
        save_classifier(classifier, tmp_path / "ours.safetensors")


def test_what_lies_between_is_part_of_the_fingerprint(tmp_path):
    steps = [nn.Linear(512, 8), nn.ReLU(), nn.Linear(8, 2)]
    prints = set()
    for name in ("relu", "tanh"):
        _, path = written(tmp_path, "resnet18", *steps, head_activation=name)
        prints.add(load_classifier(str(path)).fingerprint)
    assert len(prints) == 2


def test_between_neighbours_lies_nothing(tmp_path):
    network, path = written(tmp_path, "resnet18", nn.Linear(512, 8), nn.Linear(8, 2, bias=False))
    batch = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(load_classifier(str(path)).logits(batch), network(batch).detach())


@pytest.mark.parametrize(
    ("steps", "said", "words"),
    [
        ([nn.Linear(512, 8), nn.ReLU(), nn.Linear(8, 2)], {}, r'do not tell what lies between.*"head_activation": "relu"'),
        ([nn.Linear(512, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)], {"head_activation": "relu"}, "not all linear"),
        ([nn.Linear(512, 8), nn.ReLU(), nn.Linear(8, 2)], {"head_activation": "step"}, "'step', not one of relu"),
    ],
)  # fmt: skip
def test_what_is_not_told_is_asked_for(tmp_path, steps, said, words):
    _, path = written(tmp_path, "resnet18", *steps, **said)
    with pytest.raises(ModelError, match=words):
        load_classifier(str(path))


@pytest.mark.parametrize(("architecture", "layer"), [("resnet18", "layer4"), ("densenet121", "features")])
def test_gradcam_goes_through_the_head_as_captums(tmp_path, architecture, layer):
    steps = [nn.Linear(HEADS[architecture][1], 8), nn.GELU(), nn.Linear(8, 2)]
    network, path = written(tmp_path, architecture, *steps, head_activation="gelu")
    classifier = load_classifier(str(path))
    inputs = classifier.preprocess(made_pixels())
    theirs = LayerGradCam(network, network.get_submodule(layer))
    expected = [theirs.attribute(inputs, target=column, relu_attributions=True)[0, 0] for column in (0, 1)]
    ours = gradient_maps(classifier.network, inputs, [0, 1], "logit")
    assert ours.max() > 0
    torch.testing.assert_close(torch.from_numpy(ours), torch.stack(expected).detach(), rtol=1e-4, atol=1e-6)
    outcomes = explained(classifier, made_pixels())
    assert all(isinstance(outcomes[name], Heatmap) for name in ("lime", "shap", "gradcam")), outcomes
