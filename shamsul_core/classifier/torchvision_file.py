"""State dicts of torchvision's classifiers: which one it is, and how many outputs it has, is told from the keys.

Names under a prefix (``module.``, ``model.``, ``densenet121.``) are looked for there, heads that are a Sequential are read,
see `shamsul_core.classifier.heads`, a vision transformer's image size is told from its positions, and DenseNet's names of
before 2017 are read as torchvision itself does. What cannot be told stands in the sidecar, see
`shamsul_core.classifier.sidecar`; without one, radiographs are squeezed into 224 pixels (or the transformer's own size) and
normalised as ImageNet's photographs are.
"""

from __future__ import annotations

import re
from math import isqrt
from typing import TYPE_CHECKING

import torch
import torchvision

from shamsul_core.classifier.architectures import VISION_TRANSFORMER, build, check_name, fill
from shamsul_core.classifier.assembly import Content
from shamsul_core.classifier.checkpoint import Checkpoint, beneath, read_checkpoint
from shamsul_core.classifier.errors import ModelError
from shamsul_core.classifier.heads import read_head
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.classifier.timm_model import content_of_training, is_of_timms_training
from shamsul_core.messages import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shamsul_core.classifier.sidecar import Sidecar
    from shamsul_core.classifier.source import ModelSource

    Tensors = Mapping[str, torch.Tensor]
    Shapes = Mapping[str, tuple[int, ...]]

_FAMILIES = {
    "features.denseblock1.": ("densenet",),
    "layer1.0.conv1.": ("resnet", "resnext", "wide_resnet"),
    "encoder.layers.encoder_layer_0.": ("vit_",),
    "features.1.0.attn.": ("swin_",),
    "features.1.0.layer_scale": ("convnext_",),
    "features.1.0.block.": ("efficientnet_",),
    "features.1.block.": ("mobilenet_v3_",),
    "features.1.conv.": ("mobilenet_v2",),
    "features.3.squeeze.": ("squeezenet",),
    "features.0.": ("vgg", "alexnet"),
    "trunk_output.": ("regnet_",),
    "stage2.0.": ("shufflenet_",),
    "layers.0.": ("mnasnet",),
    "Mixed_5b.": ("inception_v3",),
    "inception3a.": ("googlenet",),
}
"""What tells the families apart: how a key begins, and how torchvision's names of the family's members do."""

_POSITIONS = "encoder.pos_embedding"
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")


def load_state_dict(path: Path, sidecar: Sidecar, source: ModelSource) -> Content:
    """Return the content of a state dict, read without executing anything.

    Raises
    ------
    ModelError
        If it cannot be read, or it is not told what it is of.
    """
    del source
    checkpoint = read_checkpoint(path)
    if is_of_timms_training(checkpoint):
        return content_of_training(checkpoint, path)
    return content_of(checkpoint, path, sidecar)


def content_of(checkpoint: Checkpoint, path: Path, sidecar: Sidecar) -> Content:
    """Return the content of tensors that are some network's of torchvision.

    Raises
    ------
    ModelError
        If they are of none.
    """
    tensors = {_OLD_DENSENET.sub(r"\1\2", name): value for name, value in checkpoint.tensors.items()}
    told = _named(sidecar, tensors) if sidecar.architecture else _told(tensors)
    if told is None:
        examples = ", ".join(quoted(name) for name in list(tensors)[:3])
        message = (
            f"{path}: the names of its weights ({examples}, ...) are those of no classifier of torchvision; if they are "
            f'one\'s, say which in {sidecar.path} as "architecture"; of any other network, give FILE.py:FUNCTION that builds it'
        )
        raise ModelError(message)
    architecture, shapes, own = told
    _refuse_leftovers(path, tensors, own)
    head = read_head(path, own, shapes, sidecar.head_activation, sidecar.path)
    stem = own.get(_stem(shapes))
    channels = 3 if stem is None else stem.shape[1]
    if channels != 3 and "mean" not in sidecar.preprocessing:
        message = (
            f"{path}: its network takes {channels} channels, not three; say how it wants them in {sidecar.path}: "
            f'{{"preprocessing": {{"size_px": 224, "mean": [...], "std": [...]}}}}'
        )
        raise ModelError(message)
    preprocessing = Preprocessing(size_px=_size_px(architecture, own, shapes) or Preprocessing().size_px)
    network = build(
        architecture,
        head.outputs or 1,
        channels=channels,
        size_px=preprocessing.size_px,
        head=(head.place, head.module),
    )
    fill(network, head.tensors, f"{path} ({architecture} with {head.outputs} outputs)")
    return Content(
        network=network,
        name=path.name,
        architecture=architecture,
        names=checkpoint.names,
        # As it was before sidecars could say so, and as most models of radiographs are
        output="sigmoid" if sidecar.pathologies and sidecar.architecture else None,
        preprocessing=preprocessing.to_json(),
        definition=head.definition,
    )


