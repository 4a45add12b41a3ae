"""Which format a model is in, and the one way to load it.

`FORMATS` says how each is recognised, by what lies in the file rather than by how it ends; a further one is one file in
this folder and one line there. Loading executes nothing that a file says, but for ``FILE.py:FUNCTION``, which is that.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from shamsul_core.classifier.assembly import assemble
from shamsul_core.classifier.code_file import load_code
from shamsul_core.classifier.contrastive import (
    is_open_clip,
    is_transformers_clip,
    load_open_clip,
    load_transformers_clip,
)
from shamsul_core.classifier.errors import ModelError, first_line, what_is
from shamsul_core.classifier.huggingface import is_transformers, load_transformers
from shamsul_core.classifier.keras_h5 import is_keras_weights, load_keras_weights
from shamsul_core.classifier.keras_model import is_keras, load_keras
from shamsul_core.classifier.model_card import read_card
from shamsul_core.classifier.novelty import novelty_file, read_training_features
from shamsul_core.classifier.onnx_file import is_onnx, load_onnx
from shamsul_core.classifier.own_file import (
    is_own,
    load_own,
    save_classifier,
    untrained_classifier,
)
from shamsul_core.classifier.sidecar import read_sidecar
from shamsul_core.classifier.source import UNTRAINED, ModelSource
from shamsul_core.classifier.timm_model import PREFIX as TIMM
from shamsul_core.classifier.timm_model import is_timm, load_timm, load_timm_folder
from shamsul_core.classifier.torchvision_file import load_state_dict
from shamsul_core.classifier.xrayvision import PREFIX as XRAYVISION
from shamsul_core.classifier.xrayvision import load_xrayvision
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from shamsul_core.classifier.assembly import Content
    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.classifier.sidecar import Sidecar

    Load = Callable[[Path, Sidecar, ModelSource], Content]

__all__ = ["ModelError", "ModelSource", "load_classifier", "save_classifier", "untrained_classifier"]


def load_classifier(
    model: str | ModelSource, device: str = "cpu", *, sums_up_anew: bool = False
) -> Classifier:
    """Return the classifier that `model` names.

    Parameters
    ----------
    model
        A file or folder in one of `FORMATS`, one of `LIBRARIES`' models, or ``"untrained"``; a `ModelSource` where
        more is to be said.
    device
        Where it is to run: ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
    sums_up_anew
        Whether what lies beside it of its training radiographs is about to be made anew, and not read.

    Raises
    ------
    ModelError
        If there is no such file, it is not a classifier, or there is no such device.
    """
    _check_device(device)
    source = ModelSource.of(model)
    classifier = _untrained(source) if source.model == UNTRAINED else _load(source)
    path = novelty_file(source.file)
    training = (
        read_training_features(path, classifier.fingerprint) if path.is_file() and not sums_up_anew else None
    )
    classifier.network.to(device)
    try:
        return replace(classifier, card=read_card(source.file), asked=source, training=training)
    except ValueError as error:
        message = f"{source.model}: its model card cannot be read ({error})"
        raise ModelError(message) from error


def _untrained(source: ModelSource) -> Classifier:
    return untrained_classifier(observations=source.observations or OBSERVATIONS)


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        message = f"{device}: no such device to run the model on ({first_line(error)}); give cpu or, with a GPU, cuda"
        raise ModelError(message) from error


def _load(source: ModelSource) -> Classifier:
    sidecar = read_sidecar(Path(source.file))
    if source.is_code:
        return assemble(load_code(sidecar, source), sidecar, source)
    for prefix, load in LIBRARIES.items():
        if source.model.startswith(prefix):
            return assemble(load(sidecar, source), sidecar, source)
    path = Path(source.model)
    _refuse_saved_model(path)
    if not path.exists():
        message = (
            f"{source.model}: no such model; give a file or folder, {', '.join(f'{prefix}<name>' for prefix in LIBRARIES)}, "
            f"or {UNTRAINED!r}"
        )
        raise ModelError(message)
    load_file = next((load for recognises, load in FORMATS if recognises(path)), None)
    if load_file is None:
        kind = "a folder" if path.is_dir() else what_is(path)
        message = f"{path}: {kind}, in which no model was recognised; docs/models.md lists what is read"
        raise ModelError(message)
    return assemble(load_file(path, sidecar, source), sidecar, source)


def _refuse_saved_model(path: Path) -> None:
    if (path / "saved_model.pb").is_file() or path.name == "saved_model.pb":
        message = (
            f"{path}: a SavedModel of TensorFlow, whose graph would be executed; convert it where TensorFlow is: "
            f"pip install tf2onnx; python -m tf2onnx.convert --saved-model {path} --inputs-as-nchw INPUT --output model.onnx"
        )
        raise ModelError(message)


def _is_checkpoint(path: Path) -> bool:
    return path.is_file() and path.suffix in {".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".tar"}


LIBRARIES: dict[str, Callable[[Sidecar, ModelSource], Content]] = {
    XRAYVISION: load_xrayvision,
    TIMM: load_timm,
}
"""How each library's models are named, and what loads them."""

FORMATS: tuple[tuple[Callable[[Path], bool], Load], ...] = (
    (is_open_clip, load_open_clip),
    (is_transformers_clip, load_transformers_clip),
    (is_transformers, load_transformers),
    (is_timm, load_timm_folder),
    (is_own, load_own),
    (is_keras, load_keras),
    (is_keras_weights, load_keras_weights),
    (is_onnx, load_onnx),
    (_is_checkpoint, load_state_dict),
)
"""How each format is recognised, and what loads it; the first that recognises a path is taken."""
