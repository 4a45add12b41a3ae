"""Whole Keras models, held against Keras itself, in a process of its own where its backend matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

from shamsul_core.classifier.weights import ModelError, ModelSource, load_classifier
from shamsul_core.explain import Failure
from shamsul_core.heatmap import Heatmap
from tests.classifier.formats import assert_same_probabilities, explained, ours, written
from tests.made import made_pixels

pytestmark = pytest.mark.slow

MADE = """
import sys, keras, numpy as np
keras.utils.set_random_seed(0)
folder = sys.argv[1]
def body(inputs):
    maps = keras.layers.Conv2D(6, 5, strides=3, activation="relu", name="maps")(inputs)
    return keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(maps))
inputs = keras.Input((32, 32, 3))
inner = keras.Model(inputs, body(inputs), name="inner")
outer = keras.Input((32, 32, 3))
dense = keras.layers.Dense(2, activation=sys.argv[2], kernel_initializer=keras.initializers.RandomNormal(stddev=1.5))
model = keras.Model(outer, dense(inner(outer)))
model.save(folder + "/nested.keras")
model.save(folder + "/nested.h5")
keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
    keras.layers.Dense(1, activation="sigmoid")]).save(folder + "/scaling.keras")
keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten(),
    keras.layers.Dense(1)]).save(folder + "/lambda.keras")
"""
SIDECAR = {
    "pathologies": ["Edema", "Cardiomegaly"],
    # As keras.utils.load_img resizes and keras.applications.xception.preprocess_input scales
    "preprocessing": {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "nearest", "library": "pillow"},
}


@pytest.fixture(scope="module", params=["sigmoid", "softmax"])
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MADE, str(folder), request.param],
        env=os.environ | {"KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name in ("nested.keras", "nested.h5"):
        (folder / f"{name}.json").write_text(json.dumps(SIDECAR))
    return folder, request.param


def theirs(path):
    import keras

    model = keras.models.load_model(path, compile=False)

    def probabilities(picture):
        pixels = np.asarray(picture.resize((32, 32), 0), np.float32)
        batch = keras.applications.xception.preprocess_input(pixels[None])
        return np.asarray(model.predict(batch, verbose=0))[0]

    return probabilities


@pytest.mark.parametrize("name", ["nested.keras", "nested.h5"])
def test_probabilities_are_keras_and_all_but_lrp_explain(folder, name, tmp_path):
    path, activation = folder[0] / name, folder[1]
    classifier = load_classifier(str(path))
    assert classifier.output_kind == activation
    assert_same_probabilities(classifier, written(tmp_path), theirs(path))
    outcomes = explained(classifier, made_pixels())
    assert all(isinstance(outcomes[name], Heatmap) for name in ("lime", "shap", "gradcam")), outcomes
    assert outcomes["gradcam"].values.shape == (10, 10)
    assert outcomes["gradcam"].values.any()
    assert isinstance(outcomes["lrp"], Failure)
    assert len(classifier.fingerprint) == 64


def test_gradcam_inside_a_nested_model_is_equation_4_and_5(folder):
    """Behind batch norm, average pooling and a linear head: alpha is a channel's weight by the number of places."""
    import keras

    from shamsul_core.explain.gradcam import gradient_maps

    path = folder[0] / "nested.keras"
    classifier = load_classifier(ModelSource(model=str(path), output="sigmoid"))
    inputs = classifier.preprocess(made_pixels())
    model = keras.models.load_model(path, compile=False)
    inner, dense = model.layers[1], model.layers[2]
    upto = keras.Model(inner.inputs, inner.layers[-2].output)
    maps = np.asarray(upto.predict(inputs.permute(0, 2, 3, 1).numpy(), verbose=0))[0]
    kernel = np.asarray(dense.get_weights()[0])
    expected = np.maximum((maps * kernel[:, 1]).sum(-1) / 100, 0)
    (ours,) = gradient_maps(classifier.network, inputs, [1], "logit")
    assert ours.max() > 0
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_what_the_model_itself_scales_need_not_be_said(folder):
    path = folder[0] / "scaling.keras"
    (folder[0] / "scaling.keras.json").write_text(json.dumps({"pathologies": ["Edema"]}))
    classifier = load_classifier(str(path))
    assert classifier.preprocessing.channels == 1
    assert classifier.preprocess(made_pixels()).max() > 200
    (folder[0] / "nested.keras.json").unlink()
    with pytest.raises(ModelError, match="does not say how it wants its radiographs"):
        load_classifier(str(folder[0] / "nested.keras"))
    (folder[0] / "nested.keras.json").write_text(json.dumps(SIDECAR))


