from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torchvision.models import densenet121

from shamsul_core.classifier.classifier import has_fast_bfloat16
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.weights import ModelError, load_classifier, save_classifier, untrained_classifier
from shamsul_core.vocabulary import OBSERVATIONS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.safetensors"
    save_classifier(untrained_classifier(3), path)
    return path


def rewritten(path, folder, metadata=None, change=lambda tensors: tensors):
    """The same file with other metadata or tensors."""
    import safetensors

    with safetensors.safe_open(path, framework="pt") as file:
        known = file.metadata()
    target = folder / "changed.safetensors"
    save_file(change(load_file(path)), target, {**known, **(metadata or {})})
    return str(target)


def test_the_network_is_torchvisions():
    theirs = densenet121(num_classes=14).eval()
    ours = DenseNet121(14).eval()
    ours.load_state_dict(theirs.state_dict())
    batch = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(batch), theirs(batch))


def test_what_is_saved_is_loaded(saved, pixels):
    loaded = load_classifier(str(saved))
    original = untrained_classifier(3)
    assert loaded.is_trained
    assert loaded.source == "model.safetensors"
    assert loaded.fingerprint == original.fingerprint
    assert loaded.predict(pixels) == original.predict(pixels)


def test_half_precision_halves_the_file_and_hardly_moves_the_probabilities(saved, tmp_path, pixels):
    half = tmp_path / "half.safetensors"
    save_classifier(untrained_classifier(3), half, dtype=torch.float16)
    assert half.stat().st_size < 0.55 * saved.stat().st_size
    one, other = (load_classifier(str(path)).predict(pixels) for path in (saved, half))
    np.testing.assert_allclose(list(one.values()), list(other.values()), atol=5e-3)


def test_untrained_is_the_same_for_the_same_seed_and_says_so(pixels):
    first = load_classifier("untrained")
    assert not first.is_trained
    assert first.pathologies == OBSERVATIONS
    assert first.fingerprint == untrained_classifier(0).fingerprint != untrained_classifier(1).fingerprint
    assert all(0 < probability < 1 for probability in first.predict(pixels).values())


def test_fast_network_gives_the_same_logits(classifier, pixels):
    inputs = classifier.preprocess(pixels)
    fast = classifier.fast_network(inputs.to(classifier.fast_dtype))
    torch.testing.assert_close(fast, classifier.logits(inputs), atol=0.05, rtol=0.05)


def test_preprocessing_is_the_protocols(pixels):
    """Bytes / 255, squeezed to the square, less ImageNet's mean over its standard deviation, grey in all channels."""
    flat = np.full((300, 200), 102, np.uint8)
    inputs = Preprocessing()(flat)
    assert inputs.shape == (1, 3, 224, 224)
    for channel, (mean, std) in enumerate(zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)):
        torch.testing.assert_close(inputs[0, channel], torch.full((224, 224), (0.4 - mean) / std))
    resized = Preprocessing().resize(pixels)
    assert resized.shape == (1, 1, 224, 224)
    assert 0 <= resized.min() <= resized.max() <= 1


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"format": "other"}, "nothing names its outputs"),
        ({"version": "9"}, "is it a classifier written by SHAMSUL"),
        ({"architecture": "resnet50"}, "resnet50 with 14 outputs.: the weights do not fit"),
        ({"pathologies": "not json"}, "pathologies or preprocessing are missing or unreadable"),
        ({"pathologies": json.dumps(["Edema", "Broken Heart"])}, "the weights do not fit"),
        ({"pathologies": json.dumps(["Edema"] * 14)}, "two of its outputs are 'Edema'"),
        ({"pathologies": json.dumps(["Edema"])}, "densenet121 with 1 outputs.: the weights do not fit"),
        ({"preprocessing": json.dumps({"size_px": 1, "mean": [0, 0, 0], "std": [1, 1, 1]})}, "preprocessing"),
        ({"preprocessing": json.dumps({"size_px": 224})}, "preprocessing"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_what_is_wrong(saved, tmp_path, metadata, expected):
    path = rewritten(saved, tmp_path, metadata)
    with pytest.raises(ModelError, match=expected) as caught:
        load_classifier(path)
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)


def test_a_missing_tensor_is_named(saved, tmp_path):
    path = rewritten(
        saved, tmp_path, change=lambda tensors: {k: v for k, v in tensors.items() if "conv0" not in k}
    )
    with pytest.raises(ModelError, match="conv0"):
        load_classifier(path)


def test_other_files_are_refused_and_never_executed(tmp_path):
    class Payload:
        def __reduce__(self):
            return (tmp_path.joinpath("executed").touch, ())

    pickled = tmp_path / "model.safetensors"
    pickled.write_bytes(pickle.dumps(Payload()))
    cut = tmp_path / "cut.safetensors"
    save_classifier(untrained_classifier(), cut)
    cut.write_bytes(cut.read_bytes()[:100_000])
    for path in (pickled, cut):
        with pytest.raises(ModelError, match="readable safetensors"):
            load_classifier(str(path))
    with pytest.raises(ModelError, match="no such model"):
        load_classifier(str(tmp_path / "absent.safetensors"))
    assert not tmp_path.joinpath("executed").exists()


@pytest.mark.parametrize("device", ["cuda:77", "abacus"])
def test_a_device_that_is_not_there_is_one_line(device):
    with pytest.raises(
        ModelError, match=f"^{device}: no such device to run the model on .*; give cpu"
    ) as error:
        load_classifier("untrained", device)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="only Linux says what its processor can")
def test_bfloat16_is_used_only_where_the_processor_multiplies_it():
    flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    assert has_fast_bfloat16() == bool({"avx512_bf16", "amx_bf16"} & flags)
