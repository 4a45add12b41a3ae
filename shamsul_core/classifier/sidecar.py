"""The sidecar: what a model's file does not say of itself, written by hand.

``MODEL.json`` beside the file or folder ``MODEL`` (or ``MODEL.pt.json`` beside ``MODEL.pt``); every part may be left out::

    {"pathologies": ["Edema", "Cardiomegaly"],
     "output": "sigmoid",
     "architecture": "resnet50",
     "head_activation": "relu",
     "preprocessing": {"size_px": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
     "card": {"trained_on": "..."}}

What it says goes before what the file says. ``output`` is ``sigmoid`` or ``softmax``; ``head_activation`` is one of
`shamsul_core.classifier.heads.ACTIVATIONS`; ``preprocessing`` has the fields of
`shamsul_core.classifier.preprocessing.Preprocessing`, ``card`` those of `shamsul_core.classifier.model_card`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from shamsul_core.classifier.errors import ModelError
from shamsul_core.classifier.heads import ACTIVATIONS
from shamsul_core.classifier.model_card import sidecar_of
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.classifier.outputs import OutputKind

_FIELDS = ("architecture", "pathologies", "output", "head_activation", "preprocessing", "card")
_MOST_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What a sidecar says; ``None`` or empty where it says nothing.

    Parameters
    ----------
    path
        The file, or where it would be looked for.
    head_activation
        What lies between the linear layers of a head of several.
    preprocessing
        The fields of `Preprocessing` that it gives.
    """

    path: Path
    architecture: str | None = None
    pathologies: tuple[str, ...] | None = None
    output: OutputKind | None = None
    head_activation: str | None = None
    preprocessing: dict[str, Any] = field(default_factory=dict)


def read_sidecar(model: Path) -> Sidecar:
    """Return what the sidecar of a file or folder says, nothing where there is none.

    Raises
    ------
    ModelError
        If there is one that cannot be used.
    """
    path = sidecar_of(model)
    if path is None:
        return Sidecar(path=model.with_name(f"{model.name}.json"))
    try:
        if path.stat().st_size > _MOST_BYTES:
            message = f"it is larger than {_MOST_BYTES:,} bytes"
            raise ValueError(message)
        return _checked(path, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError, RecursionError) as error:
        message = (
            f"{path}: not a description with pathologies, output, architecture and preprocessing ({error})"
        )
        raise ModelError(message) from error


def _checked(path: Path, stored: object) -> Sidecar:
    if not isinstance(stored, dict):
        message = "it is no JSON object"
        raise TypeError(message)
    unknown = [name for name in stored if name not in _FIELDS]
    if unknown:
        message = f"it has no {quoted(unknown[0])}; what it may say is {', '.join(_FIELDS)}"
        raise ValueError(message)
    names, output = stored.get("pathologies"), stored.get("output")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        message = "pathologies is no list of names"
        raise ValueError(message)
    if output not in {None, "sigmoid", "softmax"}:
        message = f"output is {quoted(output)}, not sigmoid or softmax"
        raise ValueError(message)
    activation = stored.get("head_activation")
    if activation is not None and activation not in ACTIVATIONS:
        message = f"head_activation is {quoted(str(activation))}, not one of {', '.join(ACTIVATIONS)}"
        raise ValueError(message)
    preprocessing = stored.get("preprocessing", {})
    if not isinstance(preprocessing, dict):
        message = "preprocessing is no JSON object"
        raise TypeError(message)
    architecture = stored.get("architecture")
    return Sidecar(
        path=path,
        architecture=None if architecture is None else str(architecture),
        pathologies=None if names is None else tuple(names),
        output=cast("OutputKind | None", output),
        head_activation=activation,
        preprocessing=preprocessing,
    )
