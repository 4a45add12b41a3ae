"""Networks of timm: its folders, the checkpoints of its training script, and ``timm:<name>`` with weights of one's own.

The folder is what timm pushes to a hub: ``config.json`` with ``architecture`` and ``pretrained_cfg``, and the weights.
Preprocessing is what timm resolves from the configuration, on Pillow's pictures.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from shamsul_core.classifier.architectures import fill
from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.checkpoint import Checkpoint, beneath, read_checkpoint
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.classifier.huggingface import config_of
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.extras import need
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

PREFIX = "timm:"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_OF_DATA = ("input_size", "img_size", "mean", "std", "interpolation", "crop_pct")


def is_timm(path: Path) -> bool:
    """Return whether a path is a folder that timm wrote."""
    return "architecture" in config_of(path)


def load_timm_folder(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of a folder.

    Raises
    ------
    ModelError
        If timm has no such network, or the weights are absent or do not fit.
    MissingExtraError
        If timm is not installed.
    """
    del sidecar, source
    weights = next((path / name for name in _WEIGHTS if (path / name).is_file()), None)
    if weights is None:
        message = f"{path}: a folder of timm without {' or '.join(_WEIGHTS)}"
        raise ModelError(message)
    config = config_of(path)
    stated = config.get("pretrained_cfg")
    described: dict[str, Any] = stated if isinstance(stated, dict) else {}
    names = config.get("label_names") or described.get("label_names")
    arguments = config.get("model_args")
    return _content(
        read_checkpoint(weights),
        str(config["architecture"]),
        whose=path,
        described=described,
        arguments=arguments if isinstance(arguments, dict) else {},
        names=names if isinstance(names, list) else (),
    )


def load_timm(sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of ``timm:<name>`` with the file of its weights.

    Raises
    ------
    ModelError
        If timm has no such network, or the weights are not given or do not fit.
    MissingExtraError
        If timm is not installed.
    """
    del sidecar
    if source.weights is None:
        message = (
            f"{source.model}: which weights? Give their file: --weights FILE; timm's own are of photographs"
        )
        raise ModelError(message)
    path = Path(source.weights)
    if not path.is_file():
        message = f"{path}: no such file of weights"
        raise ModelError(message)
    checkpoint = read_checkpoint(path)
    return _content(
        checkpoint, source.model.removeprefix(PREFIX), whose=path, described={}, names=checkpoint.names
    )


def is_of_timms_training(checkpoint: Checkpoint) -> bool:
    """Return whether timm's training script wrote a checkpoint: it says its network and the script's arguments."""
    return isinstance(checkpoint.said.get("arch"), str) and "args" in checkpoint.said


def content_of_training(checkpoint: Checkpoint, path: Path) -> Content:
    """Return the content of a checkpoint of timm's training script, with the preprocessing of its arguments."""
    arguments = vars(checkpoint.said["args"])
    described = {name: arguments[name] for name in _OF_DATA if arguments.get(name) is not None}
    return _content(
        checkpoint, str(checkpoint.said["arch"]), whose=path, described=described, names=checkpoint.names
    )


def _content(
    checkpoint: Checkpoint,
    architecture: str,
    *,
    whose: Path,
    described: Mapping[str, Any],
    arguments: Mapping[str, Any] | None = None,
    names: Any = (),
) -> Content:
    need("timm")
    import timm

    if not timm.is_model(architecture):
        message = f"{whose}: timm {timm.__version__} has no network {quoted(architecture)}"
        raise ModelError(message)
    told = timm.get_pretrained_cfg(architecture, allow_unregistered=True)
    head, stem = (f"{getattr(told, name, None)}.weight" for name in ("classifier", "first_conv"))
    tensors = max(beneath(checkpoint.tensors), key=lambda part: head in part)
    outputs = len(tensors.get(head, ()))
    channels = tensors[stem].shape[1] if stem in tensors else 3
    try:
        network: torch.nn.Module = timm.create_model(
            architecture, pretrained=False, num_classes=outputs, in_chans=channels, **(arguments or {})
        )
    except (TypeError, RuntimeError, ValueError, AssertionError) as error:
        message = f"{whose}: timm cannot build {quoted(architecture)} as its configuration says ({first_line(error)[:200]})"
        raise ModelError(message) from error
    fill(network, tensors, f"{whose} ({architecture} of timm with {outputs} outputs)")
    return Content(
        network=network,
        name=whose.name,
        architecture=f"timm {architecture}",
        names=names,
        preprocessing=_preprocessing(network, dict(described), channels).to_json(),
        definition=json.dumps([architecture, arguments or {}], sort_keys=True, default=str),
    )


def _preprocessing(network: Any, described: dict[str, Any], channels: int) -> Preprocessing:
    """Return what timm resolves, see ``timm.data.resolve_data_config`` and ``create_transform``."""
    from timm.data.config import resolve_data_config

    resolved = resolve_data_config(described | {"in_chans": None}, model=network)
    size_px = int(resolved["input_size"][-1])
    # Rounded as timm rounds it
    resize_px = math.floor(size_px / resolved["crop_pct"])
    mode = resolved["crop_mode"]
    mean, std = (tuple(map(float, resolved[name]))[:channels] for name in ("mean", "std"))
    if mode == "border":
        message = (
            f"timm's crop_mode 'border', which paints the margin in the colour of {mean}, has no equal here"
        )
        raise ModelError(message)
    return Preprocessing(
        size_px=size_px,
        mean=mean,
        std=std,
        fit="squeeze" if mode == "squash" else "crop",
        resize_px=None if resize_px == size_px else resize_px,
        interpolation=cast("Any", resolved["interpolation"]),
        library="pillow",
    )
