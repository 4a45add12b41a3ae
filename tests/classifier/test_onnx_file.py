"""ONNX files, held against ONNX Runtime."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier
from shamsul_core.explain import Failure
from shamsul_core.heatmap import Heatmap
from tests.classifier.formats import assert_same_probabilities, explained, written
from tests.made import made_pixels

NAMES = ["Edema", "Cardiomegaly"]
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def made(path, last="Sigmoid", extra=None, names=NAMES, size=32, channels_last=False):
    """A convolution, average pooling and a linear layer, written node by node; channels last as tf2onnx writes it."""
    random = np.random.default_rng(0)
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weights = {
        "kernel": random.normal(size=(4, 3, 5, 5)).astype(np.float32) / 4,
        "matrix": random.normal(size=(4, 2)).astype(np.float32),
        "bias": np.float32([0.3, -0.2]),
    }
    picture, shape = "picture", ["N", 3, size, size]
    nodes = []
    if channels_last:
        picture, shape = "first", ["N", size, size, 3]
        nodes = [helper.make_node("Transpose", ["picture"], ["first"], perm=[0, 3, 1, 2])]
    nodes += [
        helper.make_node("Conv", [picture, "kernel"], ["maps"], strides=[4, 4]),
        helper.make_node(extra or "Relu", ["maps"], ["rectified"]),
        helper.make_node("GlobalAveragePool", ["rectified"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("Gemm", ["features", "matrix", "bias"], ["logits"]),
    ]
    if last:
        nodes.append(helper.make_node(last, ["logits"], ["probabilities"]))
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("picture", onnx.TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(
                "probabilities" if last else "logits", onnx.TensorProto.FLOAT, ["N", 2]
            )
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if names:
        helper.set_model_props(model, {"names": json.dumps(names)})
    onnx.save(model, path)
    return path


def theirs(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def probabilities(picture):
        image = np.asarray(picture.resize((32, 32), 2), np.float64) / 255
        batch = ((image - MEAN) / STD)[None].astype(np.float32)
        if session.get_inputs()[0].shape[1] == 3:
            batch = batch.transpose(0, 3, 1, 2)
        return session.run(None, {"picture": batch})[0][0]

    return probabilities


@pytest.fixture
def pillow(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps({"preprocessing": {"library": "pillow"}}))


@pytest.mark.parametrize("last", ["Sigmoid", "Softmax"])
@pytest.mark.usefixtures("pillow")
def test_a_file_that_torch_can_run_is_explained_by_all_methods(tmp_path, last):
    path = made(tmp_path / "m.onnx", last)
    classifier = load_classifier(str(path))
    assert classifier.output_kind == last.lower()
    assert_same_probabilities(classifier, written(tmp_path), theirs(path))
    outcomes = explained(classifier, made_pixels())
    assert all(isinstance(outcomes[name], Heatmap) for name in ("lime", "shap", "gradcam")), outcomes
    assert outcomes["gradcam"].values.shape == (7, 7)


@pytest.mark.parametrize("extra", [None, "ThresholdedRelu"], ids=["torch", "ONNX Runtime"])
@pytest.mark.parametrize("size", [32, "size"], ids=["fixed", "free"])
def test_an_input_with_its_channels_last_is_given_them_last(tmp_path, extra, size):
    about = {"library": "pillow", "size_px": 32}
    (tmp_path / "m.json").write_text(json.dumps({"preprocessing": about}))
    path = made(tmp_path / "m.onnx", extra=extra, size=size, channels_last=True)
    classifier = load_classifier(str(path))
    assert_same_probabilities(classifier, written(tmp_path), theirs(path))
    outcomes = explained(classifier, made_pixels())
    assert isinstance(outcomes["lime"], Heatmap)
    assert isinstance(outcomes["gradcam"], Failure if extra else Heatmap), outcomes["gradcam"]


def test_a_picture_with_its_channels_nowhere_is_refused(tmp_path):
    path = made(tmp_path / "m.onnx")
    model = onnx.load(path)
    for index, value in enumerate([1, 32, 3, 32]):
        model.graph.input[0].type.tensor_type.shape.dim[index].dim_value = value
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"its input is \[\[1, 32, 3, 32\]\].*channels last"):
        load_classifier(str(path))


def test_tensors_in_a_file_beside_are_read_and_bounded_by_it(tmp_path):
    """A hundred names for one megabyte would be a hundred megabytes."""
    about = {"pathologies": NAMES, "preprocessing": {"library": "pillow", "size_px": 32}}
    (tmp_path / "m.json").write_text(json.dumps(about))
    model = onnx.load(made(tmp_path / "plain.onnx"))
    path = tmp_path / "m.onnx"
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    assert_same_probabilities(load_classifier(str(path)), written(tmp_path), theirs(path))
    model = onnx.load(path, load_external_data=False)
    (tmp_path / "m.data").write_bytes(bytes(2**20))
    for index in range(100):
        tensor = model.graph.initializer.add(name=f"again{index}", data_type=1, dims=[2**18])
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="m.data")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="tensors beside it that swells to"):
        load_classifier(str(path))


@pytest.mark.usefixtures("pillow")
def test_a_file_that_only_onnx_runtime_can_run_says_why_there_are_no_gradients(tmp_path):
    # Of which onnx2torch knows nothing
    path = made(tmp_path / "m.onnx", extra="ThresholdedRelu")
    classifier = load_classifier(str(path))
    assert_same_probabilities(classifier, written(tmp_path), theirs(path))
    outcomes = explained(classifier, made_pixels())
    assert all(isinstance(outcomes[name], Heatmap) for name in ("lime", "shap")), outcomes
    for name in ("gradcam", "lrp"):
        assert isinstance(outcomes[name], Failure)
        assert (
            "needs gradients: ONNX Runtime runs this network, since onnx2torch cannot"
            in outcomes[name].reason
        )
    assert len(classifier.fingerprint) == 64


def test_what_the_file_does_not_say_is_asked_for(tmp_path):
    with pytest.raises(ModelError, match="give --output sigmoid or --output softmax"):
        load_classifier(str(made(tmp_path / "logits.onnx", last=None)))
    with pytest.raises(ModelError, match="nothing names its outputs"):
        load_classifier(str(made(tmp_path / "nameless.onnx", names=None)))
    source = ModelSource(model=str(tmp_path / "logits.onnx"), output="sigmoid")
    assert load_classifier(source).fingerprint == load_classifier(str(made(tmp_path / "p.onnx"))).fingerprint


@pytest.mark.parametrize("content", [b"", b"hello there", b"\x08\x07\x12\x07pytorch"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not an ONNX classifier of one square picture"):
        load_classifier(str(path))
