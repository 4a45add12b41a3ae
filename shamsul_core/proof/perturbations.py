"""Changes of a radiograph that change nothing in it, and how a map is brought back from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.heatmap import Field, FloatArray

    Pixels = npt.NDArray[np.uint8 | np.uint16]
    Matrix = npt.NDArray[np.float64]

SHIFT_PX, ROTATION_DEGREES, NOISE, JPEG_QUALITY = 2, 1, 0.01, 75
"""Of the network's input; anticlockwise; standard deviation over the radiograph's grey range; libjpeg's."""


@dataclass(frozen=True, eq=False)
class Perturbation:
    """A radiograph changed slightly.

    Parameters
    ----------
    name
        For people.
    pixels
        Of the type and shape of the radiograph.
    moved
        Where the network's input went, 2 × 3, in its pixels' middles (x, y); ``None`` where nothing moved.
    """

    name: str
    pixels: Pixels
    moved: Matrix | None = None

    def bring_back(self, relevance: FloatArray) -> FloatArray:
        """Return a map of the changed radiograph, size × size, where it would lie on the radiograph itself."""
        if self.moved is None:
            return relevance
        # Looked up where each place went
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return _warped(relevance, self.moved, flags)


def perturbations(pixels: Pixels, field: Field, size_px: int, seed: int) -> list[Perturbation]:
    """Return a radiograph shifted, rotated, with detector noise, and after JPEG.

    Parameters
    ----------
    pixels
        uint8 or uint16, H × W.
    field, size_px
        What of it the network sees, and in how many pixels a side.
    seed
        Of the noise.
    """
    height, width = pixels.shape
    to_input = _to_input(field, (height, width), size_px)
    shift = np.eye(3)
    shift[:2, 2] = SHIFT_PX
    shift = np.linalg.inv(to_input) @ shift @ to_input
    rotation = np.eye(3)
    rotation[:2] = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), ROTATION_DEGREES, 1.0)
    return [
        _moved(f"shift of {SHIFT_PX} pixels", pixels, shift, to_input),
        _moved(f"rotation of {ROTATION_DEGREES}°", pixels, rotation, to_input),
        Perturbation("detector noise", _noisy(pixels, seed)),
        Perturbation(f"JPEG, quality {JPEG_QUALITY}", _jpeg(pixels)),
    ]


def _to_input(field: Field, shape: tuple[int, int], size_px: int) -> Matrix:
    """Return how places of a radiograph lie on the network's input, 3 × 3, from pixels' middles to pixels' middles."""
    top, left, bottom, right = field
    height, width = shape
    across, down = size_px / (width * (right - left)), size_px / (height * (bottom - top))
    return np.array(
        [
            [across, 0, across * (0.5 - left * width) - 0.5],
            [0, down, down * (0.5 - top * height) - 0.5],
            [0, 0, 1],
        ]
    )


def _moved(name: str, pixels: Pixels, matrix: Matrix, to_input: Matrix) -> Perturbation:
    on_input = to_input @ matrix @ np.linalg.inv(to_input)
    return Perturbation(name, _warped(pixels, matrix[:2], cv2.INTER_LINEAR), on_input[:2])


def _warped(values: npt.NDArray[Any], matrix: Matrix, flags: int) -> npt.NDArray[Any]:
    """Return values h × w as a 2 × 3 matrix moves them; what comes in repeats the border."""
    height, width = values.shape
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(values, matrix, (width, height), flags=flags, borderMode=border))


def _noisy(pixels: Pixels, seed: int) -> Pixels:
    span = float(pixels.max()) - float(pixels.min())
    noise = np.random.default_rng(seed).normal(0, NOISE * span, pixels.shape)
    return _as(pixels, pixels + noise)


def _jpeg(pixels: Pixels) -> Pixels:
    """Compress a radiograph's grey range, in 8 bits."""
    low, high = float(pixels.min()), float(pixels.max())
    scale = max(high - low, 1.0) / 255
    _, content = cv2.imencode(
        ".jpg",
        np.rint((pixels - low) / scale).astype(np.uint8),
        [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    )
    decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.float64)
    return _as(pixels, decoded * scale + low)


def _as(pixels: Pixels, values: npt.NDArray[np.floating]) -> Pixels:
    most = np.iinfo(pixels.dtype).max
    return np.asarray(np.clip(np.rint(values), 0, most), pixels.dtype)
