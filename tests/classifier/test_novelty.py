"""How new a radiograph is to a model: the distance, its line, its file, and what is read of the network."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from scipy.spatial.distance import mahalanobis
from scipy.stats import binom
from sklearn.covariance import LedoitWolf
from torch import nn

from shamsul_core.classifier.novelty import (
    first_maps,
    novelty_file,
    read_training_features,
    sum_up,
    write_training_features,
)
from shamsul_core.classifier.weights import ModelError, load_classifier

DIMENSIONS = 12


def gaussian(seed, count, shift=0.0):
    """Return features of one correlated distribution, of units from 1e-3 to 1e3."""
    mixing = np.random.default_rng(0).normal(size=(DIMENSIONS, DIMENSIONS))
    units = np.logspace(-3, 3, DIMENSIONS)
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSIONS))
    return ((drawn @ mixing + shift) * units).astype(np.float32)


def test_the_distance_is_scipys_and_sklearns():
    trained, others = gaussian(1, 500), gaussian(2, 20, shift=1.0)
    summed = sum_up(trained, gaussian(3, 200))
    mean, spread = trained.mean(0, dtype=np.float64), trained.std(0, dtype=np.float64)
    model = LedoitWolf(assume_centered=True).fit((trained - mean) / spread)
    inverse = np.linalg.inv(model.covariance_ * np.outer(spread, spread))
    expected = [mahalanobis(features, mean, inverse) for features in others]
    np.testing.assert_allclose(summed.distances(others), expected, rtol=1e-4)
    squared = model.mahalanobis((others - mean) / spread)
    np.testing.assert_allclose(summed.distances(others) ** 2, squared, rtol=1e-4)


def test_one_of_a_hundred_others_lies_beyond_and_all_of_another_kind():
    """The share beyond varies with the line, which is one order statistic of those held out, and with who is asked."""
    beyond, asked = 0, 0
    for seed in range(20):
        summed = sum_up(gaussian(100 + seed, 600), gaussian(200 + seed, 299))
        others = summed.distances(gaussian(300 + seed, 2000)) / summed.line
        beyond, asked = beyond + int((others > 1).sum()), asked + len(others)
    low, high = (
        0.004,
        0.016,
    )  # three standard errors: of 20 lines the share's is .6 % / sqrt(20), of who is asked .05 %
    assert low < beyond / asked < high
    assert binom.cdf(beyond, asked, low) > 0.999 > binom.cdf(beyond, asked, high)
    foreign = gaussian(400, 50, shift=30.0)
    assert all(summed.novelty(features) > 1 for features in foreign)


def test_a_feature_that_never_varies_has_no_part_and_few_are_refused():
    trained = np.c_[gaussian(1, 100), np.zeros(100, np.float32)]
    held_out = np.c_[gaussian(2, 100), np.ones(100, np.float32)]
    with_it, without = sum_up(trained, held_out), sum_up(trained[:, :-1], held_out[:, :-1])
    assert with_it.distances(held_out)[0] > 0
    assert np.isfinite(with_it.line)
    assert with_it.line == pytest.approx(without.line, rel=0.1), "only Ledoit and Wolf's shrinkage differs"
    with pytest.raises(ValueError, match="too few"):
        sum_up(trained[:1], held_out)
    with pytest.raises(ValueError, match="not finite"):
        sum_up(np.full((5, 3), np.nan), held_out)


def test_the_file_keeps_every_bit_and_is_small(tmp_path):
    summed, path = sum_up(gaussian(1, 50), gaussian(2, 50)), tmp_path / "m.novelty.safetensors"
    write_training_features(path, summed, "abc")
    again = read_training_features(path, "abc")
    assert (again.mean == summed.mean).all()
    assert (again.whitening == summed.whitening).all()
    assert (again.line, again.trained, again.held_out) == (summed.line, 50, 50)
    assert path.stat().st_size < 2_000_000
    assert read_training_features(tmp_path / "none", "abc") is None


def _other_model(path):
    return "another"


def _cut(path):
    path.write_bytes(path.read_bytes()[:100])
    return "abc"


def _no_numbers(path):
    save_file(load_file(path), path, {"format": "shamsul-novelty", "version": "1", "model": "abc"})
    return "abc"


def _changed(name, value):
    def change(path):
        tensors = load_file(path) | ({} if name == "line" else {name: value})
        numbers = {"line": "1.0", "trained": "5", "held_out": "5"} | (
            {"line": value} if name == "line" else {}
        )
        save_file(tensors, path, {"format": "shamsul-novelty", "version": "1", "model": "abc"} | numbers)
        return "abc"

    return change


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_other_model, "another model"),
        (_cut, "not what"),
        (_no_numbers, "not what"),
        (_changed("line", "-1"), "not positive"),
        (_changed("line", '"far"'), "not what"),
        (_changed("line", json.dumps([1])), "not what"),
        (_changed("mean", np.zeros(3, np.float32)), "D × D"),
        (_changed("whitening", np.full((DIMENSIONS, DIMENSIONS), np.nan, np.float32)), "finite"),
    ],
)
def test_what_is_damaged_or_of_another_model_is_named_in_one_line(tmp_path, harm, told):
    path = tmp_path / "m.novelty.safetensors"
    write_training_features(path, sum_up(gaussian(1, 50), gaussian(2, 50)), "abc")
    fingerprint = harm(path)
    with pytest.raises(ModelError, match=told) as error:
        read_training_features(path, fingerprint)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_the_first_convolutions_maps_are_told_by_mean_and_standard_deviation():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 5, 3, padding=1))
    network = nn.Sequential(*layers, nn.Tanh()).eval()
    batch = torch.rand(4, 3, 9, 9)
    maps = network[:3](batch).detach().numpy()
    with first_maps(network) as gathered:
        network(batch)
    expected = np.concatenate([maps.mean((2, 3)), maps.std((2, 3))], axis=1)
    np.testing.assert_allclose(gathered[0], expected, atol=1e-6)
    hooks = [(*layer._forward_hooks, *layer._forward_pre_hooks) for layer in network]
    assert not any(hooks), "the network is as it was"
    with first_maps(nn.Linear(2, 2)) as gathered:
        pass
    assert gathered == []


def test_a_model_with_and_without_its_file(small_model, tmp_path, pixels):
    model = tmp_path / "copy.safetensors"
    shutil.copy(small_model, model)
    plain = load_classifier(str(model))
    probabilities, novelty = plain.predict_novel(pixels)
    assert (probabilities, novelty) == (plain.predict(pixels), None)
    with first_maps(plain.network) as gathered:
        for shift in range(12):
            plain.predict(np.roll(pixels, shift, axis=1))
    features = np.concatenate(gathered)
    write_training_features(novelty_file(str(model)), sum_up(features, features), plain.fingerprint)
    loaded = load_classifier(str(model))
    assert loaded.fingerprint == plain.fingerprint
    again, novelty = loaded.predict_novel(pixels)
    assert again == probabilities
    assert novelty <= 1 < loaded.predict_novel(255 - pixels)[1]
