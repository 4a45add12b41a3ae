"""State dicts of torchvision's classifiers, with a sidecar that says what they are.

``MODEL.json`` beside the file ``MODEL`` (or ``MODEL.pt.json`` beside ``MODEL.pt``)::

    {"architecture": "resnet50", "pathologies": ["Edema", ...], "preprocessing": {"size_px": 224, "mean": ..., "std": ...}}

``preprocessing`` may be left out: 224 pixels, ImageNet's mean and standard deviation. ``card`` may say what the model
was trained on, see `shamsul_core.classifier.model_card`.
"""

from __future__ import annotations

import json
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from shamsul_core.classifier.architectures import build, fill
from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.errors import ModelError, what_is
from shamsul_core.classifier.model_card import sidecar_of
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


# torch says it of a file that it then reads or refuses. Set once, for the whole process: to set it and take it back around
# each reading would change other threads' warnings.
warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)

_FIELDS = ("architecture", "pathologies", "preprocessing", "card")


def load_state_dict(path: Path) -> Classifier:
    """Return the classifier of a state dict, read without executing anything.

    Raises
    ------
    ModelError
        If there is no sidecar, it cannot be used, or the weights are not of its architecture.
    """
    sidecar = sidecar_of(path)
    if sidecar is None:
        message = (
            f"{path}: {what_is(path)} without a description; put {path.name}.json beside it, with architecture, "
            f"pathologies and preprocessing"
        )
        raise ModelError(message)
    architecture, pathologies, preprocessing = _described(sidecar)
    try:
        network = build(architecture, len(pathologies))
    except ModelError as error:
        message = f"{sidecar}: {error}"
        raise ModelError(message) from error
    fill(network, _tensors(path), f"{path} ({architecture} with {len(pathologies)} outputs)")
    return Classifier(
        network, pathologies, preprocessing, path.name, is_trained=True, architecture=architecture
    )


def _described(sidecar: Path) -> tuple[str, tuple[str, ...], Preprocessing]:
    try:
        stored = json.loads(sidecar.read_text(encoding="utf-8"))
        unknown = [name for name in stored if name not in _FIELDS]
        if unknown:
            message = f"it has no {unknown[0]!r}; what it may say is {', '.join(_FIELDS)}"
            raise ValueError(message)
        architecture, pathologies = str(stored["architecture"]), tuple(map(str, stored["pathologies"]))
        preprocessing = Preprocessing.from_json(Preprocessing().to_json() | stored.get("preprocessing", {}))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{sidecar}: not a description with architecture, pathologies and preprocessing ({error})"
        raise ModelError(message) from error
    check_pathologies(pathologies, sidecar)
    return architecture, pathologies, preprocessing


def check_pathologies(pathologies: Sequence[str], whose: Path) -> None:
    """Refuse outputs that are not distinct observations of CheXpert.

    Parameters
    ----------
    whose
        The file that names them, for the message.

    Raises
    ------
    ModelError
        If one is unknown or occurs twice, or there is none; the message names them.
    """
    unknown = [name for name in pathologies if name not in OBSERVATIONS]
    if unknown or len(set(pathologies)) != len(pathologies) or not pathologies:
        message = f"{whose}: its pathologies are not distinct CheXpert observations: {unknown or pathologies}"
        raise ModelError(message)


def _tensors(path: Path) -> Mapping[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        stored: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError) as error:
        message = f"{path}: {what_is(path)}, not a state dict that can be read safely; expected torch.save's or safetensors"
        raise ModelError(message) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(stored, dict) and isinstance(stored.get(key), dict):
            stored = stored[key]
    if not isinstance(stored, dict) or not all(isinstance(value, torch.Tensor) for value in stored.values()):
        message = f"{path}: holds {type(stored).__name__}, not a state dict (names and tensors)"
        raise ModelError(message)
    return {name.removeprefix("module."): tensor for name, tensor in stored.items()}
