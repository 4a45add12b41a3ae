"""Where a classifier's weights come from, and our own files.

``SOURCES`` names what a model can be; a further source is one file in this folder and one line there. Our own file is
safetensors: the network's state dict, float16 or float32, and this metadata (all strings, JSON where structured)::

    format          "shamsul-classifier"
    version         "1"
    architecture    "densenet121", or another classifier of torchvision
    pathologies     JSON list, the outputs in their order
    preprocessing   JSON object, see `Preprocessing`
    epsilon         of the batch norms, where it is not torch's 1e-5
    card            JSON object, see `shamsul_core.classifier.model_card`, where anything is known of the training

Loading executes nothing that a file says.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from shamsul_core.classifier.architectures import (
    DENSENET121,
    TORCHS_EPSILON,
    build,
    epsilon_of,
    fill,
    set_epsilon,
)
from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.errors import ModelError, first_line, what_is
from shamsul_core.classifier.keras_h5 import load_keras
from shamsul_core.classifier.model_card import read_card, sidecar_of
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.torchvision_file import check_pathologies, load_state_dict
from shamsul_core.classifier.xrayvision import PREFIX, load_xrayvision
from shamsul_core.files.atomic import write_atomically
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ModelError", "load_classifier", "save_classifier", "untrained_classifier"]

_FORMAT = "shamsul-classifier"
_VERSION = "1"
UNTRAINED = "untrained"


def load_classifier(source: str, device: str = "cpu") -> Classifier:
    """Return the classifier that `source` names.

    Parameters
    ----------
    source
        The path of a ``.safetensors`` file of ours, of the paper's authors' Keras ``.h5``, or of a torchvision state dict
        with its sidecar; ``torchxrayvision:<weights>``; or ``"untrained"``.
    device
        Where it is to run: ``"cpu"``, ``"cuda"``, ``"cuda:1"``.

    Raises
    ------
    ModelError
        If there is no such file, it is not a classifier, or there is no such device.
    """
    _check_device(device)
    if source == UNTRAINED:
        classifier = untrained_classifier()
    elif source.startswith(PREFIX):
        classifier = load_xrayvision(source)
    else:
        classifier = _load_file(source)
    classifier.network.to(device)
    try:
        return replace(classifier, card=read_card(source))
    except ValueError as error:
        message = f"{source}: its model card cannot be read ({error})"
        raise ModelError(message) from error


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        message = f"{device}: no such device to run the model on ({first_line(error)}); give cpu or, with a GPU, cuda"
        raise ModelError(message) from error


def _load_file(source: str) -> Classifier:
    path = Path(source)
    if not path.is_file():
        message = (
            f"{source}: no such model; give a .safetensors, Keras .h5 or torchvision file, {PREFIX}<weights>, "
            f"or {UNTRAINED!r}"
        )
        raise ModelError(message)
    read = _READERS.get(path.suffix)
    if read is None:
        message = f"{path}: {what_is(path)}; expected a model that ends in {', '.join(_READERS)}"
        raise ModelError(message)
    return read(path)


def _load_safetensors(path: Path) -> Classifier:
    """Return the classifier of a safetensors file: ours, or a state dict that a sidecar describes."""
    if sidecar_of(path) is not None:
        return load_state_dict(path)
    metadata, tensors = _read(path)
    architecture, pathologies, preprocessing = _described(path, metadata)
    network = build(architecture, len(pathologies))
    fill(network, tensors, f"{path} ({architecture} with {len(pathologies)} outputs)")
    if "epsilon" in metadata:
        set_epsilon(network, float(metadata["epsilon"]))
    return Classifier(
        network, pathologies, preprocessing, path.name, is_trained=True, architecture=architecture
    )


_READERS: Mapping[str, Callable[[Path], Classifier]] = {
    ".safetensors": _load_safetensors,
    ".h5": load_keras,
    ".hdf5": load_keras,
    ".pt": load_state_dict,
    ".pth": load_state_dict,
}


def untrained_classifier(seed: int = 0) -> Classifier:
    """Return a DenseNet-121 of the fourteen observations with random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DenseNet121(len(OBSERVATIONS))
    return Classifier(network, OBSERVATIONS, Preprocessing(), UNTRAINED, is_trained=False)


def save_classifier(classifier: Classifier, path: Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Write a classifier as a ``.safetensors`` file; float16 halves its size."""
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "architecture": classifier.architecture,
        "pathologies": json.dumps(classifier.pathologies),
        "preprocessing": json.dumps(classifier.preprocessing.to_json()),
    }
    if epsilon_of(classifier.network) != TORCHS_EPSILON:
        metadata["epsilon"] = repr(epsilon_of(classifier.network))
    if classifier.card is not None:
        metadata["card"] = json.dumps(classifier.card.to_json())
    state = classifier.network.state_dict()
    tensors = {
        name: (value.to(dtype) if value.is_floating_point() else value).cpu().contiguous()
        for name, value in state.items()
    }
    write_atomically(path, save(tensors, metadata))


def _read(path: Path) -> tuple[Mapping[str, str], dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        message = f"{path}: {what_is(path)}, not a readable safetensors file ({error}); expected a classifier written by SHAMSUL"
        raise ModelError(message) from error


def _described(path: Path, metadata: Mapping[str, str]) -> tuple[str, tuple[str, ...], Preprocessing]:
    stated = {key: metadata.get(key) for key in ("format", "version")}
    expected = {"format": _FORMAT, "version": _VERSION}
    if stated != expected:
        message = (
            f"{path}: metadata says {stated}, expected {expected}; is it a classifier written by SHAMSUL? A state dict "
            f"of torchvision needs {path.name}.json beside it"
        )
        raise ModelError(message)
    try:
        architecture = metadata.get("architecture", DENSENET121)
        pathologies = tuple(json.loads(metadata["pathologies"]))
        preprocessing = Preprocessing.from_json(json.loads(metadata["preprocessing"]))
        float(metadata.get("epsilon", TORCHS_EPSILON))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path}: pathologies or preprocessing are missing or unreadable in its metadata ({error})"
        raise ModelError(message) from error
    check_pathologies(pathologies, path)
    return architecture, pathologies, preprocessing
