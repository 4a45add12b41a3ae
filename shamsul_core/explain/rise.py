"""RISE (Petsiuk, Das and Saenko, *RISE: randomized input sampling for explanation*, BMVC 2018, equations 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from scipy.special import expit
from torch.nn import functional

from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.hiding import hidden_picture
from shamsul_core.explain.masked import batches_of, masked_logits
from shamsul_core.heatmap import FloatArray, Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shamsul_core.explain.interactions import Floats
    from shamsul_core.explain.subject import Subject

_SIDE = 28
"""Places on each side of the map; masks are so smooth that more would say no more."""


@dataclass(frozen=True, kw_only=True)
class RiseSettings:
    """RISE's settings; what does not show is mean grey.

    Parameters
    ----------
    output
        What is explained, the logit or the probability.
    sampling
        A number of masks. Or sampling that knows its error and stops when it is small.
    cells
        Of a mask on each side; each shows or not, and the mask is smooth in between and shifted at random.
    shown
        Probability of a cell to show.
    seed
        Of the masks.
    """

    output: Output = "logit"
    sampling: int | AdaptiveSampling = AdaptiveSampling(first=500, step=500, budget=4000)
    cells: int = 7
    shown: float = 0.5
    seed: int = 0


@dataclass(frozen=True)
class Rise:
    """The mean score over random masks that show a place, less the mean score over all masks.

    The second is no part of Petsiuk et al.'s estimate. It is the same everywhere, and without it zero is where showing a
    place makes no difference.
    """

    settings: RiseSettings

    name: ClassVar[str] = "rise"
    title: ClassVar[str] = "RISE"
    presets: ClassVar[Mapping[str, RiseSettings]] = {"default": RiseSettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        settings, classifier, inputs = self.settings, subject.classifier, subject.inputs
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        sampling = settings.sampling
        if isinstance(sampling, int):
            sampling = AdaptiveSampling(first=sampling, budget=sampling, reliability=1.0)
        hidden = hidden_picture(inputs, "grey")
        drawn = _masks(inputs.shape[-1], settings)
        places, answers = np.empty((0, _SIDE**2), np.float32), np.empty((0, len(columns)))
        wanted = sampling.first
        while True:
            masks = np.stack([next(drawn) for _ in range(wanted - len(places))])
            logits = masked_logits(classifier, inputs, hidden, batches_of(masks, classifier))[:, columns]
            more = expit(logits) if settings.output == "probability" else logits
            places = np.concatenate([places, _at_places(masks)])
            answers = np.concatenate([answers, more])
            values, error = importance(places, answers, settings.shown)
            reliability = reliability_of(values, error)
            if (reliability >= sampling.reliability).all() or wanted >= sampling.budget:
                break
            wanted = min(wanted + sampling.step, sampling.budget)
        maps, errors = (part.T.reshape(-1, _SIDE, _SIDE).astype(np.float32) for part in (values, error))
        return {
            pathology: Heatmap(
                method=self.name,
                pathology=pathology,
                output=settings.output,
                values=maps[index],
                standard_error=errors[index],
                converged=None
                if isinstance(settings.sampling, int)
                else bool(reliability[index] >= sampling.reliability),
                evaluations=len(places),
            )
            for index, pathology in enumerate(pathologies)
        }


def importance(shown: FloatArray, answers: Floats, probability: float) -> tuple[Floats, Floats]:
    """Return Petsiuk et al.'s estimate (equation 6) less its mean, and its standard error, both P × C.

    Parameters
    ----------
    shown
        How much of P places each of N masks shows, N × P.
    answers
        The scores under the masks, N × C.
    probability
        The masks' expectation.

    Examples
    --------
    A score of 3 where the first of two places shows, otherwise 1: its mean over all masks is 2, over those that show the
    first place 3.

    >>> masks = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    >>> importance(masks, 1 + 2 * masks[:, :1], 0.5)[0].ravel().tolist()
    [1.0, 0.0]
    """
    count = len(answers)
    masks, scores = shown - shown.mean(axis=0), answers - answers.mean(axis=0)
    values = masks.T @ scores / (count * probability)
    second = (masks**2).T @ scores**2 / (count * probability**2)
    return values, np.sqrt(np.maximum(second - values**2, 0) / count)


def reliability_of(values: Floats, error: Floats) -> Floats:
    """Return the correlation with the values at infinitely many masks to be expected, 0..1, for each of C outputs.

    The values vary by what they estimate and by their error, so that its square is the share of the first.
    """
    variance = values.var(axis=0)
    noise = (error**2).mean(axis=0)
    share = np.divide(variance - noise, variance, out=np.zeros_like(variance), where=variance > 0)
    return np.asarray(np.sqrt(np.maximum(share, 0)))


def _masks(size_px: int, settings: RiseSettings) -> Iterator[FloatArray]:
    """Yield masks for ever, float32, size × size: cells at random, bilinear in between, cut out at a random shift."""
    random = np.random.default_rng(settings.seed)
    cell = -(-size_px // settings.cells)
    large = (settings.cells + 1) * cell
    while True:
        cells = (random.random((settings.cells, settings.cells)) < settings.shown).astype(np.float32)
        smooth = functional.interpolate(
            torch.from_numpy(cells)[None, None], size=(large, large), mode="bilinear"
        )
        top, left = random.integers(0, cell, 2)
        yield smooth[0, 0, top : top + size_px, left : left + size_px].numpy()


def _at_places(masks: FloatArray) -> FloatArray:
    """Return how much of each place of the map masks k × S × S show, float32, k × P."""
    return functional.adaptive_avg_pool2d(torch.from_numpy(masks), _SIDE).flatten(1).numpy()
