"""KernelSHAP (Lundberg and Lee 2017; the paper's equations 2 and 3): Shapley values of superpixels."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import shap

from shamsul_core.explain.adaptive import AdaptiveSampling, explain_superpixels
from shamsul_core.explain.estimates import shapley_values
from shamsul_core.explain.superpixels import PAPER_SHAP, SuperpixelSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shamsul_core.explain.adaptive import Evaluate
    from shamsul_core.explain.hiding import Hide
    from shamsul_core.explain.interactions import Floats
    from shamsul_core.explain.subject import Subject
    from shamsul_core.heatmap import Heatmap, Output


@dataclass(frozen=True, kw_only=True)
class KernelShapSettings:
    """KernelSHAP's settings.

    Parameters
    ----------
    output
        What is explained, the logit or the probability.
    superpixels
        The players.
    sampling
        A number: so many coalitions evaluated by shap itself, besides the empty one and the whole. Or sampling that
        knows its error and stops when it is small.
    keep_largest
        shap's regularisation: only so many superpixels, chosen by least-angle regression, get a value; ``None``
        keeps them all. The paper's code leaves shap's default of 10.
    hide
        What is in the place of a hidden superpixel.
    seed
        For the coalitions drawn.
    """

    output: Output = "logit"
    superpixels: SuperpixelSettings = SuperpixelSettings()
    sampling: int | AdaptiveSampling = AdaptiveSampling()
    keep_largest: int | None = None
    hide: Hide = "grey"
    seed: int = 0


@dataclass(frozen=True)
class KernelShap:
    """Shapley values of superpixels; they sum to f(radiograph) - f(all hidden)."""

    settings: KernelShapSettings

    name: ClassVar[str] = "shap"
    title: ClassVar[str] = "SHAP"
    presets: ClassVar[Mapping[str, KernelShapSettings]] = {
        "paper": KernelShapSettings(
            output="probability", superpixels=PAPER_SHAP, sampling=1000, keep_largest=10
        ),
        "default": KernelShapSettings(),
    }

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        settings = self.settings
        return explain_superpixels(
            subject,
            pathologies,
            settings,
            method=self.name,
            estimate=lambda pairs, columns: shapley_values(pairs, columns, settings.output),
            library=lambda evaluate, count, samples: kernel_explainer_values(
                evaluate, count, samples, keep_largest=settings.keep_largest, seed=settings.seed
            ),
            evaluations_besides=2,
        )


def kernel_explainer_values(
    evaluate: Evaluate,
    count: int,
    samples: int,
    *,
    keep_largest: int | None,
    seed: int,
) -> Floats:
    """Estimate Shapley values by `shap.KernelExplainer`; exact where all coalitions fit into the samples.

    Parameters
    ----------
    evaluate
        Function of coalitions k × n that returns k × C values.
    count
        Number of players n.
    samples
        Coalitions evaluated besides the empty one and the whole.
    keep_largest, seed
        See `KernelShapSettings`.

    Returns
    -------
    numpy.ndarray
        float64, n × C; each column sums to f(all) - f(none).
    """
    with _seeded(seed):
        explainer = shap.KernelExplainer(evaluate, np.zeros((1, count)))
        values = explainer.shap_values(
            np.ones(count),
            nsamples=samples,
            l1_reg=False if keep_largest is None else f"num_features({keep_largest})",
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
