"""LIME (Ribeiro et al. 2016; the paper's equation 1): a weighted linear surrogate over superpixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from lime.lime_image import LimeImageExplainer
from sklearn.metrics import pairwise_distances

from shamsul_core.explain.adaptive import AdaptiveSampling, explain_superpixels
from shamsul_core.explain.estimates import surrogate_coefficients
from shamsul_core.explain.superpixels import PAPER_LIME, SuperpixelSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.explain.adaptive import Evaluate
    from shamsul_core.explain.hiding import Hide
    from shamsul_core.explain.interactions import Floats
    from shamsul_core.explain.subject import Subject
    from shamsul_core.heatmap import Heatmap, Output


@dataclass(frozen=True, kw_only=True)
class LimeSettings:
    """LIME's settings.

    Parameters
    ----------
    output
        What is explained, the logit or the probability.
    superpixels
        The regions shown and hidden.
    sampling
        A number: so many forward passes by lime itself. Or sampling that knows its error and stops when it is small.
    kernel_width
        Width of the exponential kernel on the cosine distance between a coalition and the whole radiograph.
    hide
        What is in the place of a hidden superpixel.
    seed
        For the coalitions drawn and for quickshift.
    """

    output: Output = "logit"
    superpixels: SuperpixelSettings = SuperpixelSettings()
    sampling: int | AdaptiveSampling = AdaptiveSampling()
    kernel_width: float = 0.25
    hide: Hide = "grey"
    seed: int = 0


@dataclass(frozen=True)
class Lime:
    """A superpixel's value is its coefficient in LIME's surrogate; every superpixel is kept."""

    settings: LimeSettings

    name: ClassVar[str] = "lime"
    title: ClassVar[str] = "LIME"
    presets: ClassVar[Mapping[str, LimeSettings]] = {
        "paper": LimeSettings(output="probability", superpixels=PAPER_LIME, sampling=1000),
        "default": LimeSettings(),
    }

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        settings = self.settings
        return explain_superpixels(
            subject,
            pathologies,
            settings,
            method=self.name,
            estimate=lambda pairs, columns: surrogate_coefficients(
                pairs, columns, settings.output, settings.kernel_width
            ),
            library=lambda evaluate, count, samples: lime_coefficients(
                evaluate, count, samples, kernel_width=settings.kernel_width, seed=settings.seed
            ),
        )


def lime_coefficients(
    evaluate: Evaluate,
    count: int,
    samples: int,
    *,
    kernel_width: float,
    seed: int,
) -> Floats:
    """Fit lime's own surrogate (its sampling, kernel and ridge) to a function of coalitions.

    Parameters
    ----------
    evaluate
        Function of coalitions k × n that returns k × C values.
    count
        Number of superpixels n.
    samples
        Coalitions evaluated, the whole radiograph among them.
    kernel_width, seed
        See `LimeSettings`.

    Returns
    -------
    numpy.ndarray
        float64, n × C: each superpixel's coefficient for each of the C outputs.
    """
    explainer = LimeImageExplainer(kernel_width=kernel_width, random_state=seed)
    coalitions = explainer.random_state.randint(0, 2, samples * count).reshape(-1, count)
    coalitions[0] = 1
    values = evaluate(coalitions)
    distances = pairwise_distances(coalitions, coalitions[:1], metric="cosine").ravel()
    coefficients = np.zeros((count, values.shape[1]))
    for column in range(values.shape[1]):
        _, fitted, _, _ = explainer.base.explain_instance_with_data(
            coalitions, values, distances, column, num_features=count, feature_selection="none"
        )
        regions, weights = zip(*fitted, strict=True)
        coefficients[list(regions), column] = weights
    return coefficients
