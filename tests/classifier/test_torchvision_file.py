"""State dicts as torchvision and training scripts leave them, and files that only look like one."""

from __future__ import annotations

import json
import pickle
import re
import threading
import warnings
import zipfile

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier, save_classifier
from shamsul_core.explain import Subject, explain_subject, make_explainers
from shamsul_core.explain.gradcam import gradient_maps
from shamsul_core.heatmap import Heatmap
from tests.classifier.formats import explained
from tests.cli.test_cli import call, said

pytestmark = pytest.mark.slow


def state_dict_file(folder, architecture, pathologies=("Edema", "Cardiomegaly"), name="model.pt", **options):
    torch.manual_seed(1)
    network = torchvision.models.get_model(
        architecture, weights=None, num_classes=len(pathologies), **options
    )
    path = folder / name
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, path)
    about = {"architecture": architecture, "pathologies": list(pathologies)}
    if not architecture.startswith("vit"):
        about["preprocessing"] = {"size_px": 64}
    (folder / f"{name}.json").write_text(json.dumps(about))
    return path, network.eval()


@pytest.mark.parametrize("architecture", ["resnet50", "densenet169"])
def test_a_convolutional_network_is_explained_by_all(tmp_path, pixels, architecture):
    path, theirs = state_dict_file(tmp_path, architecture)
    classifier = load_classifier(str(path))
    inputs = classifier.preprocess(pixels)
    torch.testing.assert_close(classifier.logits(inputs), theirs(inputs).detach())
    outcomes = explained(classifier, pixels)
    assert all(isinstance(one, Heatmap) for one in outcomes.values()), outcomes
    assert outcomes["gradcam"].values.shape == (2, 2)


def test_gradcam_of_a_resnet_is_captums(tmp_path, pixels):
    from captum.attr import LayerGradCam

    path, theirs = state_dict_file(tmp_path, "resnet18")
    classifier = load_classifier(str(path))
    inputs = classifier.preprocess(pixels)
    expected = LayerGradCam(theirs, theirs.layer4).attribute(inputs, target=1, relu_attributions=True)
    (ours,) = gradient_maps(classifier.network, inputs, [1], "logit")
    np.testing.assert_allclose(ours, expected[0, 0].detach(), atol=1e-6)


def test_a_transformer_is_explained_by_what_applies(tmp_path, pixels):
    path, theirs = state_dict_file(tmp_path, "vit_b_32")
    classifier = load_classifier(str(path))
    inputs = classifier.preprocess(pixels)
    torch.testing.assert_close(classifier.logits(inputs), theirs(inputs).detach(), atol=1e-5, rtol=1e-4)
    subject = Subject(classifier, pixels)
    gradcam, lrp = (
        explain_subject(explainer, subject, ["Edema"])[0]
        for explainer in make_explainers(methods=["gradcam", "lrp"])
    )
    assert isinstance(gradcam, Heatmap), gradcam
    assert gradcam.values.shape == (7, 7)
    assert isinstance(lrp, Heatmap), lrp
    assert lrp.values.shape == inputs.shape[2:]


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
    assert "the model does not predict No Finding, Enlarged Cardiomediastinum" in said(result)


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
        ("m.pt", pickle.dumps(Evil()), "a Python pickle"),
        ("m.pth", "evil", "not a state dict that can be read safely"),
        ("m.pt", "tensor", "holds Tensor, not a state dict"),
        ("m.pt", "lonely", "those of no classifier of torchvision"),
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
        ({"architecture": "resnet18", "pathologies": ["Edema", "Edema "]}, "two of its outputs"),
        (
            {"architecture": "resnet18", "pathologies": ["Edema", "Fracture", "Gout"]},
            "2 outputs, but 3 names",
        ),
        ({"architecture": "resnet34", "pathologies": ["Edema", "Cardiomegaly"]}, "do not fit"),
        ({"pathologies": ["Edema", "Cardiomegaly"]}, "give --output sigmoid or --output softmax"),
        ({"output": "sigmoid"}, "nothing names its outputs; put .*model.pt.json beside it"),
        ({"output": "sigmoid", "pathologies": ["LABEL_0", "LABEL_1"]}, "no names of their own"),
        (RESNET | {"output": "tanh"}, "output is 'tanh', not sigmoid or softmax"),
        (RESNET | {"pathologies": "Edema"}, "no list of names"),
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


