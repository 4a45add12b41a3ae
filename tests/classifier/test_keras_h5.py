"""The paper's authors' weights, held against the Keras that writes such files."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from shamsul_core.classifier.weights import ModelError, load_classifier, save_classifier
from shamsul_core.vocabulary import OBSERVATIONS

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


def test_an_hdf5_of_something_else_is_named(tmp_path):
    import h5py

    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["dense/kernel:0"] = np.ones((5, 3))
        file["dense/bias:0"] = np.ones(3)
    with pytest.raises(ModelError, match="a head of 3 outputs"):
        load_classifier(str(tmp_path / "w.h5"))
