"""One radiograph before one classifier: what the methods that explain it share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from shamsul_core.explain.coalitions import CoalitionStream
from shamsul_core.explain.hiding import hidden_picture
from shamsul_core.explain.masked import MaskedEvaluation
from shamsul_core.explain.superpixels import SuperpixelSettings, superpixels

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.explain.hiding import Hide
    from shamsul_core.heatmap import Field


@dataclass(frozen=True, eq=False)
class Subject:
    """A radiograph as a classifier sees it; what is costly to make is made once and kept.

    Parameters
    ----------
    classifier
        The classifier explained.
    pixels
        uint8 or uint16, H × W.
    """

    classifier: Classifier
    pixels: npt.NDArray[np.uint8 | np.uint16]
    _superpixels: dict[tuple[SuperpixelSettings, int], npt.NDArray[np.intp]] = field(default_factory=dict)
    _streams: dict[tuple[SuperpixelSettings, Hide, int], CoalitionStream] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> torch.Tensor:
        """The network's input, float32, 1 × channels × size × size."""
        return self.classifier.preprocess(self.pixels)

    @property
    def field(self) -> Field:
        """Which part of the radiograph the network sees."""
        return self.classifier.preprocessing.field(self.pixels.shape)

    def superpixels(self, settings: SuperpixelSettings, *, seed: int) -> npt.NDArray[np.intp]:
        """Return the superpixels' labels 0..n-1, size × size, see `shamsul_core.explain.superpixels.superpixels`."""
        key = (settings, seed)
        if key not in self._superpixels:
            self._superpixels[key] = superpixels(
                self.pixels, self.classifier.preprocessing, settings, seed=seed
            )
        return self._superpixels[key]

    def masked(self, settings: SuperpixelSettings, *, hide: Hide, seed: int) -> MaskedEvaluation:
        """Return the function of coalitions of these superpixels."""
        return self.masked_by(self.superpixels(settings, seed=seed), hide=hide)

    def masked_by(self, labels: npt.NDArray[np.intp], *, hide: Hide) -> MaskedEvaluation:
        """Return the function of coalitions of parts by their labels 0..n-1, size × size."""
        return MaskedEvaluation(
            self.classifier, self.inputs, labels, hidden_picture(self.inputs, hide, labels)
        )

    def stream(self, settings: SuperpixelSettings, *, hide: Hide, seed: int) -> CoalitionStream:
        """Return the evaluated coalitions that LIME and KernelSHAP share, so that each is evaluated once."""
        key = (settings, hide, seed)
        if key not in self._streams:
            masked = self.masked(settings, hide=hide, seed=seed)
            self._streams[key] = CoalitionStream(masked, masked.count, seed=seed)
        return self._streams[key]
