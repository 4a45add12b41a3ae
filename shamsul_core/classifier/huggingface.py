"""Folders of transformers: ``config.json``, ``preprocessor_config.json``, and the weights.

Read from the folder alone, without a network and without any code of its own. The processor's settings are translated
into our preprocessing, which knows what it cuts off, and both are compared on a picture: a processor that does something
else as well is refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.extras import need
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shamsul_core.classifier.outputs import OutputKind
    from shamsul_core.classifier.resampling import Interpolation
    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

_OUTPUTS: dict[str, OutputKind] = {
    "single_label_classification": "softmax",
    "multi_label_classification": "sigmoid",
}
_INTERPOLATIONS: dict[int, Interpolation] = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""By Pillow's numbers, which processors store."""

_CONVNEXT_SQUEEZES_FROM = 384
"""Size from which ConvNeXt's processor cuts nothing off."""

SAFELY: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
"""No network, so that there is no revision to name (bandit's B615), and no code of the folder's own."""

_MOST_BYTES = 2**24


class LogitsOnly(nn.Module):
    """A model of transformers that returns its logits, N × C, alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the logits of a batch N × channels × size × size."""
        logits: torch.Tensor = self.network(pixel_values=batch).logits
        return logits


def config_of(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """Return what a folder's JSON file says; nothing where there is none that can be read."""
    try:
        path = folder / name
        if path.stat().st_size > _MOST_BYTES:
            return {}
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}


def is_transformers(path: Path) -> bool:
    """Return whether a path is a folder that transformers wrote."""
    return "model_type" in config_of(path)


def load_transformers(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of a folder with an image classifier.

    Raises
    ------
    ModelError
        If it holds another model, lacks weights, or its processor cannot be followed.
    MissingExtraError
        If transformers is not installed.
    """
    del source
    need("huggingface")
    config = config_of(path)
    kinds = [str(kind) for kind in config.get("architectures") or ()]
    if kinds and not any(kind.endswith("ForImageClassification") for kind in kinds):
        message = (
            f"{path}: a {quoted(kinds[0])} of transformers, which has no head that classifies images; give the folder of one "
            f"that was trained for it (its name ends in ForImageClassification)"
        )
        raise ModelError(message)
    network = _network(path)
    labels = network.config.id2label or {}
    return Content(
        network=LogitsOnly(network),
        name=path.name,
        architecture=kinds[0] if kinds else str(config["model_type"]),
        names=[labels[index] for index in sorted(labels)],
        output=_OUTPUTS.get(str(config.get("problem_type"))),
        preprocessing=preprocessing_of(path, network.config, sidecar),
        definition=json.dumps(config, sort_keys=True),
    )


def _network(path: Path) -> Any:
    from transformers import AutoModelForImageClassification

    try:
        network, told = AutoModelForImageClassification.from_pretrained(  # nosec B615
            path, **SAFELY, output_loading_info=True, dtype=torch.float32
        )
    except Exception as error:
        message = f"{path}: transformers cannot load it as an image classifier ({first_line(error)[:200]})"
        raise ModelError(message) from error
    missing = [*told.get("missing_keys", ()), *(key for key, *_ in told.get("mismatched_keys", ()))]
    if missing:
        message = (
            f"{path}: its weights lack {', '.join(map(quoted, sorted(missing)[:3]))}"
            f"{f' and {len(missing) - 3} more' if len(missing) > 3 else ''}, which would be drawn at random"
        )
        raise ModelError(message)
    return network


def preprocessing_of(path: Path, config: Any, sidecar: Sidecar) -> Mapping[str, Any]:
    """Return the preprocessing of a folder's processor, as JSON; nothing where there is none, or a sidecar has it.

    Raises
    ------
    ModelError
        If the processor does more than resize, take the middle and normalise.
    """
    if not any((path / name).is_file() for name in ("preprocessor_config.json", "processor_config.json")):
        return {}
    from transformers import AutoImageProcessor

    try:
        processor = AutoImageProcessor.from_pretrained(path, **SAFELY)  # nosec B615
        translated = _translated(processor, config)
    except Exception as error:
        if sidecar.preprocessing:
            return {}
        message = f"{path}: its image processor cannot be followed ({first_line(error)[:200]}); put {sidecar.path} beside it with its preprocessing"
        raise ModelError(message) from error
    _check(path, processor, translated, sidecar)
    return translated.to_json()


def _translated(processor: Any, config: Any) -> Preprocessing:
    """Return what a processor does to a grey picture.

    Raises
    ------
    ValueError
        If it resizes in another way than those known here.
    """
    size, crop = (_sides(getattr(processor, name, None)) for name in ("size", "crop_size"))
    is_cropped = bool(getattr(processor, "do_center_crop", False))
    crop_pct = getattr(processor, "crop_pct", None)
    if not processor.do_resize:
        message = "it does not resize"
        raise ValueError(message)
    if "shortest_edge" in size and crop_pct is not None and not is_cropped:
        size_px = size["shortest_edge"]
        geometry: dict[str, Any] = {"size_px": size_px}
        if size_px < _CONVNEXT_SQUEEZES_FROM:
            geometry |= {"fit": "crop", "resize_px": int(size_px / crop_pct)}
    elif "shortest_edge" in size:
        geometry = {"size_px": crop["height"], "fit": "crop", "resize_px": size["shortest_edge"]}
    else:
        geometry = {"size_px": crop["height"] if is_cropped else size["height"], "resize_px": size["height"]}
    if geometry.get("resize_px") == geometry["size_px"]:
        del geometry["resize_px"]
    # Of intensities in 0..1, where the processor's are of 0..255 times the factor
    factor = 255 * processor.rescale_factor if processor.do_rescale else 255.0
    mean, std = processor.image_mean, processor.image_std
    if not processor.do_normalize or mean is None:
        mean, std = [0.0] * 3, [1.0] * 3
    channels = int(getattr(config, "num_channels", 3))
    if channels == 1:
        mean, std = mean[:1], std[:1]
    return Preprocessing(
        mean=tuple(value / factor for value in mean),
        std=tuple(value / factor for value in std),
        interpolation=_INTERPOLATIONS[int(processor.resample)],
        library="transformers",
        **geometry,
    )


def _sides(size: Any) -> dict[str, int]:
    """Return what a processor's size says; height and width must be the same."""
    sides = {} if size is None else {name: int(value) for name, value in dict(size).items() if value}
    if sides.get("height") != sides.get("width"):
        message = f"its pictures are {sides.get('height')} × {sides.get('width')}, not square"
        raise ValueError(message)
    return sides


def _check(path: Path, processor: Any, translated: Preprocessing, sidecar: Sidecar) -> None:
    """Refuse a translation that gives another input than the processor itself, on a picture taller than wide."""
    rows, columns = np.mgrid[0:301, 0:257]
    grey = ((rows * 3 + columns * 5 + rows * columns // 40) % 256).astype(np.uint8)
    picture = Image.fromarray(grey).convert("L" if translated.channels == 1 else "RGB")
    theirs = processor(images=picture, return_tensors="pt")["pixel_values"]
    ours = translated(grey)
    spread = 1 / min(translated.std)
    if theirs.shape != ours.shape or (theirs - ours).abs().max() > 1e-4 * spread:
        message = (
            f"{path}: its {type(processor).__name__} does more than resize, take the middle and normalise; put {sidecar.path} "
            f"beside it with the preprocessing that comes nearest"
        )
        if not sidecar.preprocessing:
            raise ModelError(message)
