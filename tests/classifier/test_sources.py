"""Models from elsewhere, each held against the library that made it."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
import warnings
import zipfile

import numpy as np
import pytest
import torch
import torchvision

from shamsul_core.classifier.weights import ModelError, load_classifier, save_classifier
from shamsul_core.classifier.xrayvision import wrapped
from shamsul_core.explain import EXPLAINERS, Failure, Subject, explain_subject, make_explainers
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation, LrpSettings
from shamsul_core.heatmap import Heatmap
from shamsul_core.vocabulary import OBSERVATIONS
from tests.cli.test_cli import call, said

pytestmark = pytest.mark.slow

KERAS = """
import sys, numpy as np, h5py, keras
from keras.src.legacy.saving import legacy_h5_format
base = keras.applications.DenseNet121(include_top=False, weights=None, input_shape=(224, 224, 3), pooling="avg")
outputs = keras.layers.Dense(14, activation="sigmoid", name="predictions")(base.output)
model = keras.Model(base.input, outputs)
random = np.random.default_rng(0)
for layer in model.layers:
    weights = layer.get_weights()
    if isinstance(layer, keras.layers.BatchNormalization):
        weights = [random.uniform(0.5, 1.5, w.shape) if i in (0, 3) else random.normal(0, 0.3, w.shape) for i, w in enumerate(weights)]
    if weights:
        layer.set_weights(weights)
batch = random.normal(size=(2, 224, 224, 3)).astype("float32")
model.layers[-1].activation = keras.activations.linear
np.savez(sys.argv[1] + ".npz", batch=batch, logits=np.asarray(model.predict(batch, verbose=0)))
with h5py.File(sys.argv[1], "w") as file:
    legacy_h5_format.save_weights_to_hdf5_group(file, model)
"""


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "weights.h5"
    environment = os.environ | {"KERAS_BACKEND": "torch"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KERAS, str(path)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return path


def test_keras_weights_give_keras_logits(keras_file):
    """Keras' predict is channels last; a sharp input, so that padding and epsilon show."""
    made = np.load(f"{keras_file}.npz")
    classifier = load_classifier(str(keras_file))
    ours = classifier.logits(torch.from_numpy(made["batch"]).permute(0, 3, 1, 2))
    assert np.ptp(made["logits"]) > 0.1
    np.testing.assert_allclose(ours, made["logits"], atol=1e-4)
    assert classifier.pathologies == OBSERVATIONS


def test_keras_epsilon_survives_a_round_trip(keras_file, tmp_path):
    classifier = load_classifier(str(keras_file))
    save_classifier(classifier, tmp_path / "ours.safetensors")
    again = load_classifier(str(tmp_path / "ours.safetensors"))
    assert again.fingerprint == classifier.fingerprint
    batch = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(again.logits(batch), classifier.logits(batch), rtol=0, atol=0)
    again.network.features.norm0.eps = 1e-5
    assert classifier.network.features.norm0.eps == 1.001e-5


def state_dict_file(folder, architecture, pathologies=("Edema", "Cardiomegaly"), name="model.pt", **options):
    torch.manual_seed(1)
    network = torchvision.models.get_model(
        architecture, weights=None, num_classes=len(pathologies), **options
    )
    path = folder / name
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, path)
    about = {"architecture": architecture, "pathologies": list(pathologies)}
    (folder / f"{name}.json").write_text(json.dumps(about))
    return path, network.eval()


def explained(classifier, pixels):
    """Outcome of each method on Edema, LIME and SHAP with few passes."""
    from dataclasses import replace

    found, subject = {}, Subject(classifier, pixels)
    for explainer in make_explainers("default", list(EXPLAINERS)):
        settings = explainer.settings
        if hasattr(settings, "sampling"):
            settings = replace(settings, sampling=AdaptiveSampling(first=30, step=2, budget=30))
        found[explainer.name] = explain_subject(type(explainer)(settings), subject, ["Edema"])[0]
    return found


@pytest.mark.parametrize("architecture", ["resnet50", "densenet169"])
def test_a_convolutional_network_is_explained_by_all(tmp_path, pixels, architecture):
    path, theirs = state_dict_file(tmp_path, architecture)
    classifier = load_classifier(str(path))
    inputs = classifier.preprocess(pixels)
    torch.testing.assert_close(classifier.logits(inputs), theirs(inputs).detach())
    found = explained(classifier, pixels)
    assert all(isinstance(one, Heatmap) for one in found.values()), found
    assert found["gradcam"].values.shape == (7, 7)


