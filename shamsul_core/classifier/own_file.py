"""Our own file: safetensors with the network's state dict, float16 or float32, and this metadata.

All strings, JSON where structured::

    format          "shamsul-classifier"
    version         "1"
    architecture    "densenet121", or another classifier of torchvision
    pathologies     JSON list, the outputs in their order
    preprocessing   JSON object, see `Preprocessing`
    output          "softmax", where the classes exclude each other
    epsilon         of the batch norms, where it is not torch's 1e-5
    card            JSON object, see `shamsul_core.classifier.model_card`, where anything is known of the training
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

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
from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.errors import ModelError, what_is
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.classifier.outputs import LogOdds
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.source import UNTRAINED
from shamsul_core.files.atomic import write_atomically
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

_FORMAT = "shamsul-classifier"
_VERSION = "1"


def is_own(path: Path) -> bool:
    """Return whether a file is safetensors with our metadata."""
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("format") == _FORMAT
    except (SafetensorError, OSError):
        return False


def load_own(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of a file that `save_classifier` wrote.

    Raises
    ------
    ModelError
        If it is of another version or damaged.
    """
    del sidecar, source
    metadata, tensors = _read(path)
    architecture, names, preprocessing = _described(path, metadata)
    network = build(architecture, len(names), channels=preprocessing.channels, size_px=preprocessing.size_px)
    fill(network, tensors, f"{path} ({architecture} with {len(names)} outputs)")
    if "epsilon" in metadata:
        set_epsilon(network, float(metadata["epsilon"]))
    output: Any = metadata.get("output", "sigmoid")
    return Content(
        network=network,
        name=path.name,
        architecture=architecture,
        names=names,
        output=output,
        preprocessing=preprocessing.to_json(),
    )


def untrained_classifier(seed: int = 0, observations: tuple[str, ...] = OBSERVATIONS) -> Classifier:
    """Return a DenseNet-121 with random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DenseNet121(len(observations))
    return Classifier(network, observations, Preprocessing(), UNTRAINED, is_trained=False)


def save_classifier(classifier: Classifier, path: Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Write a classifier of one of torchvision's architectures as a ``.safetensors`` file; float16 halves its size.

    Raises
    ------
    ModelError
        If it is another network, which could not be built again.
    """
    if classifier.definition:
        message = f"{classifier.source}: only torchvision's networks can be written as SHAMSUL's file; keep the model's own"
        raise ModelError(message)
    is_softmax = isinstance(classifier.network, LogOdds)
    network = cast("Any", classifier.network).network if is_softmax else classifier.network
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "architecture": classifier.architecture,
        "pathologies": json.dumps(classifier.pathologies),
        "preprocessing": json.dumps(classifier.preprocessing.to_json()),
    }
    if is_softmax:
        metadata["output"] = "softmax"
    if epsilon_of(network) != TORCHS_EPSILON:
        metadata["epsilon"] = repr(epsilon_of(network))
    if classifier.card is not None:
        metadata["card"] = json.dumps(classifier.card.to_json())
    state = network.state_dict()
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
        if metadata.get("output", "sigmoid") not in {"sigmoid", "softmax"}:
            message = f"output is {metadata['output']!r}"
            raise ValueError(message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path}: pathologies or preprocessing are missing or unreadable in its metadata ({error})"
        raise ModelError(message) from error
    return architecture, pathologies, preprocessing
