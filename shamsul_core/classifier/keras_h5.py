"""The weights of the paper's authors: Keras 2's ``weights.h5`` (legacy HDF5) of a DenseNet-121 with 14 outputs.

Every array lies under a name such as ``conv2_block1_0_bn/gamma:0``, in groups by layer (Keras' ``saving/hdf5_format``).
Keras keeps convolution kernels height × width × in × out and adds 1.001e-5 to a batch norm's variance; its zero padding
before the pooling changes nothing, since no value there is negative.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch

from shamsul_core.classifier.architectures import DENSENET121, fill, set_epsilon
from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.checkpoint import refuse_swollen
from shamsul_core.classifier.errors import ModelError, what_is
from shamsul_core.classifier.network import DenseNet121
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.vocabulary import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

    Array = npt.NDArray[np.float32]

KERAS_EPSILON = 1.001e-5
_LAYER = re.compile(
    r"(?P<stem>conv1_(?:conv|bn))$"
    r"|conv(?P<block>[2-5])_block(?P<layer>\d+)_(?P<part>0_bn|1_conv|1_bn|2_conv)$"
    r"|pool(?P<pool>[2-4])_(?P<step>bn|conv)$"
    r"|(?P<last>(?:^|_)bn)$"
)
_PARTS = {"0_bn": "norm1", "1_conv": "conv1", "1_bn": "norm2", "2_conv": "conv2"}
_KINDS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def is_keras_weights(path: Path) -> bool:
    """Return whether a file is HDF5 with weights and without the network that they are of."""
    try:
        with h5py.File(path, "r") as file:
            return "model_config" not in file.attrs
    except OSError:
        return path.suffix in {".h5", ".hdf5"} and path.is_file()


def load_keras_weights(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of a legacy HDF5 weights file, its outputs in CheXpert's order.

    Raises
    ------
    ModelError
        If the file is no such one.
    """
    del sidecar, source
    try:
        refuse_swollen(path)
        with h5py.File(path, "r") as file:
            tensors = dict(_translated(_arrays(file)))
    except OSError as error:
        message = f"{path}: {what_is(path)}; expected Keras' weights in legacy HDF5"
        raise ModelError(message) from error
    outputs = len(tensors.get("classifier.bias", ()))
    if outputs != len(OBSERVATIONS):
        head = f"a head of {outputs} outputs" if outputs else "no head"
        message = (
            f"{path}: an HDF5 file with {head} and {len(tensors)} arrays of a DenseNet-121; expected Keras' weights of "
            f"a DenseNet-121 with CheXpert's {len(OBSERVATIONS)} outputs; of another network, save it whole: "
            f"model.save('model.keras')"
        )
        raise ModelError(message)
    network = DenseNet121(outputs)
    fill(network, tensors, f"{path} ({DENSENET121} of Keras)")
    set_epsilon(network, KERAS_EPSILON)
    return Content(
        network=network,
        name=path.name,
        architecture=DENSENET121,
        names=OBSERVATIONS,
        output="sigmoid",
        preprocessing=Preprocessing().to_json(),
    )


def _arrays(file: h5py.File) -> Iterator[tuple[str, Array]]:
    """Yield every array with its full name, without Keras' ``:0``."""
    arrays: list[tuple[str, Array]] = []

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            arrays.append((name.removesuffix(":0"), np.asarray(item, np.float32)))

    file.visititems(visit)
    yield from arrays


def _translated(arrays: Iterator[tuple[str, Array]]) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield torchvision's names and layouts; what belongs to no DenseNet-121 is left out."""
    for name, array in arrays:
        *parents, kind = name.split("/")
        if kind not in _KINDS:
            continue
        layer = _torch_layer("_".join(parents))
        if layer is None and kind in {"kernel", "bias"} and array.ndim == (2 if kind == "kernel" else 1):
            # The only dense layer, whatever its name
            layer = "classifier"
        if layer is None:
            continue
        layout = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim)
        value = array if layout is None else array.transpose(layout)
        yield f"{layer}.{_KINDS[kind]}", torch.from_numpy(np.ascontiguousarray(value))


def _torch_layer(name: str) -> str | None:
    match = _LAYER.search(name)
    if match is None:
        return None
    if match["stem"]:
        return "features." + {"conv1_conv": "conv0", "conv1_bn": "norm0"}[match["stem"]]
    if match["block"]:
        block = int(match["block"]) - 1
        return f"features.denseblock{block}.denselayer{match['layer']}.{_PARTS[match['part']]}"
    if match["pool"]:
        step = {"bn": "norm", "conv": "conv"}[match["step"]]
        return f"features.transition{int(match['pool']) - 1}.{step}"
    return "features.norm5"