def test_gradcam_of_a_resnet_is_captums(tmp_path, pixels):
    from captum.attr import LayerGradCam

    from shamsul_core.explain.gradcam import gradient_maps, last_feature_maps

    path, theirs = state_dict_file(tmp_path, "resnet18")
    classifier = load_classifier(str(path))
    inputs = classifier.preprocess(pixels)
    layer = last_feature_maps(classifier.network, inputs)
    assert layer is classifier.network.layer4
    expected = LayerGradCam(theirs, theirs.layer4).attribute(inputs, target=1, relu_attributions=True)
    found = gradient_maps(classifier.network, layer, inputs, [1], "logit")
    np.testing.assert_allclose(found[0], expected[0, 0].detach(), atol=1e-6)


def test_a_transformer_is_explained_by_what_applies(tmp_path, pixels):
    path, theirs = state_dict_file(tmp_path, "vit_b_32")
    classifier = load_classifier(str(path))
    inputs = classifier.preprocess(pixels)
    torch.testing.assert_close(classifier.logits(inputs), theirs(inputs).detach(), atol=1e-5, rtol=1e-4)
    found = explained(classifier, pixels)
    assert isinstance(found["lime"], Heatmap)
    assert isinstance(found["shap"], Heatmap)
    assert isinstance(found["gradcam"], Failure)
    assert "feature maps" in found["gradcam"].reason
    assert isinstance(found["lrp"], Failure)
    assert "no rule for" in found["lrp"].reason


def test_another_architecture_keeps_its_name_in_our_file(tmp_path, pixels):
    path, _ = state_dict_file(tmp_path, "resnet18")
    classifier = load_classifier(str(path))
    save_classifier(classifier, tmp_path / "ours.safetensors")
    again = load_classifier(str(tmp_path / "ours.safetensors"))
    assert (again.architecture, again.fingerprint) == ("resnet18", classifier.fingerprint)
    assert again.predict(pixels) == classifier.predict(pixels)


def test_a_model_with_few_outputs_on_the_command_line(tmp_path, made_cohort):
    path, _ = state_dict_file(tmp_path, "resnet18", pathologies=("Edema",))
    arguments = ("--cohort", made_cohort, "--model", path, "--run", tmp_path / "run", "--method", "gradcam")
    result = call("explain", *arguments)
    assert result.exit_code == 0, said(result)
    assert "has no output for Enlarged Cardiomediastinum" in said(result)


@pytest.fixture(scope="module")
def xray_network():
    xrv = pytest.importorskip("torchxrayvision")
    torch.manual_seed(0)
    names = ["Atelectasis", "Effusion", "Infiltration", "Lung Opacity", "", "Edema"]
    network = xrv.models.DenseNet(weights=None, num_classes=len(names))
    network.pathologies = names
    network.op_threshs = torch.tensor([0.2, 0.35, 0.5, 0.7, float("nan"), 0.05])
    return network.eval()


def test_torchxrayvisions_calibrated_outputs_are_theirs(xray_network, pixels):
    import torchxrayvision as xrv

    classifier = wrapped(xray_network, "torchxrayvision:made")
    assert classifier.pathologies == ("Atelectasis", "Pleural Effusion", "Lung Opacity", "Edema")
    square = torch.nn.functional.interpolate(
        torch.as_tensor(pixels)[None, None].float(), (224, 224), mode="bilinear", antialias=True
    )
    theirs = xray_network(torch.from_numpy(xrv.datasets.normalize(square.numpy(), 255)))[0]
    for name, column in (("Atelectasis", 0), ("Pleural Effusion", 1), ("Lung Opacity", 3), ("Edema", 5)):
        assert classifier.predict(pixels)[name] == pytest.approx(theirs[column].item(), abs=2e-4)


def test_torchxrayvisions_network_is_explained(xray_network, pixels):
    found = explained(wrapped(xray_network, "torchxrayvision:made"), pixels)
    assert all(isinstance(one, Heatmap) for one in found.values()), found
    assert found["gradcam"].values.shape == (7, 7)


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
    classifier = wrapped(network, "torchxrayvision:made")
    before = {name: value.clone() for name, value in classifier.network.state_dict().items()}
    subject = Subject(classifier, pixels)
    found = LayerwiseRelevancePropagation(LrpSettings()).explain(subject, ["Edema"])["Edema"].values
    layers = OnTheirLayers(network)
    image = subject.inputs[:, :1].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layers(image)[0, 5], image)
    expected = (gradient * image)[0, 0].detach()
    assert np.abs(found).max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    after = classifier.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_torchxrayvision_without_network_says_so(monkeypatch):
    xrv = pytest.importorskip("torchxrayvision")

    def fails(*_, **__):
        message = "no network"
        raise OSError(message)

    monkeypatch.setattr(xrv.models, "DenseNet", fails)
    with pytest.raises(ModelError, match=r"needs a network \(no network\)"):
        load_classifier("torchxrayvision:densenet121-res224-chex")
    with pytest.raises(ModelError, match="there are densenet121-res224-"):
        load_classifier("torchxrayvision:resnet9000")


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


