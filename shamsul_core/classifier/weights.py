"""Weights on disk: our own safetensors files, and untrained networks for trials.

A file holds the network's state dict, float16 or float32, and this metadata (all strings, JSON where structured)::

    format          "shamsul-classifier"
    version         "1"
    architecture    "densenet121"
    pathologies     JSON list, the outputs in their order
    preprocessing   JSON object, see `Preprocessing`

Loading executes nothing that the file says: safetensors holds numbers and text only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from shamsul_core.atomic import write_atomically
from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.labels import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMAT = "shamsul-classifier"
_VERSION = "1"
UNTRAINED = "untrained"


class ModelError(ValueError):
    """A model that cannot be used; the message says in one line which file, what is wrong and what to do."""


def load_classifier(source: str, device: str = "cpu") -> Classifier:
    """Return the classifier that `source` names.

    Parameters
    ----------
    source
        The path of a ``.safetensors`` file of ours, or ``"untrained"``.
    device
        Where it is to run: ``"cpu"``, ``"cuda"``, ``"cuda:1"``.

    Raises
    ------
    ModelError
        If there is no such file, it is not a classifier of ours, or there is no such device.
    """
    _check_device(device)
    classifier = untrained_classifier() if source == UNTRAINED else _load(source)
    classifier.network.to(device)
    return classifier


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        message = f"{device}: no such device to run the model on ({reason}); give cpu or, with a GPU, cuda"
        raise ModelError(message) from error


def _load(source: str) -> Classifier:
    path = Path(source)
    if not path.is_file():
        message = f"{source}: no such model; give a .safetensors file or {UNTRAINED!r}"
        raise ModelError(message)
    metadata, tensors = _read(path)
    pathologies, preprocessing = _described(path, metadata)
    network = DenseNet121(len(pathologies))
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        message = f"{path}: the weights do not fit a DenseNet-121 with {len(pathologies)} outputs: {reason}"
        raise ModelError(message) from error
    return Classifier(network, pathologies, preprocessing, path.name, is_trained=True)


def untrained_classifier(seed: int = 0) -> Classifier:
    """Return a DenseNet-121 of the fourteen observations with random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DenseNet121(len(OBSERVATIONS))
    return Classifier(network, OBSERVATIONS, Preprocessing(), UNTRAINED, is_trained=False)


def save_classifier(classifier: Classifier, path: Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Write a DenseNet-121 classifier as a ``.safetensors`` file; float16 halves its size."""
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "architecture": "densenet121",
        "pathologies": json.dumps(classifier.pathologies),
        "preprocessing": json.dumps(classifier.preprocessing.to_json()),
    }
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
        message = (
            f"{path}: not a readable safetensors file ({error}); expected a classifier written by SHAMSUL"
        )
        raise ModelError(message) from error


def _described(path: Path, metadata: Mapping[str, str]) -> tuple[tuple[str, ...], Preprocessing]:
    found = {key: metadata.get(key) for key in ("format", "version", "architecture")}
    expected = {"format": _FORMAT, "version": _VERSION, "architecture": "densenet121"}
    if found != expected:
        message = (
            f"{path}: metadata says {found}, expected {expected}; is it a classifier written by SHAMSUL?"
        )
        raise ModelError(message)
    try:
        pathologies = tuple(json.loads(metadata["pathologies"]))
        preprocessing = Preprocessing.from_json(json.loads(metadata["preprocessing"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path}: pathologies or preprocessing are missing or unreadable in its metadata ({error})"
        raise ModelError(message) from error
    unknown = [name for name in pathologies if name not in OBSERVATIONS]
    if unknown or len(set(pathologies)) != len(pathologies) or not pathologies:
        message = f"{path}: its pathologies are not distinct CheXpert observations: {unknown or pathologies}"
        raise ModelError(message)
    return pathologies, preprocessing
