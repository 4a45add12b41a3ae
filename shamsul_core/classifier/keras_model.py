"""Whole Keras models, ``.keras`` (Keras 3) and ``.h5`` (Keras 2 and 3), which Keras runs on torch.

They are read in Keras' safe mode, which executes no code from the file (no lambda layers). A last sigmoid or softmax is
taken off, so that logits remain. Keras' files do not say how radiographs become their input: the sidecar has to, but for
what layers of the model itself do.
"""

from __future__ import annotations

import os
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import h5py
import torch
from torch import nn

from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.checkpoint import refuse_swollen
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.extras import need

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from shamsul_core.classifier.outputs import OutputKind
    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

_OUTPUTS: dict[str, OutputKind] = {"sigmoid": "sigmoid", "softmax": "softmax"}


class Tap(nn.Module):
    """A place at which a Keras layer's feature maps pass, channels first, so that torch's hooks see them."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the maps, N × C × h × w, as they are."""
        return maps


class KerasNetwork(nn.Module):
    """A Keras model that takes channels first.

    Parameters
    ----------
    model
        N × size × size × channels in, N × C logits out, on torch.
    """

    has_fixed_precision = True

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.taps = nn.ModuleList(
            _tapped(layer) for layer in model._flatten_layers() if not hasattr(layer, "layers")
        )

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits N × C of a batch N × channels × size × size."""
        import keras

        with keras.device("cpu" if batch.device.type == "cpu" else f"gpu:{batch.device.index or 0}"):
            logits: torch.Tensor = self.model(batch.permute(0, 2, 3, 1), training=False)
        return logits.float()


def _tapped(layer: Any) -> Tap:
    """Lead what a layer returns past a tap; Keras calls its layers without torch's hooks."""
    tap, call = Tap(), layer.call

    def passing(*arguments: Any, **named: Any) -> Any:
        outputs = call(*arguments, **named)
        if not isinstance(outputs, torch.Tensor) or outputs.ndim != 4:
            return outputs
        return tap(outputs.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    layer.call = passing
    return tap


def is_keras(path: Path) -> bool:
    """Return whether a file is a whole Keras model."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return {"config.json", "metadata.json"} <= set(archive.namelist())
        with h5py.File(path, "r") as file:
            return "model_config" in file.attrs
    except (OSError, zipfile.BadZipFile):
        return False


def load_keras(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of a whole Keras model.

    Raises
    ------
    ModelError
        If Keras cannot or, for the sake of safety, must not read it, or it does not take one square picture.
    MissingExtraError
        If Keras is not installed.
    """
    del sidecar, source
    refuse_swollen(path)
    model = _model(path)
    output, last = _last_activation(model)
    known = _preprocessing(path, model)
    return Content(
        network=KerasNetwork(_without(last, model)),
        name=path.name,
        architecture=f"Keras {model.name}",
        output=output,
        preprocessing=known,
        definition=model.to_json(),
    )


def _model(path: Path) -> Any:
    need("keras")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    already = "keras" in sys.modules
    import keras

    if keras.backend.backend() != "torch":
        told = "was imported before" if already else "is told by KERAS_BACKEND or keras.json"
        message = (
            f"{path}: Keras runs on {keras.backend.backend()} here, which {told}; set KERAS_BACKEND=torch"
        )
        raise ModelError(message)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        message = f"{path}: Keras {keras.__version__} cannot read it safely ({first_line(error)[:200]})"
        raise ModelError(message) from error


def _last_activation(model: Any) -> tuple[OutputKind | None, Any]:
    """Return what kind of outputs the last layer makes, and that layer."""
    last = model.outputs[0]._keras_history.operation
    name = type(last).__name__.lower()
    activation = getattr(getattr(last, "activation", None), "__name__", name)
    return _OUTPUTS.get(activation), last


def _without(last: Any, model: Any) -> Any:
    """Return a model whose last layer gives logits."""
    import keras

    if getattr(getattr(last, "activation", None), "__name__", "") in _OUTPUTS:
        last.activation = keras.activations.linear
    elif type(last).__name__.lower() in _OUTPUTS:
        last.call = _passing_inputs()
    return model


def _passing_inputs() -> Callable[..., Any]:
    return lambda inputs, *_, **__: inputs


def _preprocessing(path: Path, model: Any) -> Mapping[str, Any]:
    """Return what the model itself says: its size, and the grey levels 0..255 where it begins by scaling them.

    Raises
    ------
    ModelError
        If it takes something else than one square picture.
    """
    shapes = [tuple(one.shape) for one in model.inputs]
    height, width, channels = shapes[0][1:] if len(shapes) == 1 and len(shapes[0]) == 4 else (None,) * 3
    if channels not in {1, 3} or height != width:
        message = (
            f"{path}: it takes {shapes}, not one square picture with its channels last, in grey or colours"
        )
        raise ModelError(message)
    known: dict[str, Any] = {} if height is None else {"size_px": height}
    layers = [layer for layer in model._flatten_layers() if not hasattr(layer, "layers")]
    if any(type(layer).__name__ == "Rescaling" for layer in layers[:2]):
        known |= {"mean": [0.0] * channels, "std": [1 / 255] * channels}
    return known
