"""The heatmap: what one method says of one pathology on one radiograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Output: TypeAlias = Literal["logit", "probability"]
"""What of the classifier is explained."""

FloatArray: TypeAlias = npt.NDArray[np.float32]


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
        What was explained, ``"logit"`` or ``"probability"``. ``None`` where it is not known (imported maps).
    values
        float32. Without `superpixels`, the map itself, h × w at the method's native resolution, the whole
        radiograph's extent. With `superpixels`, one value per superpixel, shape (n,).
    superpixels
        Integer labels 0..n-1, h × w, where the method explains superpixels.
    standard_error
        float32, the shape of `values`, where the values were sampled and their error is known.
    converged
        Whether the sampling reached its target error. ``None`` where there is no sampling or no target.
    evaluations
        Number of classifier evaluations the sampling took, 0 where there is no sampling.
    """

    method: str
    pathology: str
    output: Output | None
    values: FloatArray
    superpixels: npt.NDArray[np.integer] | None = None
    standard_error: FloatArray | None = None
    converged: bool | None = None
    evaluations: int = 0

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
        return within if self.superpixels is None else within[self.superpixels]

    @property
    def relevance(self) -> FloatArray:
        """Signed relevance, float32, h × w at native resolution."""
        return self.values if self.superpixels is None else self.values[self.superpixels]
