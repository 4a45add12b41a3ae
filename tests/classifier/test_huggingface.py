"""Folders of transformers, held against the library's own pipeline and, for Grad-CAM, pytorch-grad-cam."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import transformers

from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier
from shamsul_core.explain import Failure
from shamsul_core.explain.gradcam import gradient_maps
from shamsul_core.extras import MissingExtraError
from shamsul_core.heatmap import WHOLE, Heatmap
from tests.classifier.formats import assert_same_probabilities, explained, written
from tests.made import made_pixels

NAMES = ("Edema", "Cardiomegaly", "Tuberculosis")
TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
TOKENS = {"image_size": 32, "patch_size": 8}
PYRAMID = {"num_stages": 2, "depths": [1, 1], "hidden_sizes": [16, 24]}
MIDDLE = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True}

# Model type, its settings, its processor and that one's settings, and the side of its last maps
KINDS = {
    "ViT": ({**TINY, **TOKENS}, "ViT", {"size": {"height": 32, "width": 32}}, 4),
    "DeiT": ({**TINY, **TOKENS}, "DeiT", {"size": {"height": 40, "width": 40}, "crop_size": MIDDLE["crop_size"]}, 4),
    "Swin": (
        {"image_size": 32, "patch_size": 2, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4},
        "ViT",
        {"size": {"height": 32, "width": 32}},
        8,
    ),
    "Dinov2": ({**TINY, "image_size": 32, "patch_size": 8}, "Bit", MIDDLE, 4),
    "Dinov2WithRegisters": ({**TINY, "image_size": 32, "patch_size": 8, "num_register_tokens": 4}, "Bit", MIDDLE, 4),
    "ConvNext": ({**PYRAMID, "patch_size": 4}, "ConvNext", {"size": {"shortest_edge": 32}, "crop_pct": 0.875}, 4),
    "ConvNextV2": ({**PYRAMID, "patch_size": 4}, "ConvNext", {"size": {"shortest_edge": 32}}, 4),
    "ResNet": (
        {"embedding_size": 16, "hidden_sizes": [16, 24], "depths": [1, 1], "layer_type": "basic"},
        "ConvNext",
        {"size": {"shortest_edge": 64}, "crop_pct": 0.9},
        8,
    ),
}  # fmt: skip


def saved(folder, kind, problem="multi_label_classification", names=NAMES, sharpness=0.6):
    """A tiny model of a kind with its processor, as transformers writes them."""
    settings, processor, its_settings, _ = KINDS[kind]
    config = getattr(transformers, f"{kind}Config")(
        **settings,
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
        problem_type=problem,
    )
    torch.manual_seed(0)
    model = getattr(transformers, f"{kind}ForImageClassification")(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            # Drawn so small that every picture has the same answer, else
            if weight.ndim > 1:
                weight.normal_(std=sharpness if "classifier" in name else min(0.3, weight[0].numel() ** -0.5))
            weight.fill_(0.5) if "lambda" in name or "layer_scale" in name else None
    model.save_pretrained(folder)
    getattr(transformers, f"{processor}ImageProcessor")(**its_settings).save_pretrained(folder)
    return model


def theirs(model, folder, activation=torch.sigmoid):
    processor = transformers.AutoImageProcessor.from_pretrained(folder)

    def probabilities(picture):
        with torch.inference_mode():
            logits = model(**processor(images=picture, return_tensors="pt")).logits
        return activation(logits)[0].numpy()

    return probabilities


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_are_the_librarys_and_heatmaps_lie_where_it_looks(tmp_path, kind):
    model = saved(tmp_path / "model", kind)
    classifier = load_classifier(str(tmp_path / "model"))
    assert classifier.pathologies == NAMES
    assert_same_probabilities(classifier, written(tmp_path), theirs(model, tmp_path / "model"))
    pixels = made_pixels(121, 100)
    outcomes = explained(classifier, pixels)
    assert all(isinstance(outcomes[name], Heatmap) for name in ("lime", "shap", "gradcam")), outcomes
    assert isinstance(outcomes["lrp"], Failure if kind == "ConvNextV2" else Heatmap), (
        "but for its response norm"
    )
    assert outcomes["gradcam"].values.shape == (KINDS[kind][3],) * 2
    assert outcomes["gradcam"].field == classifier.preprocessing.field(pixels.shape)


def test_a_softmax_of_classes_is_explained_by_log_odds(tmp_path):
    model = saved(tmp_path / "model", "ViT", "single_label_classification", sharpness=1.5)
    classifier = load_classifier(str(tmp_path / "model"))
    assert classifier.output_kind == "softmax"
    assert_same_probabilities(
        classifier, written(tmp_path), theirs(model, tmp_path / "model", lambda logits: logits.softmax(-1))
    )
    assert isinstance(explained(classifier, made_pixels())["shap"], Heatmap)


def test_weights_as_a_pickle_of_tensors_are_the_same_model(tmp_path):
    model = saved(tmp_path / "model", "ViT")
    safe = load_classifier(str(tmp_path / "model"))
    torch.save(model.state_dict(), tmp_path / "model" / "pytorch_model.bin")
    (tmp_path / "model" / "model.safetensors").unlink()
    assert load_classifier(str(tmp_path / "model")).fingerprint == safe.fingerprint


@pytest.mark.parametrize(
    ("kind", "layer", "prefix"),
    [
        ("ViT", lambda model: model.vit.layers[-1].layernorm_before, 1),
        ("Dinov2WithRegisters", lambda model: model.dinov2_with_registers.layernorm, 5),
        ("Swin", lambda model: model.swin.layernorm, 0),
        ("ConvNext", lambda model: model.convnext.encoder.stages[-1], None),
    ],
)
def test_gradcam_on_tokens_is_pytorch_grad_cams_before_its_scaling(tmp_path, kind, layer, prefix):
    import pytorch_grad_cam as gradcam

    saved(tmp_path / "model", kind)
    classifier = load_classifier(str(tmp_path / "model"))
    inputs = classifier.preprocess(made_pixels()).requires_grad_()
    side = KINDS[kind][3]

    def reshaped(tokens):
        grid = tokens[:, prefix:].reshape(1, side, side, -1)
        return grid.permute(0, 3, 1, 2)

    class Unscaled(gradcam.GradCAM):
        """Keeps what it is about to scale."""

        def get_cam_image(self, *arguments, **named):
            self.unscaled = np.maximum(super().get_cam_image(*arguments, **named), 0)
            return self.unscaled

    target = layer(classifier.network.network)
    with Unscaled(classifier.network, [target], None if prefix is None else reshaped) as cam:
        cam(inputs, [gradcam.utils.model_targets.ClassifierOutputTarget(1)])
    (ours,) = gradient_maps(classifier.network, inputs, [1], "logit")
    assert ours.max() > 0
    np.testing.assert_allclose(ours, cam.unscaled[0], rtol=1e-4, atol=1e-6 * ours.max())


def test_what_cannot_be_told_is_asked_for(tmp_path):
    folder = tmp_path / "model"
    saved(folder, "ViT", problem=None)
    with pytest.raises(ModelError, match="give --output sigmoid or --output softmax"):
        load_classifier(str(folder))
    assert load_classifier(ModelSource(model=str(folder), output="softmax")).output_kind == "softmax"
    saved(folder, "ViT", names=("LABEL_0", "LABEL_1"))
    with pytest.raises(ModelError, match=r"no names of their own \('LABEL_0'\); put .*model.json beside it"):
        load_classifier(str(folder))
    (tmp_path / "model.json").write_text(json.dumps({"pathologies": ["Edema", "Gout"]}))
    assert load_classifier(str(folder)).pathologies == ("Edema", "Gout")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match="does not say how it wants its radiographs"):
        load_classifier(str(folder))


def test_an_encoder_without_a_head_is_refused_by_name(tmp_path):
    config = transformers.ViTConfig(**TINY, **TOKENS)
    transformers.ViTModel(config).save_pretrained(tmp_path / "encoder")
    with pytest.raises(ModelError, match="a 'ViTModel' of transformers, which has no head"):
        load_classifier(str(tmp_path / "encoder"))
    config = json.loads((tmp_path / "encoder" / "config.json").read_text())
    config["architectures"] = ["ViTForImageClassification"]
    (tmp_path / "encoder" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"its weights lack 'classifier.bias'.* drawn at random"):
        load_classifier(str(tmp_path / "encoder"))


def test_a_processor_that_does_something_else_is_refused(tmp_path):
    saved(tmp_path / "model", "ViT")
    path = tmp_path / "model" / "preprocessor_config.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"size": {"height": 32, "width": 48}}))
    with pytest.raises(ModelError, match="32 × 48, not square"):
        load_classifier(str(tmp_path / "model"))
    path.write_text(json.dumps(stored | {"do_pad": True, "pad_size": {"height": 48, "width": 48}}))
    with pytest.raises(ModelError, match="does more than resize, take the middle and normalise"):
        load_classifier(str(tmp_path / "model"))


def test_code_in_a_folder_is_not_executed(tmp_path):
    saved(tmp_path / "model", "ViT")
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text()) | {
        "model_type": "mine",
        "auto_map": {
            "AutoConfig": "mine.MyConfig",
            "AutoModelForImageClassification": "mine.MyForImageClassification",
        },
    }
    path.write_text(json.dumps(config))
    (tmp_path / "model" / "mine.py").write_text("raise SystemExit('executed')")
    with pytest.raises(ModelError, match="transformers cannot load it"):
        load_classifier(str(tmp_path / "model"))


def test_a_squeezed_radiograph_is_seen_whole(tmp_path):
    saved(tmp_path / "model", "ViT")
    classifier = load_classifier(str(tmp_path / "model"))
    assert classifier.preprocessing.field((121, 100)) == WHOLE


def test_a_pickle_with_code_is_not_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'executed')!r}, 'w')",))

    saved(tmp_path / "model", "ViT")
    (tmp_path / "model" / "model.safetensors").unlink()
    torch.save({"classifier.weight": Evil()}, tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(ModelError, match="transformers cannot load it"):
        load_classifier(str(tmp_path / "model"))
    assert not (tmp_path / "executed").exists()


def test_a_missing_library_is_one_line_that_names_the_extra(tmp_path, monkeypatch):
    saved(tmp_path / "model", "ViT")
    monkeypatch.setattr("shamsul_core.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"needs transformers, not installed here; .*\[huggingface\]"):
        load_classifier(str(tmp_path / "model"))
