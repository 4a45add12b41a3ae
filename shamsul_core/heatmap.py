"""The heatmap: what one method says of one pathology on one radiograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Output: TypeAlias = Literal["logit", "probability"]
"""What of the classifier is explained."""

FloatArray: TypeAlias = npt.NDArray[np.float32]

Field: TypeAlias = tuple[float, float, float, float]
"""Top, left, bottom and right of what a network sees, as fractions of the radiograph; below 0 or above 1 is padding."""

WHOLE: Field = (0.0, 0.0, 1.0, 1.0)
"""The field of a network that sees the whole radiograph and nothing else."""

_FINEST_PX = 512
"""Places, at least, on each side of a map that is brought from a field to the whole radiograph."""


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    """Relevance of every place of a radiograph for one pathology, by one method.

    Relevance is never rescaled: its sign and unit are the method's own. Positive speaks for the pathology.

    Parameters
    ----------
    method
        The method's name, such as ``"gradcam"``.
    pathology
        The pathology explained, by CheXpert's name.
    output
        What was explained, ``"logit"`` or ``"probability"``. ``None`` where it is not known (imported maps), or the
        output has no part in the map (attention rollout).
    values
        float32. Without `superpixels`, the map itself, h × w at the method's native resolution, of the `field`'s
        extent. With `superpixels`, one value per superpixel, shape (n,).
    superpixels
        Integer labels 0..n-1, h × w, where the method explains superpixels.
    standard_error
        float32, the shape of `values`, where the values were sampled and their error is known.
    converged
        Whether the sampling reached its target error. ``None`` where there is no sampling or no target.
    evaluations
        Number of classifier evaluations the sampling took, 0 where there is no sampling.
    field
        The part of the radiograph that was explained; nothing outside it has relevance.
    """

    method: str
    pathology: str
    output: Output | None
    values: FloatArray
    superpixels: npt.NDArray[np.integer] | None = None
    standard_error: FloatArray | None = None
    converged: bool | None = None
    evaluations: int = 0
    field: Field = WHOLE

    @property
    def is_mask(self) -> bool:
        """Whether it is a mask that came as one, 0 and 1 in regions, and no relevance to be thresholded."""
        return (
            self.output is None and self.superpixels is not None and set(np.unique(self.values)) <= {0.0, 1.0}
        )

    @property
    def uncertain(self) -> npt.NDArray[np.bool_] | None:
        """Where the relevance lies within twice its standard error of zero, bool, h × w; ``None`` without errors."""
        if self.standard_error is None:
            return None
        within = np.abs(self.values) < 2 * self.standard_error
        places = within if self.superpixels is None else within[self.superpixels]
        return places if self.field == WHOLE else _on_radiograph(places, self.field, nearest=True) > 0

    @property
    def relevance(self) -> FloatArray:
        """Signed relevance, float32, h × w, of the whole radiograph's extent.

        At native resolution where the network sees the whole radiograph; else on a grid of at least 512 × 512, zero
        outside the field and bilinear within it, as a map is resized for a radiograph.
        """
        places = self.values if self.superpixels is None else self.values[self.superpixels]
        if self.field == WHOLE:
            return places
        return _on_radiograph(places, self.field, nearest=self.superpixels is not None)


def _on_radiograph(places: npt.NDArray[np.generic], field: Field, *, nearest: bool) -> FloatArray:
    """Bring a map h × w of a field to a grid of the radiograph's extent, float32."""
    top, left, bottom, right = field
    rows = _weights(places.shape[0], top, bottom, nearest=nearest)
    columns = _weights(places.shape[1], left, right, nearest=nearest)
    return np.asarray(rows @ places.astype(np.float32) @ columns.T, np.float32)


def _weights(count: int, start: float, end: float, *, nearest: bool) -> FloatArray:
    """Return how much each of `count` places from `start` to `end` gives to each place of a grid from 0 to 1.

    Coordinates are those of the places' middles (``align_corners=False``); a row sums to 1, or outside to 0.
    """
    size = max(_FINEST_PX, min(4 * _FINEST_PX, int(np.ceil(count / (end - start)))))
    fractions = ((np.arange(size) + 0.5) / size - start) / (end - start)
    inside = (fractions >= 0) & (fractions < 1)
    at = np.clip(fractions * count - 0.5, 0, count - 1)
    lower = np.rint(at).astype(int) if nearest else np.minimum(at.astype(int), max(count - 2, 0))
    weights = np.zeros((size, count), np.float32)
    upper_share = 0 if nearest else at - lower
    np.add.at(weights, (np.arange(size), lower), inside * (1 - upper_share))
    np.add.at(weights, (np.arange(size), np.minimum(lower + 1, count - 1)), inside * upper_share)
    return weights
