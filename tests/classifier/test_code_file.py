"""The user's own code: executed when it is asked for, and every mistake in it is one line."""

from __future__ import annotations

import pytest
import torch

from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier
from tests.classifier.formats import explained
from tests.made import made_pixels

CODE = """
import torch
from torch import nn

def small():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    return network, ["Edema", "Scoliosis"], {"size_px": 32, "mean": [0.5], "std": [0.25]}

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
    assert classifier.pathologies == ("Edema", "Scoliosis")
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