def test_models_read_in_threads_leave_the_process_its_warnings(tmp_path, monkeypatch):
    """One begins while another reads and ends after it: whoever puts back what it outcomes puts back the other's."""
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


PREFIXES = ["", "module.", "model.", "net.", "densenet121.", "module.model.backbone."]


@pytest.mark.parametrize("safe", [True, False], ids=["safetensors", "pickle"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_architecture_and_outputs_are_told_from_the_keys(tmp_path, prefix, safe):
    """Lightning's checkpoint holds a loss besides; the names of safetensors come in another order than the layers."""
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=3).eval()
    tensors = {f"{prefix}{name}": value for name, value in network.state_dict().items()}
    if prefix:
        tensors["criterion.pos_weight"] = torch.ones(3)
    path = tmp_path / ("m.safetensors" if safe else "m.ckpt")
    if safe:
        save_file(tensors, path)
        (tmp_path / "m.safetensors.json").write_text(json.dumps({"pathologies": ["a", "b", "c"]}))
    else:
        settings = {"class_names": ["a", "b", "c"], "lr": np.float64(0.1)}
        torch.save({"state_dict": tensors, "hyper_parameters": settings, "epoch": 3, "where": tmp_path}, path)
    classifier = load_classifier(ModelSource(model=str(path), output="softmax"))
    assert (classifier.architecture, classifier.pathologies) == ("resnet18", ("a", "b", "c"))
    batch = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        classifier.logits(batch).sigmoid(), network(batch).detach().softmax(-1), atol=1e-6, rtol=1e-5
    )


def test_densenets_names_of_before_2017_and_a_sequential_head(tmp_path):
    """As CheXNet's public reimplementation has them: ``module.densenet121.features...norm.1``, ``classifier.0``."""
    torch.manual_seed(0)
    network = torchvision.models.densenet121(num_classes=2).eval()
    tensors = {}
    for name, value in network.state_dict().items():
        old = re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", name)
        tensors[f"module.densenet121.{old.replace('classifier.', 'classifier.0.')}"] = value
    assert any(".norm.1." in name for name in tensors)
    path = tmp_path / "model.pth.tar"
    torch.save({"state_dict": tensors, "best_loss": 0.1}, path)
    (tmp_path / "model.pth.tar.json").write_text(
        json.dumps({"pathologies": ["Edema", "Nodule"], "output": "sigmoid"})
    )
    classifier = load_classifier(str(path))
    batch = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(classifier.logits(batch), network(batch).detach(), atol=1e-4, rtol=1e-4)


def test_a_stem_of_one_channel_needs_to_know_its_mean(tmp_path):
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=2).eval()
    network.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    torch.save(network.state_dict(), tmp_path / "m.pt")
    sidecar = {"pathologies": ["Edema", "Nodule"], "output": "sigmoid"}
    (tmp_path / "m.pt.json").write_text(json.dumps(sidecar))
    with pytest.raises(ModelError, match="takes 1 channels, not three; say how it wants them in"):
        load_classifier(str(tmp_path / "m.pt"))
    preprocessing = {"size_px": 64, "mean": [0.5], "std": [0.25]}
    (tmp_path / "m.pt.json").write_text(json.dumps(sidecar | {"preprocessing": preprocessing}))
    classifier = load_classifier(str(tmp_path / "m.pt"))
    batch = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(classifier.logits(batch), network(batch).detach())
    save_classifier(classifier, tmp_path / "ours.safetensors")
    assert load_classifier(str(tmp_path / "ours.safetensors")).fingerprint == classifier.fingerprint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors: {"fc.0.weight": tensors["fc.weight"], "fc.2.weight": tensors["fc.weight"]}, "head has 2 layers"),
        (lambda tensors: {"head.weight": tensors["fc.weight"]}, r"besides the network's own.*'head.weight'"),
        (lambda tensors: {"layer9.weight": torch.ones(3)}, r"unexpected 'layer9.weight'"),
    ],
)  # fmt: skip
def test_what_lies_beside_the_network_is_named(tmp_path, change, words):
    torch.manual_seed(0)
    tensors = torchvision.models.resnet18(num_classes=2).state_dict()
    tensors |= change(tensors)
    if "head.weight" in tensors:
        tensors = {
            (name if name.startswith("head") else f"backbone.{name}"): value
            for name, value in tensors.items()
        }
    if "fc.0.weight" in tensors:
        del tensors["fc.weight"]
    torch.save(tensors, tmp_path / "m.pt")
    (tmp_path / "m.pt.json").write_text(json.dumps({"pathologies": ["a", "b"], "output": "sigmoid"}))
    with pytest.raises(ModelError, match=words):
        load_classifier(str(tmp_path / "m.pt"))


