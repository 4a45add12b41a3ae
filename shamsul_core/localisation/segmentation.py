"""From a heatmap to a mask at the radiograph's own size, as CheXlocalize does it.

Saporta et al., Nature Machine Intelligence 2022, and the authors' ``heatmap_to_segmentation.py``:

1. bilinear resize to the radiograph (half-pixel centres, edges clamped; torch's ``align_corners=False``),
2. scaled to 0..1; Otsu's threshold on 256 grey levels, or ``value > t`` where a threshold t is given,
3. with Otsu, the outlines of the thresholded map are filled, and with them its holes; single pixels are dropped,
4. an empty mask where a probability cutoff is given and the prediction is below it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shamsul_core.heatmap import FloatArray, Heatmap

Mask: TypeAlias = npt.NDArray[np.bool_]
Grey: TypeAlias = npt.NDArray[np.uint8]
Sign: TypeAlias = Literal["signed", "positive", "absolute"]

_SIGNS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "signed": lambda relevance: relevance,
    "positive": lambda relevance: relevance if relevance.min() >= 0 else np.maximum(relevance, 0),
    "absolute": np.abs,
}


_WIDEST_SMOOTHING = 1000
"""Side of the largest smoothing box, in pixels."""


@dataclass(frozen=True, kw_only=True)
class SegmentationSettings:
    """How heatmaps become masks.

    Parameters
    ----------
    sign
        What of a signed heatmap counts, before anything else: ``"signed"``, all as it is, which puts zero relevance
        in the middle of the grey range; ``"positive"``, what speaks for the pathology; ``"absolute"``.
    thresholds
        Of the map scaled to 0..1, by pathology, or by ``method/pathology`` for one method's maps, which comes first;
        Otsu's for those not named.
    probability_cutoffs
        By pathology, 0..1; where the predicted probability is below it, the mask is empty.
    smoothing
        Side of CheXlocalize's smoothing box in pixels, 0 for none; only with Otsu.
    """

    sign: Sign = "positive"
    thresholds: Mapping[str, float] | None = None
    probability_cutoffs: Mapping[str, float] | None = None
    smoothing: int = 0

    def __post_init__(self) -> None:
        if self.sign not in _SIGNS or not 0 <= self.smoothing <= _WIDEST_SMOOTHING:
            message = f"no such segmentation: sign {self.sign!r}, smoothing {self.smoothing}"
            raise ValueError(message)
        for levels in (self.thresholds, self.probability_cutoffs):
            if levels is not None and not all(isinstance(level, int | float) for level in levels.values()):
                message = "no such segmentation: a threshold is not a number"
                raise ValueError(message)

    def threshold(self, method: str, pathology: str) -> float | None:
        """Return the threshold of a method's maps of a pathology, of the map scaled to 0..1; ``None`` for Otsu's."""
        thresholds = self.thresholds or {}
        return thresholds.get(f"{method}/{pathology}", thresholds.get(pathology))

    def to_json(self) -> dict[str, Any]:
        """Return a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SegmentationSettings:
        """Read what `to_json` wrote."""
        return cls(**stored)


PRESETS = {"paper": SegmentationSettings(sign="signed"), "default": SegmentationSettings()}
"""``"paper"`` is CheXlocalize's rule on the signed map; ``"default"`` takes its positive part first."""


@dataclass(frozen=True)
class Segmentation:
    """A mask and the threshold that made it.

    Parameters
    ----------
    mask
        bool, H × W of the radiograph.
    threshold
        Of the map scaled to 0..1; NaN where none was applied.
    reason
        Why the mask is empty, ``None`` where it is not.
    """

    mask: Mask
    threshold: float
    reason: str | None = None


def segment(
    heatmap: Heatmap,
    size: tuple[int, int],
    settings: SegmentationSettings,
    *,
    probability: float | None = None,
    scaled: FloatArray | str | None = None,
) -> Segmentation:
    """Turn a heatmap into a mask; one that is a mask already stays as it is.

    Parameters
    ----------
    size
        Height and width of the radiograph.
    probability
        Predicted for the heatmap's pathology; wanted only where there is a cutoff.
    scaled
        What `scale` makes of the heatmap, where it is there already.

    Raises
    ------
    ValueError
        If the relevance is not a map of finite numbers, or `size` has no pixels.
    """
    cutoff = (settings.probability_cutoffs or {}).get(heatmap.pathology)
    if cutoff is not None and probability is not None and probability < cutoff:
        _check(heatmap.relevance.shape, size)
        return _empty(size, f"predicted probability {probability:.2f} is below the cutoff {cutoff:.2f}")
    if heatmap.is_mask:
        _check(heatmap.relevance.shape, size)
        mask = cv2.resize(heatmap.relevance, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT) > 0
        return _segmentation(np.asarray(mask, bool), float("nan"), "nothing was marked")
    scaled = scale(heatmap, size, settings.sign) if scaled is None else scaled
    if isinstance(scaled, str):
        return _empty(size, scaled)
    threshold = settings.threshold(heatmap.method, heatmap.pathology)
    if threshold is not None:
        return _segmentation(scaled > threshold, float(threshold), "nothing exceeds the threshold")
    return _otsu(scaled, settings.smoothing)


