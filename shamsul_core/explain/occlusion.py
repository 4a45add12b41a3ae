"""Occlusion (Zeiler and Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shamsul_core.heatmap import Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from shamsul_core.explain.hiding import Hide
    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class OcclusionSettings:
    """Occlusion's settings.

    Parameters
    ----------
    output
        What is explained, the logit or the probability.
    tiles
        On each side of the network's input; a window moves on by one, and at 14 a tile is a patch of many transformers.
    window
        Side in tiles of the square that is hidden.
    hide
        What is in its place.
    """

    output: Output = "logit"
    tiles: int = 14
    window: int = 2
    hide: Hide = "grey"


@dataclass(frozen=True)
class Occlusion:
    """By how much the score falls where a window is hidden, averaged over the windows that cover a place."""

    settings: OcclusionSettings

    name: ClassVar[str] = "occlusion"
    title: ClassVar[str] = "Occlusion"
    presets: ClassVar[Mapping[str, OcclusionSettings]] = {"default": OcclusionSettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        settings = self.settings
        tiles = min(settings.tiles, subject.inputs.shape[-1])
        evaluate = subject.masked_by(tile_labels(subject.inputs.shape[-1], tiles), hide=settings.hide)
        hidden = windows(tiles, min(settings.window, tiles))
        coalitions = np.concatenate([np.ones((1, tiles**2), bool), ~hidden])
        answers = evaluate.of(pathologies, settings.output)(coalitions)
        falls = answers[:1] - answers[1:]
        maps = (hidden.T @ falls / hidden.sum(axis=0)[:, None]).astype(np.float32)
        return {
            pathology: Heatmap(
                method=self.name,
                pathology=pathology,
                output=settings.output,
                values=maps[:, index].reshape(tiles, tiles),
                evaluations=len(coalitions),
            )
            for index, pathology in enumerate(pathologies)
        }


def tile_labels(size_px: int, tiles: int) -> npt.NDArray[np.intp]:
    """Return tiles' labels row by row, size × size, as even as they can be.

    >>> tile_labels(4, 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """
    place = np.arange(size_px) * tiles // size_px
    return np.asarray(place[:, None] * tiles + place)


def windows(tiles: int, side: int) -> npt.NDArray[np.bool_]:
    """Return which tiles each place of a window covers, windows × tiles².

    >>> windows(2, 1).astype(int).tolist()
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    """
    starts = np.arange(tiles - side + 1)
    along = (np.arange(tiles) >= starts[:, None]) & (np.arange(tiles) < starts[:, None] + side)
    both = along[:, None, :, None] & along[None, :, None, :]
    return both.reshape(len(starts) ** 2, tiles**2)