def test_missing_and_unexpected_names_are_both_said(tmp_path):
    tensors = torchvision.models.resnet18(num_classes=2).state_dict()
    tensors["fc.wait"] = tensors.pop("fc.weight")
    torch.save(tensors, tmp_path / "m.pt")
    (tmp_path / "m.pt.json").write_text(json.dumps({"pathologies": ["a", "b"], "architecture": "resnet18"}))
    with pytest.raises(ModelError, match=r"missing 'fc.weight'; unexpected 'fc.wait'"):
        load_classifier(str(tmp_path / "m.pt"))


def test_whole_models_are_refused_with_the_lines_that_convert_them(tmp_path):
    network = torchvision.models.resnet18(num_classes=2).eval()
    torch.save(network, tmp_path / "whole.pt")
    with pytest.raises(ModelError, match=r"torch\.save\(model\.state_dict\(\), 'weights\.pt'\)"):
        load_classifier(str(tmp_path / "whole.pt"))
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        # As torch.jit.save lays it out
        archive.writestr("script/code/__torch__.py", "raise SystemExit('executed')")
        archive.writestr("script/data.pkl", b"")
    with pytest.raises(ModelError, match=r"TorchScript.*torch\.jit\.load"):
        load_classifier(str(tmp_path / "script.pt"))
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ModelError, match=r"SavedModel of TensorFlow.*tf2onnx\.convert"):
        load_classifier(str(tmp_path / "saved"))


def test_a_folder_without_a_model_is_named(tmp_path):
    (tmp_path / "config.json").write_text("[1, 2")
    with pytest.raises(ModelError, match="a folder, in which no model was recognised"):
        load_classifier(str(tmp_path))


def test_a_vision_transformers_size_is_told_from_its_positions(tmp_path):
    torch.manual_seed(0)
    network = torchvision.models.vit_b_32(num_classes=2, image_size=96).eval()
    torch.nn.init.normal_(network.heads.head.weight)
    torch.save(network.state_dict(), tmp_path / "m.pt")
    sidecar = {"pathologies": ["Edema", "Nodule"], "output": "sigmoid"}
    (tmp_path / "m.pt.json").write_text(json.dumps(sidecar))
    classifier = load_classifier(str(tmp_path / "m.pt"))
    assert (classifier.architecture, classifier.preprocessing.size_px) == ("vit_b_32", 96)
    batch = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(classifier.logits(batch), network(batch).detach(), rtol=1e-5, atol=1e-5)
    save_classifier(classifier, tmp_path / "ours.safetensors")
    assert load_classifier(str(tmp_path / "ours.safetensors")).fingerprint == classifier.fingerprint
    other = {"preprocessing": {"size_px": 64}}
    (tmp_path / "m.pt.json").write_text(json.dumps(sidecar | other))
    with pytest.raises(ModelError, match="takes no input of 3 × 64 × 64"):
        load_classifier(str(tmp_path / "m.pt"))
    tensors = network.state_dict() | {"encoder.pos_embedding": torch.zeros(1, 9, 768)}
    torch.save(tensors, tmp_path / "m.pt")
    with pytest.raises(ModelError, match="no classifier of torchvision"):
        load_classifier(str(tmp_path / "m.pt"))


def test_safetensors_hold_no_more_than_their_bytes(tmp_path):
    """The library itself refuses what says to be longer than the file, and two names for the same bytes."""
    for places in ([[0, 2**40]], [[0, 64], [0, 64]]):
        header = {
            f"t{index}": {"dtype": "F32", "shape": [(end - begin) // 4], "data_offsets": [begin, end]}
            for index, (begin, end) in enumerate(places)
        }
        written = json.dumps(header).encode()
        (tmp_path / "m.safetensors").write_bytes(len(written).to_bytes(8, "little") + written + bytes(64))
        with pytest.raises(ModelError, match="not readable safetensors"):
            load_classifier(str(tmp_path / "m.safetensors"))
