"""From a radiograph's pixels to the network's input, exactly as in training."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import torch
import torch.nn.functional as F

from shamsul_core.classifier.resampling import Interpolation, Library, resample
from shamsul_core.heatmap import WHOLE, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

Fit: TypeAlias = Literal["squeeze", "crop", "pad"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_ALWAYS_SAID = ("size_px", "mean", "std")
"""What stood in the files, and decided fingerprints, before the other fields came."""

_CHOICES = {"fit": get_args(Fit), "interpolation": get_args(Interpolation), "library": get_args(Library)}


@dataclass(frozen=True, kw_only=True, repr=False)
class Preprocessing:
    """How a network wants its radiographs; travels with the weights.

    Parameters
    ----------
    size_px
        Side of the square input, 32 to 4096.
    mean, std
        Of intensities in 0..1, for each channel of the input: red, green, blue, or one; by default ImageNet's.
    fit
        How a radiograph becomes a square. ``"squeeze"``: its sides are resized to `resize_px` each; ``"crop"``: its
        shorter side is, and the longer one in proportion; the middle `size_px` × `size_px` are taken of either.
        ``"pad"``: its longer side is resized to `size_px`, and black is added on both sides of the shorter one.
    resize_px
        What a side is resized to before the middle is taken; `size_px` where ``None``.
    interpolation, library
        See `shamsul_core.classifier.resampling.resample`. The library also decides how half a pixel is rounded where
        the middle is taken; torchxrayvision takes the middle square before it resizes.
    """

    size_px: int = 224
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    fit: Fit = "squeeze"
    resize_px: int | None = None
    interpolation: Interpolation = "bilinear"
    library: Library = "torch"

    def __post_init__(self) -> None:
        is_sized = 32 <= self.size_px <= self._resize_px <= 4096
        is_scaled = len(self.mean) == len(self.std) in {1, 3} and min(self.std) > 0
        is_chosen = all(getattr(self, name) in choices for name, choices in _CHOICES.items())
        if not (is_sized and is_scaled and is_chosen):
            message = f"unusable preprocessing: {self}"
            raise ValueError(message)

    def __repr__(self) -> str:
        """Name every field whose value is not the only one that there once was; fingerprints are made of this."""
        return f"Preprocessing({', '.join(f'{name}={value!r}' for name, value in self._said().items())})"

    @property
    def _resize_px(self) -> int:
        return self.size_px if self.resize_px is None else self.resize_px

    @property
    def channels(self) -> int:
        """Number of the input's channels, 1 or 3."""
        return len(self.mean)

    def field(self, shape: tuple[int, ...]) -> Field:
        """Return which part of a radiograph H × W the network sees."""
        if self.fit == "crop" and self.library == "torchxrayvision":
            height, width = shape
            size = min(height, width)
            top, left = height // 2 - size // 2, width // 2 - size // 2
        else:
            (height, width), size = self._resized(shape), self.size_px
            top, left = (self._margin(side) for side in (height, width))
        field = (top / height, left / width, (top + size) / height, (left + size) / width)
        return WHOLE if field == WHOLE else field

    def resize(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> torch.Tensor:
        """Return intensities in 0..1, float32, 1 × 1 × size × size, of grey levels H × W; see `fit`."""
        if self.fit == "crop" and self.library == "torchxrayvision":
            height, width = pixels.shape
            size = min(height, width)
            top, left = height // 2 - size // 2, width // 2 - size // 2
            square = pixels[top : top + size, left : left + size]
            return resample(square, (self.size_px, self.size_px), self.interpolation, self.library)
        height, width = self._resized(pixels.shape)
        whole = resample(pixels, (height, width), self.interpolation, self.library)
        top, left = self._margin(height), self._margin(width)
        bottom, right = top + self.size_px - height, left + self.size_px - width
        # Takes off where a margin is positive, adds black where it is negative
        return F.pad(whole, (-left, right, -top, bottom))

    def normalise(self, intensities: torch.Tensor) -> torch.Tensor:
        """Return the network's input, float32, N × C × size × size, of intensities N × 1 × size × size."""
        mean, std = (intensities.new_tensor(values).view(1, -1, 1, 1) for values in (self.mean, self.std))
        return (intensities - mean) / std

    def __call__(self, pixels: npt.NDArray[np.uint8 | np.uint16]) -> torch.Tensor:
        """Return the network's input, float32, 1 × C × size × size, of grey levels H × W."""
        return self.normalise(self.resize(pixels))

    def _resized(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return height and width to which the whole radiograph is resized."""
        height, width = shape
        shorter, longer = sorted((height, width))
        if self.fit == "squeeze":
            return self._resize_px, self._resize_px
        if self.fit == "crop":
            short, long = self._resize_px, int(self._resize_px * longer / shorter)
        else:
            short, long = max(1, round(self.size_px * shorter / longer)), self.size_px
        return (short, long) if height <= width else (long, short)

    def _margin(self, side: int) -> int:
        """Return what is cut off before the middle of a side; negative where something is added."""
        excess = side - self.size_px
        # Python rounds half to even, as torchvision's CenterCrop does
        return round(excess / 2) if self.library == "pillow" else excess // 2

    def _said(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        defaults = {field.name: field.default for field in fields(self)}
        return {
            name: value
            for name, value in values.items()
            if name in _ALWAYS_SAID or value != defaults.get(name, MISSING)
        }

    def to_json(self) -> dict[str, Any]:
        """Return a plain dictionary for a file's metadata; it leaves out what did not always exist and is as ever."""
        return self._said()

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
        missing = [name for name in _ALWAYS_SAID if name not in stored]
        if unknown or missing:
            what = f"has no {unknown[0]!r}" if unknown else f"lacks {missing[0]!r}"
            message = f"preprocessing {what}; its fields are {', '.join(names)}"
            raise ValueError(message)
        for name in ("mean", "std"):
            if not _is_one_or_three(stored[name]):
                message = f"{name} is {stored[name]!r}, not three numbers, of red, green and blue, or one"
                raise ValueError(message)
        for name in ("size_px", "resize_px"):
            if not (_is_number(stored.get(name)) or (name == "resize_px" and stored.get(name) is None)):
                message = f"{name} is {stored[name]!r}, not a number of pixels"
                raise ValueError(message)
        for name, choices in _CHOICES.items():
            if name in stored and stored[name] not in choices:
                message = f"{name} is {stored[name]!r}, not one of {', '.join(choices)}"
                raise ValueError(message)
        return cls(**{name: _plain(value) for name, value in stored.items()})


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else int(value) if _is_number(value) else value


def _is_one_or_three(values: object) -> bool:
    return isinstance(values, list | tuple) and len(values) in {1, 3} and all(map(_is_number, values))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