def _told(tensors: Tensors) -> tuple[str, Shapes, dict[str, torch.Tensor]] | None:
    """Return the architecture that tensors are of, its shapes, and those tensors that are its own, by its names."""
    for own in beneath(tensors):
        begins = [family for family in _FAMILIES if any(name.startswith(family) for name in own)]
        for architecture in _members(begins[0]) if begins else ():
            shapes = _shapes(architecture)
            body = [name for name in shapes if not name.startswith(f"{_head(shapes)}.")]
            if all(name in own for name in body) and _are_alike(architecture, own, shapes, body):
                return architecture, shapes, own
    return None


def _named(sidecar: Sidecar, tensors: Tensors) -> tuple[str, Shapes, dict[str, torch.Tensor]]:
    """Return the architecture that a sidecar names, its shapes, and the tensors under the prefix that suits it best."""
    architecture = str(sidecar.architecture)
    try:
        check_name(architecture)
    except ModelError as error:
        message = f"{sidecar.path}: {error}"
        raise ModelError(message) from error
    shapes = _shapes(architecture)
    return architecture, shapes, max(beneath(tensors), key=lambda own: len(shapes.keys() & own.keys()))


def _members(begin: str) -> list[str]:
    names = torchvision.models.list_models(module=torchvision.models)
    members = [name for name in names if name.startswith(_FAMILIES[begin])]
    # The smallest first, which most people train and which are built fastest
    return sorted(members, key=lambda name: (len(name), name))


def _shapes(architecture: str) -> Shapes:
    """Return the shape of everything in a network's state dict, but of what counts batches, in its order."""
    try:
        with torch.device("meta"):
            network = torchvision.models.get_model(architecture, weights=None)
    except NotImplementedError:
        # RegNet works out its widths with tensors
        network = torchvision.models.get_model(architecture, weights=None)
    return {
        name: tuple(value.shape)
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def _head(shapes: Shapes) -> str:
    """Return the name of the last layer."""
    return list(shapes)[-1].rpartition(".")[0]


def _stem(shapes: Shapes) -> str:
    """Return the name of the first convolution's weights, which alone depend on the channels of the input."""
    return next(name for name, shape in shapes.items() if len(shape) == 4)


def _are_alike(architecture: str, own: Tensors, shapes: Shapes, body: list[str]) -> bool:
    """Return whether all tensors before the head are of the same shapes, channels and size of the input aside."""
    stem = _stem(shapes)
    free = {stem} if _size_px(architecture, own, shapes) is None else {stem, _POSITIONS}
    return all(tuple(own[name].shape) == shapes[name] for name in body if name not in free) and (
        own[stem].shape[2:] == shapes[stem][2:]
    )


def _size_px(architecture: str, own: Tensors, shapes: Shapes) -> int | None:
    """Return the side of a vision transformer's input, of whose square patches each has a position, the class token too.

    ``None`` for other networks, and where the positions are of no square.
    """
    positions = own.get(_POSITIONS)
    if not architecture.startswith(VISION_TRANSFORMER) or positions is None or positions.ndim != 3:
        return None
    side = isqrt(max(positions.shape[1] - 1, 0))
    is_square = side > 0 and (1, side**2 + 1, shapes[_POSITIONS][2]) == tuple(positions.shape)
    return side * shapes[_stem(shapes)][-1] if is_square else None


def _refuse_leftovers(path: Path, tensors: Tensors, own: Tensors) -> None:
    """Refuse a file in which another part of the network lies beside what was recognised."""
    ids = {id(value) for value in own.values()}
    beside = [name for name, value in tensors.items() if id(value) not in ids and value.ndim > 1]
    if beside:
        message = (
            f"{path}: besides the network's own, it has unexpected {', '.join(map(quoted, beside[:3]))}: a head of its "
            f"own? Give FILE.py:FUNCTION that builds the whole network"
        )
        raise ModelError(message)
