"""KernelSHAP (Lundberg and Lee 2017; the paper's equations 2 and 3): Shapley values of superpixels."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import shap

from shamsul_core.explain.masked import MaskedEvaluation
from shamsul_core.explain.superpixels import PAPER_SHAP, SuperpixelSettings, superpixels
from shamsul_core.heatmap import Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from shamsul_core.classifier import Classifier


@dataclass(frozen=True, kw_only=True)
class KernelShapSettings:
    """KernelSHAP's settings.

    Parameters
    ----------
    output
        What is explained.
    superpixels
        The players.
    samples
        Coalitions evaluated, besides the empty one and the whole.
    keep_largest
        shap's regularisation: only so many superpixels, chosen by least-angle regression, get a value; ``None``
        keeps them all. The paper's code leaves shap's default of 10.
    hide
        Value of a hidden pixel in the network's normalised input.
    seed
        For the coalitions drawn.
    """

    output: Output = "logit"
    superpixels: SuperpixelSettings = SuperpixelSettings()
    samples: int = 1000
    keep_largest: int | None = None
    hide: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class KernelShap:
    """`shap.KernelExplainer` over superpixels; the values sum to f(radiograph) - f(all hidden)."""

    settings: KernelShapSettings

    name: ClassVar[str] = "shap"
    title: ClassVar[str] = "SHAP"
    presets: ClassVar[Mapping[str, KernelShapSettings]] = {
        "paper": KernelShapSettings(output="probability", superpixels=PAPER_SHAP, keep_largest=10),
        "default": KernelShapSettings(),
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
        values = shapley_values(evaluate, evaluate.count, settings)
        return {
            pathology: Heatmap(
                method=self.name,
                pathology=pathology,
                output=settings.output,
                values=values[:, column].astype(np.float32),
                superpixels=labels,
                evaluations=settings.samples + 2,
            )
            for column, pathology in enumerate(pathologies)
        }


def shapley_values(
    evaluate: Callable[[npt.NDArray[np.generic]], npt.NDArray[np.float64]],
    count: int,
    settings: KernelShapSettings,
) -> npt.NDArray[np.float64]:
    """Estimate Shapley values of a function of coalitions; exact where all coalitions fit into the samples.

    Parameters
    ----------
    evaluate
        Function of coalitions k × n that returns k × C values.
    count
        Number of players n.

    Returns
    -------
    numpy.ndarray
        float64, n × C; each column sums to f(all) - f(none).
    """
    with _seeded(settings.seed):
        explainer = shap.KernelExplainer(evaluate, np.zeros((1, count)))
        values = explainer.shap_values(
            np.ones(count),
            nsamples=settings.samples,
            l1_reg=False if settings.keep_largest is None else f"num_features({settings.keep_largest})",
            silent=True,
        )
    return np.asarray(values, dtype=np.float64)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed numpy's global generator, the only one shap draws from, and give it back as it was."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
