"""Sampling that stops when the explanation is good enough, or when its budget is spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.heatmap import Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shamsul_core.explain.coalitions import Pairs
    from shamsul_core.explain.estimates import Estimate
    from shamsul_core.explain.subject import Subject
    from shamsul_core.explain.superpixels import SuperpixelSettings


@dataclass(frozen=True, kw_only=True)
class AdaptiveSampling:
    """When to stop.

    Parameters
    ----------
    first, step
        Forward passes before the first look at the error, and between looks.
    budget
        Forward passes at most; where it is less, four for each superpixel.
    reliability
        The correlation with the values at infinitely many passes that is to be expected before a pathology counts as
        converged; see `Estimate.reliability`.
    """

    first: int = 800
    step: int = 100
    budget: int = 1300
    reliability: float = 0.97


def sample_until_converged(
    subject: Subject,
    pathologies: Sequence[str],
    estimate: Callable[[Pairs, list[int]], Estimate],
    *,
    method: str,
    output: Output,
    superpixels: SuperpixelSettings,
    hide: float,
    seed: int,
    sampling: AdaptiveSampling,
) -> dict[str, Heatmap]:
    """Estimate the superpixels' values for all pathologies from the subject's stream of coalitions.

    Every pathology is estimated from all passes made, so that one that converged early gains by another's.

    Parameters
    ----------
    estimate
        Values and standard errors of some of the classifier's outputs (columns) from evaluated pairs.

    Returns
    -------
    dict
        A heatmap for each pathology, with its error and whether it converged.
    """
    stream = subject.stream(superpixels, hide=hide, seed=seed)
    columns = [subject.classifier.output_index(pathology) for pathology in pathologies]
    # At least as many pairs are drawn as there are superpixels, besides those that show one superpixel alone
    wanted = max(sampling.first, 2 + 4 * stream.count)
    while True:
        pairs = stream.take((wanted - 2) // 2)
        found = estimate(pairs, columns)
        converged = found.reliability >= sampling.reliability
        if pairs.is_exhaustive or converged.all() or wanted >= sampling.budget:
            break
        wanted = min(wanted + sampling.step, sampling.budget)
    return {
        pathology: Heatmap(
            method=method,
            pathology=pathology,
            output=output,
            values=found.values[:, index].astype(np.float32),
            superpixels=subject.superpixels(superpixels, seed=seed),
            standard_error=found.standard_error[:, index].astype(np.float32),
            converged=bool(converged[index] or pairs.is_exhaustive),
            evaluations=2 + 2 * len(pairs.shown),
        )
        for index, pathology in enumerate(pathologies)
    }
