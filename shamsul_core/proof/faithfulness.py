"""Faithfulness: how the logit falls as what a map marks is hidden, and rises as it is shown.

Deletion and insertion (Petsiuk, Das and Saenko 2018) behind grey and behind a blur, and ROAD (Rong et al. 2022), which puts in
the place of what is hidden what its neighbours let one expect. Quantus' ``PixelFlipping`` is the same curve as deletion.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from shamsul_core.explain.masked import batches_of, fast_logits
from shamsul_core.localisation.baselines import LOCATION
from shamsul_core.proof.catalogue import (
    BLUR_HIDES,
    BY_LOT,
    DELETION,
    EXPERT,
    GAIN,
    GREY_HIDES,
    IMPUTED,
    INSERTION,
    ROAD,
    Measured,
)
from shamsul_core.proof.imputation import impute

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from shamsul_core.explain import Subject
    from shamsul_core.heatmap import FloatArray
    from shamsul_core.proof.examined import Examined

    Floats = npt.NDArray[np.float64]

STEPS = 20
"""Steps from the whole radiograph to nothing; a twentieth of the places each."""

_BLUR_SHARE = 1 / 16
"""Standard deviation of the blur, of the input's side: a weaker one leaves heart and effusions in sight."""

_ROUGHNESS = 1 / 14
"""Standard deviation of the smoothing of a map by lot, of the input's side."""

_NOISE = 0.01
"""Standard deviation of ROAD's noise, of the whole grey range: Rong et al.'s."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Logits of one output as more and more is hidden or shown.

    Parameters
    ----------
    figure, setting
        Which of the figures of `shamsul_core.proof.catalogue`, and what hides.
    shares
        Of the places that are hidden (deletion, ROAD) or shown (insertion), 0..1, rising, (k,).
    logits
        float64, (k,).
    """

    figure: str
    setting: str
    shares: Floats
    logits: Floats

    @property
    def mean(self) -> float:
        """The mean logit: the area under the curve by trapezoids, over the range of the shares."""
        return float(np.trapezoid(self.logits, self.shares) / (self.shares[-1] - self.shares[0]))


def measure(examined: Examined) -> Iterator[Measured]:
    """Yield the curves and their means for each map, the map by lot, location and the experts' mask."""
    test = FaithfulnessTest(examined.subject, examined.seed)
    for pathology in examined.pathologies:
        maps = {method: values for (method, name), values in examined.maps.items() if name == pathology}
        maps[BY_LOT] = test.noise
        if pathology in examined.location:
            maps[LOCATION] = examined.seen(examined.location[pathology])
        if pathology in examined.experts:
            maps[EXPERT] = examined.seen(examined.experts[pathology])
        for method, relevance in maps.items():
            if not isinstance(relevance, str):
                yield from _rows(list(test.curves(relevance, pathology)), pathology, method)


def _rows(curves: list[Curve], pathology: str, method: str) -> Iterator[Measured]:
    means = {(curve.figure, curve.setting): curve.mean for curve in curves}
    for hides in (GREY_HIDES, BLUR_HIDES):
        means[GAIN, hides] = means[INSERTION, hides] - means[DELETION, hides]
    row = partial(Measured, pathology=pathology, method=method)
    for (figure, setting), value in means.items():
        yield row(figure=figure, setting=setting, value=value)
    for curve in curves:
        for at, logit in zip(curve.shares.tolist(), curve.logits.tolist(), strict=True):
            yield row(figure=curve.figure, setting=curve.setting, value=logit, at=at)


