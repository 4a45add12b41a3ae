"""timm's folders, checkpoints and named networks, held against the library's own transform and network."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
import timm
import torch

from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier
from shamsul_core.explain.gradcam import gradient_maps
from shamsul_core.heatmap import Heatmap
from tests.classifier.formats import assert_same_probabilities, explained, written
from tests.made import made_pixels

NAMES = ["Edema", "Cardiomegaly"]
SMALL_VIT = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}
DATA = {"input_size": (3, 32, 32), "mean": (0.5, 0.4, 0.3), "std": (0.3, 0.2, 0.25)}


def network_of(architecture, **settings):
    torch.manual_seed(0)
    network = timm.create_model(architecture, num_classes=len(NAMES), **settings).eval()
    with torch.no_grad():
        network.get_classifier().weight.normal_(std=0.4)
    return network


def theirs(network, data):
    """As timm's own inference script has it."""
    transform = timm.data.create_transform(**timm.data.resolve_data_config(data, model=network))

    def probabilities(picture):
        with torch.inference_mode():
            return network(transform(picture)[None])[0].sigmoid().numpy()

    return probabilities


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "settings", "data", "side"),
    [
        ("vit_tiny_patch16_224", SMALL_VIT, {"crop_pct": 0.9, "interpolation": "bicubic"}, 4),
        ("resnet10t", {}, {"crop_pct": 0.875, "interpolation": "bilinear", "crop_mode": "squash"}, 1),
        (
            "convnext_atto",
            {"depths": (1, 1, 1, 1), "dims": (8, 8, 16, 16), "patch_size": 2},
            {"crop_pct": 1.0},
            2,
        ),
    ],
)
def test_a_folder_gives_the_librarys_probabilities(tmp_path, architecture, settings, data, side):
    network = network_of(architecture, **settings)
    data = DATA | data
    if side == 1:
        data["input_size"] = (3, 64, 64)
    folder = tmp_path / "model"
    folder.mkdir()
    torch.save(network.state_dict(), folder / "pytorch_model.bin")
    config = {"architecture": architecture, "num_classes": 2, "label_names": NAMES, "pretrained_cfg": data}
    (folder / "config.json").write_text(json.dumps(config | {"model_args": settings}))
    source = ModelSource(model=str(folder), output="sigmoid")
    classifier = load_classifier(source)
    assert classifier.pathologies == tuple(NAMES)
    assert_same_probabilities(classifier, written(tmp_path), theirs(network, data))
    outcomes = explained(classifier, made_pixels())
    assert all(isinstance(outcomes[name], Heatmap) for name in ("lime", "shap", "gradcam", "lrp")), outcomes
    assert outcomes["gradcam"].values.shape == (max(side, 2),) * 2
    with pytest.raises(ModelError, match="give --output"):
        load_classifier(str(folder))


def test_a_name_with_weights_of_ones_own(tmp_path):
    network = network_of("resnet10t")
    path = tmp_path / "mine.pth"
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}}, path
    )
    (tmp_path / "mine.json").write_text(json.dumps({"pathologies": NAMES, "output": "sigmoid"}))
    classifier = load_classifier(ModelSource(model="timm:resnet10t", weights=str(path)))
    batch = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(classifier.logits(batch), network(batch).detach())
    with pytest.raises(ModelError, match="which weights"):
        load_classifier("timm:resnet10t")
    with pytest.raises(ModelError, match="has no network 'resnet10tt'"):
        load_classifier(ModelSource(model="timm:resnet10tt", weights=str(path)))


def test_a_checkpoint_of_timms_training_says_network_and_preprocessing_itself(tmp_path):
    network = network_of("resnet10t")
    arguments = argparse.Namespace(
        model="resnet10t", img_size=48, mean=[0.5] * 3, std=[0.2] * 3, crop_pct=0.8
    )
    path = tmp_path / "model_best.pth.tar"
    torch.save({"arch": "resnet10t", "state_dict": network.state_dict(), "args": arguments, "epoch": 3}, path)
    (tmp_path / "model_best.pth.tar.json").write_text(json.dumps({"pathologies": NAMES}))
    classifier = load_classifier(ModelSource(model=str(path), output="softmax"))
    preprocessing = classifier.preprocessing
    assert (preprocessing.size_px, preprocessing.resize_px, preprocessing.mean) == (48, 60, (0.5,) * 3)
    assert classifier.output_kind == "softmax"


def test_gradcam_of_a_vision_transformer_is_pytorch_grad_cams_before_its_scaling():
    import pytorch_grad_cam as gradcam

    network = network_of("vit_tiny_patch16_224", **SMALL_VIT)
    inputs = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    class Unscaled(gradcam.GradCAM):
        """Keeps what it is about to scale."""

        def get_cam_image(self, *arguments, **named):
            self.unscaled = np.maximum(super().get_cam_image(*arguments, **named), 0)
            return self.unscaled

    def reshaped(tokens):
        return tokens[:, 1:].reshape(1, 4, 4, -1).permute(0, 3, 1, 2)

    # As its documentation has it for vision transformers
    with Unscaled(network, [network.blocks[-1].norm1], reshaped) as cam:
        cam(inputs, [gradcam.utils.model_targets.ClassifierOutputTarget(0)])
    (ours,) = gradient_maps(network, inputs, [0], "logit")
    assert ours.max() > 0
    np.testing.assert_allclose(ours, cam.unscaled[0], rtol=1e-4, atol=1e-6 * ours.max())
