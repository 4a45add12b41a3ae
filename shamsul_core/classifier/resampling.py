"""Resizing as the libraries do it that networks were trained with, each to the last grey level.

Pillow and torchvision round an 8-bit picture to grey levels again, torch in floating point does not, and scikit-image
blurs before it interpolates. Pictures of 16 bits, which these libraries' users turn into 8 first, are resized in
floating point by all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Grey: TypeAlias = npt.NDArray[np.uint8 | np.uint16]
    Size: TypeAlias = tuple[int, int]

Interpolation: TypeAlias = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Library: TypeAlias = Literal["torch", "pillow", "transformers", "torchxrayvision"]


def resample(pixels: Grey, size: Size, interpolation: Interpolation, library: Library) -> torch.Tensor:
    """Return intensities in 0..1, float32, 1 × 1 × h × w, of grey levels H × W.

    Parameters
    ----------
    size
        Height and width wanted.
    library
        ``"torch"``: ``F.interpolate`` in floating point. ``"pillow"``: ``Image.resize``, as torchvision's transforms on
        Pillow's images, timm, open_clip and Keras call it. ``"transformers"``: ``torchvision.transforms.v2`` on 8-bit
        tensors, as transformers' image processors call it. ``"torchxrayvision"``: ``skimage.transform.resize``.
    """
    return _RESAMPLERS[library](pixels, size, interpolation)


def intensities(pixels: Grey) -> torch.Tensor:
    """Return intensities in 0..1, float32, 1 × 1 × H × W, of grey levels H × W."""
    # torch resizes no uint16; the division is the same in float32
    return torch.as_tensor(pixels.astype(np.float32))[None, None] / float(np.iinfo(pixels.dtype).max)


def _by_torch(pixels: Grey, size: Size, interpolation: Interpolation) -> torch.Tensor:
    if interpolation not in {"bilinear", "bicubic"}:
        # Of the four, torch resizes by these two alone with antialiasing
        return _by_pillow(pixels, size, interpolation)
    return F.interpolate(
        intensities(pixels), size, mode=interpolation, align_corners=False, antialias=True
    ).clamp_(0, 1)


def _by_pillow(pixels: Grey, size: Size, interpolation: Interpolation) -> torch.Tensor:
    # Pillow resizes 16 bits in floating point
    image = Image.fromarray(pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32))
    resized = np.asarray(image.resize(size[::-1], Image.Resampling[interpolation.upper()]), np.float32)
    return torch.from_numpy(resized / np.float32(np.iinfo(pixels.dtype).max))[None, None].clamp_(0, 1)


def _by_torchvision(pixels: Grey, size: Size, interpolation: Interpolation) -> torch.Tensor:
    from torchvision.transforms.v2 import functional
    from torchvision.transforms.v2.functional import InterpolationMode

    is_8_bit = pixels.dtype == np.uint8
    image = torch.as_tensor(pixels)[None] if is_8_bit else intensities(pixels)[0]
    # Three channels, since torch takes another path for one
    resized = functional.resize(
        image.expand(3, -1, -1).contiguous(),
        list(size),
        interpolation=InterpolationMode(interpolation),
        antialias=True,
    )[:1]
    intensity: torch.Tensor = resized.float() / 255 if is_8_bit else resized
    return intensity.clamp(0, 1)[None]


def _by_scikit_image(pixels: Grey, size: Size, interpolation: Interpolation) -> torch.Tensor:
    from skimage.transform import resize

    order = {"nearest": 0, "bilinear": 1, "bicubic": 3, "lanczos": 3}[interpolation]
    # The library resizes what runs from -1024 to 1024 and takes 0, the middle, for what lies beyond the picture
    resized = resize(intensities(pixels)[0, 0].numpy(), size, order=order, mode="constant", cval=0.5)
    return torch.from_numpy(resized.astype(np.float32))[None, None]


_RESAMPLERS: dict[Library, Callable[[Grey, Size, Interpolation], torch.Tensor]] = {
    "torch": _by_torch,
    "pillow": _by_pillow,
    "transformers": _by_torchvision,
    "torchxrayvision": _by_scikit_image,
}
