"""LIME (Ribeiro et al. 2016; the paper's equation 1): a weighted linear surrogate over superpixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from lime.lime_image import LimeImageExplainer
from sklearn.metrics import pairwise_distances

from shamsul_core.explain.masked import MaskedEvaluation
from shamsul_core.explain.superpixels import PAPER_LIME, SuperpixelSettings, superpixels
from shamsul_core.heatmap import Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from shamsul_core.classifier import Classifier


@dataclass(frozen=True, kw_only=True)
class LimeSettings:
    """LIME's settings.

    Parameters
    ----------
    output
        What is explained.
    superpixels
        The regions shown and hidden.
    samples
        Forward passes, the whole radiograph among them.
    kernel_width
        Width of the exponential kernel on the cosine distance between a coalition and the whole radiograph.
    hide
        Value of a hidden pixel in the network's normalised input.
    seed
        For the coalitions drawn and for quickshift.
    """

    output: Output = "logit"
    superpixels: SuperpixelSettings = SuperpixelSettings()
    samples: int = 1000
    kernel_width: float = 0.25
    hide: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Lime:
    """lime's sampling, kernel and ridge surrogate, with our masked evaluation in place of its loop.

    A superpixel's value is its coefficient in the surrogate; every superpixel is kept.
    """

    settings: LimeSettings

    name: ClassVar[str] = "lime"
    title: ClassVar[str] = "LIME"
    presets: ClassVar[Mapping[str, LimeSettings]] = {
        "paper": LimeSettings(output="probability", superpixels=PAPER_LIME),
        "default": LimeSettings(),
    }

    def explain(
        self, classifier: Classifier, pixels: npt.NDArray[np.uint8], pathologies: Sequence[str]
    ) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology on one radiograph H × W (uint8)."""
        settings = self.settings
        labels = superpixels(pixels, classifier.preprocessing, settings.superpixels, seed=settings.seed)
        evaluate = MaskedEvaluation(
            classifier, classifier.preprocess(pixels), labels, pathologies, settings.hide, settings.output
        )
        coefficients = surrogate_coefficients(evaluate, evaluate.count, settings)
        return {
            pathology: Heatmap(
                method=self.name,
                pathology=pathology,
                output=settings.output,
                values=coefficients[:, column].astype(np.float32),
                superpixels=labels,
                evaluations=settings.samples,
            )
            for column, pathology in enumerate(pathologies)
        }


def surrogate_coefficients(
    evaluate: MaskedEvaluation, count: int, settings: LimeSettings
) -> npt.NDArray[np.float64]:
    """Fit lime's surrogate to a function of coalitions.

    Parameters
    ----------
    evaluate
        Any function of coalitions k × n that returns k × C values.
    count
        Number of superpixels n.

    Returns
    -------
    numpy.ndarray
        float64, n × C: each superpixel's coefficient for each of the C outputs.
    """
    explainer = LimeImageExplainer(kernel_width=settings.kernel_width, random_state=settings.seed)
    coalitions = explainer.random_state.randint(0, 2, settings.samples * count).reshape(-1, count)
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