def zipped(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", "{}")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.safetensors", b"", "an empty file"),
        ("m.safetensors", b"hello there", "text"),
        ("m.h5", b"hello there", "text; expected Keras' weights in legacy HDF5"),
        ("m.h5", "keras", "a zip archive"),
        ("m.keras", "keras", "a zip archive"),
        ("m.onnx", b"\x08\x07\x12\x07pytorch", "a protocol buffer"),
        ("m.pt", pickle.dumps(Evil()), "a Python pickle"),
        ("m.pth", "evil", "not a state dict that can be read safely"),
        ("m.pt", "tensor", "holds Tensor, not a state dict"),
        ("m.pt", "lonely", "without a description"),
    ],
)
def test_a_wrong_file_is_named_for_what_it_is_and_never_executed(tmp_path, name, content, words):
    path = tmp_path / name
    about = {"architecture": "resnet18", "pathologies": ["Edema"]}
    if content != "lonely" and path.suffix in {".pt", ".pth"}:
        (tmp_path / f"{name}.json").write_text(json.dumps(about))
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "keras":
        zipped(path)
    else:
        torch.save(
            {"evil": {"x": Evil()}, "tensor": torch.ones(3), "lonely": {"x": torch.ones(1)}}[content], path
        )
    with pytest.raises(ModelError) as error:
        load_classifier(str(path))
    assert words in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


RESNET = {"architecture": "resnet18", "pathologies": ["Edema", "Cardiomegaly"]}


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"architecture": "resnet1800", "pathologies": ["Edema"]}, "no classifier 'resnet1800'"),
        ({"architecture": "resnet18", "pathologies": ["Gout"]}, "Gout"),
        ({"architecture": "resnet18", "pathologies": ["Edema", "Fracture", "Pneumonia"]}, "do not fit"),
        ({"architecture": "resnet34", "pathologies": ["Edema", "Cardiomegaly"]}, "do not fit"),
        ({"pathologies": ["Edema"]}, "not a description"),
        ([], "not a description"),
        (RESNET | {"mean": 0.5}, "it has no 'mean'; what it may say is architecture, pathologies"),
        (RESNET | {"preprocessing": {"size": 320}}, "preprocessing has no 'size'; its fields are size_px"),
        (RESNET | {"preprocessing": {"mean": 0.5}}, "mean is 0.5, not three numbers"),
        (RESNET | {"preprocessing": {"std": ["a", 1, 1]}}, "not three numbers"),
        (RESNET | {"preprocessing": {"size_px": "big"}}, "size_px is 'big', not a number of pixels"),
        (RESNET | {"preprocessing": [320]}, "not a description"),
    ],
)
def test_a_wrong_sidecar_is_named(tmp_path, about, words):
    path, _ = state_dict_file(tmp_path, "resnet18")
    (tmp_path / "model.pt.json").write_text(json.dumps(about))
    with pytest.raises(ModelError, match=words):
        load_classifier(str(path))


def test_an_hdf5_of_something_else_is_named(tmp_path):
    import h5py

    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["dense/kernel:0"] = np.ones((5, 3))
        file["dense/bias:0"] = np.ones(3)
    with pytest.raises(ModelError, match="a head of 3 outputs"):
        load_classifier(str(tmp_path / "w.h5"))


def test_models_read_in_threads_leave_the_process_its_warnings(tmp_path, monkeypatch):
    """One begins while another reads and ends after it: whoever puts back what it found puts back the other's."""
    path, _ = state_dict_file(tmp_path, "resnet18", pathologies=("Edema",))
    torch.save(torch.load(path, weights_only=True), path, pickle_protocol=4)
    began, ended, load = threading.Event(), threading.Event(), torch.load
    failed = []

    def interleaved(*arguments, **named):
        if threading.current_thread().name == "first":
            began.wait()
            return load(*arguments, **named)
        began.set()
        ended.wait()
        return load(*arguments, **named)

    def read():
        try:
            load_classifier(str(path))
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        if threading.current_thread().name == "first":
            ended.set()

    monkeypatch.setattr(torch, "load", interleaved)
    before = list(warnings.filters)
    threads = [threading.Thread(target=read, name=name) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(one) for one in failed] == [ModelError] * 2, "torch warns of this protocol, and then refuses"
    assert warnings.filters == before