def scale(
    heatmap: Heatmap, size: tuple[int, int], sign: Sign, *, resized: FloatArray | None = None
) -> FloatArray | str:
    """Bring a heatmap to a radiograph's size and to 0..1.

    Parameters
    ----------
    size
        Height and width of the radiograph.
    resized
        What `resize` makes of the relevance, where it is there already; left as it is.
    sign
        As in `SegmentationSettings`.

    Returns
    -------
    numpy.ndarray or str
        float32, H × W, from 0 to 1; or why there is nothing to scale.

    Raises
    ------
    ValueError
        If the relevance is not a map of finite numbers, or `size` has no pixels.
    """
    relevance = heatmap.relevance
    _check(relevance.shape, size)
    if not np.isfinite(relevance).all():
        message = f"the {heatmap.method} heatmap of {heatmap.pathology} holds NaN or infinite values"
        raise ValueError(message)
    chosen = chosen_sign(relevance, sign)
    if chosen.max() == chosen.min():
        nothing = sign == "positive" and chosen.max() <= 0
        return "nothing speaks for the pathology" if nothing else "the heatmap is the same everywhere"
    full = resize(chosen, size) if resized is None or chosen is not relevance else resized
    low, high, _, _ = cv2.minMaxLoc(full)
    if high == low:
        return "the heatmap is the same everywhere"
    scaled = np.subtract(full, np.float32(low), out=None if full is resized else full)
    scaled /= np.float32(high) - np.float32(low)
    return scaled


def chosen_sign(relevance: FloatArray, sign: Sign) -> FloatArray:
    """Return what of a signed heatmap counts, see `SegmentationSettings.sign`."""
    return _SIGNS[sign](relevance)


def grey_levels(scaled: FloatArray) -> Grey:
    """Return the 256 grey levels of a map from 0 to 1, uint8, on which Otsu's threshold is found."""
    grey = np.empty(scaled.shape, np.uint8)
    # Cut off, not rounded
    return np.multiply(scaled, 255, out=grey, casting="unsafe")


def resize(relevance: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Resize a map h × w bilinearly to H × W, as torch's ``interpolate(align_corners=False)`` does; a new array.

    torch rounds its coordinates to float32, OpenCV does not: at a radiograph's size the values differ by up to 1e-4
    of the map's spread, the masks by a few pixels.
    """
    height, width = size
    resized = cv2.resize(relevance, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32)


def outline(mask: Mask) -> tuple[npt.NDArray[np.int32], ...]:
    """Return the outlines of a mask's regions and holes, each n × 2, x and y in pixels."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(contour[:, 0].astype(np.int32) for contour in contours)


def _check(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    if len(shape) != 2 or 0 in shape or min(size) < 1:
        message = f"cannot bring a heatmap of shape {shape} to a radiograph of {size}"
        raise ValueError(message)


def _segmentation(mask: Mask, threshold: float, if_empty: str) -> Segmentation:
    return Segmentation(mask, threshold, None if mask.any() else if_empty)


def _empty(size: tuple[int, int], reason: str) -> Segmentation:
    return Segmentation(np.zeros(size, bool), float("nan"), reason)


def _otsu(scaled: FloatArray, smoothing: int) -> Segmentation:
    grey = grey_levels(scaled)
    if smoothing:
        grey = _smoothed(grey, smoothing)
    threshold, above = cv2.threshold(grey, 0, 1, cv2.THRESH_OTSU)
    return _segmentation(
        _filled(np.asarray(above, np.uint8)), threshold / 255, "only single pixels exceed Otsu's threshold"
    )


def _smoothed(grey: Grey, side: int) -> Grey:
    """Box-filter a map as CheXlocalize does, by way of its colours in the map ``JET``, read as if red were blue."""
    colours = cv2.applyColorMap(grey, cv2.COLORMAP_JET)
    box = cv2.boxFilter(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), -1, (side, side))
    return np.asarray(255 - box, dtype=np.uint8)


def _filled(above: Grey) -> Mask:
    """Fill every outline of more than one point.

    CheXlocalize draws each outline, holes too, as a filled polygon with Pillow. A hole lies inside an outer outline,
    so that filling the outer ones gives the same mask.
    """
    contours, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    drawn = [contour for contour in contours if len(contour) > 1]
    filled = cv2.drawContours(np.zeros_like(above), drawn, -1, 1, cv2.FILLED)
    return np.asarray(filled, np.uint8).view(np.bool_)
