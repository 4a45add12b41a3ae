"""What LIME and KernelSHAP share: values of superpixels, by the method's own library or sampled until they converge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from shamsul_core.heatmap import Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from shamsul_core.explain.coalitions import Pairs
    from shamsul_core.explain.estimates import Estimate
    from shamsul_core.explain.hiding import Hide
    from shamsul_core.explain.interactions import Floats
    from shamsul_core.explain.subject import Subject
    from shamsul_core.explain.superpixels import SuperpixelSettings

    Evaluate = Callable[[npt.NDArray[np.generic]], Floats]


@dataclass(frozen=True, kw_only=True)
class AdaptiveSampling:
    """When sampling stops: the explanation is good enough, or the budget is spent.

    Parameters
    ----------
    first, step
        Forward passes before the first look at the error, and between looks.
    budget
        Forward passes at most; where it is less, four for each superpixel.
    reliability
        The correlation, 0..1, with the values at infinitely many passes that is to be expected before a pathology
        counts as converged; see `Estimate.reliability`.
    """

    first: int = 800
    step: int = 100
    budget: int = 1300
    reliability: float = 0.97


class SampledSettings(Protocol):
    """The settings that LIME and KernelSHAP have in common, see `LimeSettings`."""

    @property
    def output(self) -> Output:
        """What is explained."""

    @property
    def superpixels(self) -> SuperpixelSettings:
        """The regions shown and hidden."""

    @property
    def sampling(self) -> int | AdaptiveSampling:
        """So many samples by the method's own library, or sampling that stops by itself."""

    @property
    def hide(self) -> Hide:
        """What is in the place of a hidden superpixel."""

    @property
    def seed(self) -> int:
        """For the coalitions drawn and for the superpixels."""


def explain_superpixels(
    subject: Subject,
    pathologies: Sequence[str],
    settings: SampledSettings,
    *,
    method: str,
    estimate: Callable[[Pairs, list[int]], Estimate],
    library: Callable[[Evaluate, int, int], Floats],
    evaluations_besides: int = 0,
) -> dict[str, Heatmap]:
    """Return a heatmap for each pathology: by the method's own library where the settings give a number of samples.

    Parameters
    ----------
    estimate
        Values and standard errors, n × C, of some of the classifier's outputs (columns) from evaluated pairs.
    library
        Values, n × C, from a function of coalitions k × n that returns k × C, the number of superpixels n, and the
        number of samples.
    evaluations_besides
        Forward passes that the library makes besides its samples.
    """
    if isinstance(settings.sampling, AdaptiveSampling):
        return _sample_until_converged(subject, pathologies, settings, settings.sampling, method, estimate)
    masked = subject.masked(settings.superpixels, hide=settings.hide, seed=settings.seed)
    values = library(masked.of(pathologies, settings.output), masked.count, settings.sampling)
    return {
        pathology: Heatmap(
            method=method,
            pathology=pathology,
            output=settings.output,
            values=values[:, column].astype(np.float32),
            superpixels=masked.superpixels,
            evaluations=settings.sampling + evaluations_besides,
        )
        for column, pathology in enumerate(pathologies)
    }


def _sample_until_converged(
    subject: Subject,
    pathologies: Sequence[str],
    settings: SampledSettings,
    sampling: AdaptiveSampling,
    method: str,
    estimate: Callable[[Pairs, list[int]], Estimate],
) -> dict[str, Heatmap]:
    """Estimate the superpixels' values for all pathologies from the subject's stream of coalitions.

    Every pathology is estimated from all passes made, so that one that converged early gains by another's.
    """
    stream = subject.stream(settings.superpixels, hide=settings.hide, seed=settings.seed)
    columns = [subject.classifier.output_index(pathology) for pathology in pathologies]
    # At least as many pairs are drawn as there are superpixels, besides those that show one superpixel alone
    wanted = max(sampling.first, 2 + 4 * stream.count)
    while True:
        pairs = stream.take((wanted - 2) // 2)
        estimated = estimate(pairs, columns)
        converged = estimated.reliability >= sampling.reliability
        if pairs.is_exhaustive or converged.all() or wanted >= sampling.budget:
            break
        wanted = min(wanted + sampling.step, sampling.budget)
    return {
        pathology: Heatmap(
            method=method,
            pathology=pathology,
            output=settings.output,
            values=estimated.values[:, index].astype(np.float32),
            superpixels=subject.superpixels(settings.superpixels, seed=settings.seed),
            standard_error=estimated.standard_error[:, index].astype(np.float32),
            converged=bool(converged[index] or pairs.is_exhaustive),
            evaluations=2 + 2 * len(pairs.coalitions),
        )
        for index, pathology in enumerate(pathologies)
    }
