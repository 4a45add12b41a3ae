"""What is asked for travels as plain data and means the same elsewhere."""

from __future__ import annotations

import json

from shamsul_core.classifier.source import ModelSource
from shamsul_core.classifier.weights import load_classifier


def test_a_source_survives_json_and_tells_no_more_than_was_said():
    source = ModelSource(model="timm:resnet18", weights="mine.pt", output="softmax", observations=("a", "b"))
    assert ModelSource.from_json(json.loads(json.dumps(source.to_json()))) == source
    assert ModelSource.of("untrained").to_json() == {"model": "untrained"}
    assert ModelSource.from_json({"model": "m.pt", "of a later version": 3}) == ModelSource(model="m.pt")


def test_whole_paths_are_those_of_files_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.pt").touch()
    (tmp_path / "mine.py").touch()
    source = ModelSource(model="timm:resnet18", weights="mine.pt", prompts="absent.toml").absolute()
    assert source == ModelSource(
        model="timm:resnet18", weights=str(tmp_path / "mine.pt"), prompts="absent.toml"
    )
    assert ModelSource(model="mine.py:net").absolute().model == f"{tmp_path}/mine.py:net"


def test_an_untrained_network_has_the_observations_asked_for():
    classifier = load_classifier(ModelSource(model="untrained", observations=("Nodule", "Mass")))
    assert (classifier.pathologies, classifier.is_trained) == (("Nodule", "Mass"), False)
