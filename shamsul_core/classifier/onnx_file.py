"""ONNX files: as a torch network where onnx2torch can make one, else run by ONNX Runtime, which gives no gradients.

A last sigmoid or softmax is taken off, so that logits remain. ONNX does not say how radiographs become its input; what the
sidecar leaves out is as for torchvision's networks.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.checkpoint import refuse_swell
from shamsul_core.classifier.errors import ModelError, first_line
from shamsul_core.classifier.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from shamsul_core.extras import need
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.classifier.outputs import OutputKind
    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

_OUTPUTS: dict[str, OutputKind] = {"Sigmoid": "sigmoid", "Softmax": "softmax"}
_NAMES = ("names", "class_names", "classes", "labels")
_AGREEMENT = 1e-3
"""By how much, of the logits' size, the converted network may differ from ONNX Runtime before it is not trusted."""


class OnnxRuntimeNetwork(nn.Module):
    """A network that ONNX Runtime computes, on the processor and in float32.

    Parameters
    ----------
    content
        The ONNX file's bytes, as `load_onnx` changed it.
    reason
        Why torch cannot run it.
    """

    has_fixed_precision = True

    def __init__(self, content: bytes, reason: str) -> None:
        super().__init__()
        import onnxruntime

        self.without_gradients = f"ONNX Runtime runs this network, since {reason}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits N × C of a batch N × channels × size × size."""
        pictures = batch.detach().float().cpu().numpy()
        # Some files take one picture at a time
        step = self._input.shape[0] if isinstance(self._input.shape[0], int) else len(pictures)
        parts = [
            self._session.run(None, {self._input.name: np.ascontiguousarray(pictures[start : start + step])})[
                0
            ]
            for start in range(0, len(pictures), step)
        ]
        return torch.from_numpy(np.concatenate(parts)).to(batch.device)


class ChannelsFirst(nn.Module):
    """A network that takes its channels last, as TensorFlow's do, to be given them first.

    Parameters
    ----------
    network
        N × size × size × channels in, N × C logits out.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return logits N × C of a batch N × channels × size × size."""
        logits: torch.Tensor = self.network(batch.permute(0, 2, 3, 1))
        return logits


def is_onnx(path: Path) -> bool:
    """Return whether a file is to be taken for ONNX, whose content begins as many a protocol buffer's does."""
    return path.is_file() and path.suffix == ".onnx"


def load_onnx(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of an ONNX file.

    Raises
    ------
    ModelError
        If it is none, or not a classifier of one square picture.
    MissingExtraError
        If the libraries are not installed.
    """
    del sidecar, source
    need("onnx")
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
        _refuse_swollen(path, model)
        onnx.load_external_data_for_model(model, str(path.parent))
        onnx.checker.check_model(model)
        size_px, channels, is_channels_last = _input_of(model)
        output = _cut(model)
        content = model.SerializeToString()
    except ModelError:
        raise
    except Exception as error:
        message = f"{path}: not an ONNX classifier of one square picture ({first_line(error)[:200]})"
        raise ModelError(message) from error
    known: dict[str, Any] = {} if size_px is None else {"size_px": size_px}
    if channels == 3:
        known = {"size_px": 224, "mean": IMAGENET_MEAN, "std": IMAGENET_STD} | known
    side = size_px or 224
    shape = (side, side, channels) if is_channels_last else (channels, side, side)
    network = _network(path, model, content, shape)
    return Content(
        network=ChannelsFirst(network) if is_channels_last else network,
        name=path.name,
        architecture=f"ONNX {model.graph.name}"[:60],
        names=_names(model),
        output=output,
        preprocessing=known,
        definition=hashlib.sha256(content).hexdigest(),
    )


def _refuse_swollen(path: Path, model: Any) -> None:
    """Refuse a model whose tensors lie in files beside it and together say to be far more than these have bytes.

    A tensor that names no length is all of its file from where it begins.
    """
    from onnx.external_data_helper import ExternalDataInfo, _get_all_tensors, uses_external_data

    tensors = [ExternalDataInfo(one) for one in _get_all_tensors(model) if uses_external_data(one)]
    files = {one.location: (path.parent / one.location).stat().st_size for one in tensors}
    size = sum(one.length or files[one.location] for one in tensors)
    refuse_swell(path, "an ONNX file with tensors beside it", size, path.stat().st_size + sum(files.values()))


def _input_of(model: Any) -> tuple[int | None, int, bool]:
    """Return of the only input the size (``None`` where it is free), the channels, and whether they come last.

    Raises
    ------
    ValueError
        If there are others, or it is no square picture.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    shapes = [[size.dim_value for size in value.type.tensor_type.shape.dim] for value in inputs]
    if len(shapes) == 1 and len(shapes[0]) == 4:
        _, first, second, third = shapes[0]
        if first in {1, 3} and second == third:
            return second or None, first, False
        if third in {1, 3} and first == second:
            return first or None, third, True
    message = f"its input is {shapes}, expected N × 3 × size × size, N × 1 × size × size, or the same with the channels last"
    raise ValueError(message)


def _cut(model: Any) -> OutputKind | None:
    """Take a last sigmoid or softmax off; return which it was."""
    (output,) = model.graph.output
    last = next(node for node in model.graph.node if output.name in node.output)
    kind = _OUTPUTS.get(last.op_type)
    if kind is not None:
        model.graph.node.remove(last)
        output.name = last.input[0]
    return kind


def _names(model: Any) -> list[object]:
    """Return the outputs' names, where the file's metadata have them as JSON."""
    stored = {entry.key: entry.value for entry in model.metadata_props}
    for key in _NAMES:
        try:
            names = json.loads(stored[key])
        except (KeyError, ValueError, RecursionError):
            continue
        if isinstance(names, list):
            return names
    return []


def _network(path: Path, model: Any, content: bytes, shape: tuple[int, int, int]) -> nn.Module:
    """Return a torch network that agrees with ONNX Runtime on random input, else one that ONNX Runtime runs."""
    from onnx2torch import convert

    try:
        runtime = OnnxRuntimeNetwork(content, "")
    except Exception as error:
        message = f"{path}: ONNX Runtime cannot run it ({first_line(error)[:200]})"
        raise ModelError(message) from error
    batch = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    try:
        network: nn.Module = convert(model).eval()
        with torch.inference_mode():
            theirs, ours = runtime(batch), network(batch)
        if (ours - theirs).abs().max() <= _AGREEMENT * max(1.0, float(theirs.abs().max())):
            return network
        reason = "onnx2torch makes another network of it"
    except Exception as error:  # noqa: BLE001 - whatever onnx2torch has against it, ONNX Runtime can run it
        reason = f"onnx2torch cannot make it one of torch: {quoted(first_line(error))}"
    return OnnxRuntimeNetwork(content, reason)