def test_a_models_code_is_not_executed(folder):
    with pytest.raises(ModelError, match="cannot read it safely"):
        load_classifier(str(folder[0] / "lambda.keras"))


def test_an_archive_that_swells_is_not_read(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            archive.writestr(name, bytes(2**23))
    with pytest.raises(ModelError, match="swells to 25,165,824 bytes"):
        load_classifier(str(path))


def zeros(path, **attributes):
    """Half a gigabyte of zeros, which gzip writes in half a megabyte."""
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        file.create_dataset(
            "dense/kernel:0", (2**14, 2**13), "f4", chunks=(2**10, 2**13), compression="gzip", fillvalue=0
        )
    return path


def test_arrays_that_swell_are_not_read(tmp_path, monkeypatch):
    """Whatever HDF5 or zip would decompress is refused by what it says of itself, before anything is read."""
    monkeypatch.setattr(h5py.Dataset, "__array__", None)
    monkeypatch.setattr(h5py.Dataset, "__getitem__", None)
    weights = zeros(tmp_path / "weights.h5")
    with pytest.raises(ModelError, match="an HDF5 file that swells to 536,870,912 bytes"):
        load_classifier(str(weights))
    with pytest.raises(ModelError, match="an HDF5 file that swells to 536,870,912 bytes"):
        load_classifier(str(zeros(tmp_path / "model.h5", model_config="{}")))
    with zipfile.ZipFile(tmp_path / "inner.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(2**23))
    for inner, words in (("weights.h5", "an HDF5 file"), ("inner.npz", "a zip archive with a 'model.npz'")):
        path = tmp_path / "m.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
            archive.writestr("metadata.json", "{}")
            archive.write(tmp_path / inner, f"model{(tmp_path / inner).suffix}")
        with pytest.raises(ModelError, match=f"{words} that swells to"):
            load_classifier(str(path))


def test_a_real_model_of_keras_3_answers_as_keras_does(public_samples, tmp_path):
    """Xception of two classes from PyPI's pneumonia-model-package 0.3.0, on two radiographs of children."""
    import keras

    file = next(public_samples.rglob("pneumonia_xception_model*.keras"), None)
    if file is None:
        pytest.skip("../shared/data has no pneumonia_xception_model*.keras")
    path = tmp_path / file.name
    path.symlink_to(file)
    sidecar = SIDECAR | {"pathologies": ["NORMAL", "PNEUMONIA"], "output": "softmax"}
    path.with_suffix(".json").write_text(json.dumps(sidecar))
    classifier, model = load_classifier(str(path)), keras.models.load_model(file, compile=False)
    answers = []
    for picture in sorted((public_samples / "kermany").glob("*.jpeg")):
        # As the package reads them: ImageDataGenerator's nearest neighbour
        image = keras.utils.img_to_array(keras.utils.load_img(picture, target_size=(150, 150)))
        logits = model.predict(keras.applications.xception.preprocess_input(image[None]), verbose=0)
        answers.append(np.asarray(keras.ops.softmax(logits))[0])
        np.testing.assert_allclose(ours(classifier, picture), answers[-1], atol=1e-5)
    assert np.ptp(answers, axis=0).max() > 0.05
