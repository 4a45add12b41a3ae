"""The user's own code: executed when it is asked for, and every mistake in it is one line."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier
from shamsul_core.explain import Subject, explain_subject, make_explainers
from tests.classifier.formats import explained
from tests.made import made_pixels

CODE = """
import torch
from torch import nn

def small():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    return network, ["Edema", "Kyphosis"], {"size_px": 32, "mean": [0.5], "std": [0.25]}

def words():
    return "a network"

def fails():
    raise RuntimeError("no weights\\nhere")

number = 3
"""


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    return path


def test_a_network_of_ones_own_in_one_channel_is_explained_by_all_methods(code):
    classifier = load_classifier(ModelSource(model=f"{code}:small", output="softmax"))
    assert classifier.pathologies == ("Edema", "Kyphosis")
    probabilities = classifier.predict(made_pixels())
    assert sum(probabilities.values()) == pytest.approx(1)
    outcomes = explained(classifier, made_pixels())
    assert {name: outcome.relevance.shape for name, outcome in outcomes.items()} == {
        "lime": (32, 32),
        "shap": (32, 32),
        "gradcam": (8, 8),
        "lrp": (32, 32),
    }


def test_other_code_is_another_model(code):
    source = ModelSource(model=f"{code}:small", output="sigmoid")
    before = load_classifier(source).fingerprint
    assert load_classifier(source).fingerprint == before
    code.write_text(CODE.replace("stride=4", "stride=2"))
    assert load_classifier(source).fingerprint != before


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("large", "it has no function 'large'"),
        ("number", "it has no function 'number'"),
        ("words", "it must return network, names and preprocessing"),
        ("fails", r"RuntimeError: no weights\)"),
    ],
)
def test_what_is_wrong_is_one_line(code, function, words):
    with pytest.raises(ModelError, match=words) as error:
        load_classifier(ModelSource(model=f"{code}:{function}", output="sigmoid"))
    assert "\n" not in str(error.value)
    assert "mine.py" in str(error.value)


def test_a_file_that_is_absent_or_broken_is_named(tmp_path):
    with pytest.raises(ModelError, match="no such file"):
        load_classifier(f"{tmp_path}/absent.py:small")
    (tmp_path / "broken.py").write_text("def small(:")
    with pytest.raises(ModelError, match=r"executing it failed \(SyntaxError"):
        load_classifier(f"{tmp_path}/broken.py:small")


METHOD = """
import torch

def input_gradient(network, inputs, column):
    inputs = inputs.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(inputs)[0, column], inputs)
    return (gradient * inputs).sum(dim=1)[0]

def scalar(network, inputs, column):
    return 3.0

def lime(network, inputs, column):
    return inputs[0, 0]
"""


def test_a_method_of_ones_own_is_asked_like_the_others(code):
    code.write_text(CODE + METHOD)
    classifier = load_classifier(ModelSource(model=f"{code}:small", output="sigmoid"))
    lrp, own = make_explainers(methods=[f"{code}:input_gradient", "lrp"])
    assert (lrp.name, own.name, own.title) == ("lrp", "input_gradient", "input gradient")
    subject = Subject(classifier, made_pixels())
    names = classifier.pathologies
    # Of a network of linear layers and ReLU that is what LRP is
    for theirs, ours in zip(
        explain_subject(own, subject, names), explain_subject(lrp, subject, names), strict=True
    ):
        np.testing.assert_allclose(theirs.values, ours.values, rtol=1e-5, atol=1e-8)
    (scalar,) = make_explainers(methods=[f"{code}:scalar"])
    (failure,) = explain_subject(scalar, subject, names[:1])
    assert "returned an array of shape (), not a map" in failure.reason
    with pytest.raises(ValueError, match="unknown method or preset"):
        make_explainers(methods=[f"{code}:lime"])


def test_two_files_of_one_name_are_two_models(tmp_path):
    for folder, fill in (("a", 0.0), ("b", 1.0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(
            CODE.replace(
                "    return network",
                f"    nn.init.constant_(network[-1].bias, {fill})\n    return network",
                1,
            )
        )
    first, second = (
        load_classifier(ModelSource(model=f"{tmp_path}/{folder}/mine.py:small", output="sigmoid"))
        for folder in "ab"
    )
    assert torch.all(first.network[-1].bias == 0)
    assert torch.all(second.network[-1].bias == 1)
