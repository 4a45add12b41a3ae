"""From a radiograph's pixels to the network's input, exactly as in training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a network wants its radiographs; travels with the weights.

    The whole radiograph is squeezed into a square, never cropped, so that a heatmap covers all of it.

    Parameters
    ----------
    size_px
        Side of the square input, 32 to 4096.
    mean, std
        Per channel (red, green, blue), of intensities in 0..1; by default ImageNet's.
    """

    size_px: int = 224
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def __post_init__(self) -> None:
        if not 32 <= self.size_px <= 4096 or len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            message = f"unusable preprocessing: {self}"
            raise ValueError(message)

    def resize(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> torch.Tensor:
        """Return intensities in 0..1, float32, 1 × 1 × size × size, of grey levels H × W; bilinear, antialiased."""
        # torch resizes no uint16; the division is the same in float32
        intensities = torch.as_tensor(pixels.astype(np.float32))[None, None] / float(
            np.iinfo(pixels.dtype).max
        )
        size = (self.size_px, self.size_px)
        return F.interpolate(intensities, size, mode="bilinear", align_corners=False, antialias=True)

    def normalise(self, intensities: torch.Tensor) -> torch.Tensor:
        """Return the network's input, float32, N × 3 × size × size, of intensities N × 1 × size × size."""
        mean, std = (intensities.new_tensor(values).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return (intensities - mean) / std

    def __call__(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> torch.Tensor:
        """Return the network's input, float32, 1 × 3 × size × size, of grey levels H × W."""
        return self.normalise(self.resize(pixels))

    def to_json(self) -> dict[str, Any]:
        """Return a plain dictionary for a file's metadata."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Preprocessing:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If a field is unknown, missing or unusable.
        """
        names = [field.name for field in fields(cls)]
        unknown = [name for name in stored if name not in names]
        missing = [name for name in names if name not in stored]
        if unknown or missing:
            what = f"has no {unknown[0]!r}" if unknown else f"lacks {missing[0]!r}"
            message = f"preprocessing {what}; its fields are {', '.join(names)}"
            raise ValueError(message)
        for name in ("mean", "std"):
            if not isinstance(stored[name], list | tuple) or not all(map(_is_number, stored[name])):
                message = f"{name} is {stored[name]!r}, not three numbers, of red, green and blue"
                raise ValueError(message)
        if not _is_number(stored["size_px"]):
            message = f"size_px is {stored['size_px']!r}, not a number of pixels"
            raise ValueError(message)
        return cls(size_px=int(stored["size_px"]), mean=tuple(stored["mean"]), std=tuple(stored["std"]))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