@dataclass(frozen=True, eq=False)
class FaithfulnessTest:
    """A radiograph before its classifier; what all maps of it share is made once.

    Parameters
    ----------
    subject
        The radiograph.
    seed
        Of the noise, and of the order of places that a map takes for equally relevant.
    """

    subject: Subject
    seed: int

    @property
    def size_px(self) -> int:
        """Side of the network's input."""
        return int(self.subject.inputs.shape[-1])

    @cached_property
    def noise(self) -> FloatArray:
        """A map by lot, float32, size × size: smooth noise, as coarse as maps are."""
        drawn = np.random.default_rng(self.seed).normal(size=(self.size_px, self.size_px))
        smooth = cv2.GaussianBlur(drawn, (0, 0), _ROUGHNESS * self.size_px)
        return np.asarray(smooth, np.float32)

    @cached_property
    def hidden(self) -> dict[str, torch.Tensor]:
        """The network's input with everything hidden, 1 × channels × size × size, by what hides."""
        inputs = self.subject.inputs
        channels = [
            cv2.GaussianBlur(channel, (0, 0), _BLUR_SHARE * self.size_px)
            for channel in inputs[0].cpu().numpy()
        ]
        blurred = torch.as_tensor(np.stack(channels))[None].to(inputs.device)
        return {GREY_HIDES: torch.zeros_like(inputs), BLUR_HIDES: blurred}

    def ranks(self, relevance: FloatArray) -> npt.NDArray[np.int64]:
        """Return each place's rank from the most relevant (0) on, of a map size × size.

        Places of equal relevance follow the smooth noise: they are hidden in patches, as the others are, and not row by row.
        """
        order = np.lexsort((-self.noise.ravel(), -relevance.astype(np.float64).ravel()))
        ranks = np.empty(order.size, np.int64)
        ranks[order] = np.arange(order.size)
        return ranks.reshape(relevance.shape)

    def curves(self, relevance: FloatArray, pathology: str) -> Iterator[Curve]:
        """Yield deletion and insertion by what hides, and ROAD, of a map size × size of a pathology.

        Forward passes: 2 · (2 · `STEPS`) + `STEPS`, less what the ends share.
        """
        column = self.subject.classifier.output_index(pathology)
        ranks = self.ranks(relevance)
        for name, hidden in self.hidden.items():
            shares = np.arange(STEPS + 1) / STEPS
            deleted, inserted = self._hiding(hidden, ranks, column)
            yield Curve(DELETION, name, shares, deleted)
            yield Curve(INSERTION, name, shares, inserted)
        yield Curve(ROAD, IMPUTED, np.arange(STEPS) / STEPS, self._imputing(ranks, column))

    def _hiding(
        self, hidden: torch.Tensor, ranks: npt.NDArray[np.int64], column: int
    ) -> tuple[Floats, Floats]:
        """Return the logits of deletion and insertion, (STEPS + 1,) each; they end as the other begins."""
        inputs = self.subject.inputs
        places = torch.as_tensor(ranks).to(inputs.device)
        counts = torch.arange(STEPS + 1) * ranks.size // STEPS

        def deleting(batch: torch.Tensor) -> torch.Tensor:
            return torch.where(places < batch.view(-1, 1, 1, 1), hidden, inputs)

        def inserting(batch: torch.Tensor) -> torch.Tensor:
            return torch.where(places < batch.view(-1, 1, 1, 1), inputs, hidden)

        classifier = self.subject.classifier
        deleted = fast_logits(classifier, batches_of(counts, classifier), deleting)[:, column]
        inner = fast_logits(classifier, batches_of(counts[1:-1], classifier), inserting)[:, column]
        return deleted, np.concatenate([deleted[-1:], inner, deleted[:1]])

    def _imputing(self, ranks: npt.NDArray[np.int64], column: int) -> Floats:
        """Return ROAD's logits, (STEPS,): without the last step, which leaves nothing to impute from."""
        classifier = self.subject.classifier
        preprocessing = classifier.preprocessing
        picture = preprocessing.resize(self.subject.pixels)[0, 0].double().numpy()
        generator = np.random.default_rng(self.seed)
        pictures, imputed = [picture], None
        for step in range(1, STEPS):
            removed = ranks < step * ranks.size // STEPS
            imputed = impute(picture, removed, imputed)
            pictures.append(imputed + removed * generator.normal(0, _NOISE, picture.shape))
        intensities = torch.as_tensor(np.stack(pictures)[:, None]).float()
        return fast_logits(classifier, batches_of(intensities, classifier), preprocessing.normalise)[
            :, column
        ]
