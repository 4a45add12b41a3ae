"""LIME's coefficients and Shapley values from weighted pairs of coalitions, each with its standard error.

Both are weighted least squares. The standard error is the cluster-robust ("sandwich") one, a pair of coalitions being
a cluster, with each residual divided by one less its leverage (HC3: MacKinnon and White 1985), which does not trust a
fit that has hardly more pairs than superpixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from shamsul_core.explain.coalitions import log_binomial

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.explain.coalitions import Pairs
    from shamsul_core.heatmap import Output

    Floats = npt.NDArray[np.float64]

_HIGHEST_LEVERAGE = 0.95
_SECOND_SLOPE_RIDGE = 0.01


@dataclass(frozen=True)
class Estimate:
    """Values of superpixels for some outputs.

    Parameters
    ----------
    values, standard_error
        float64, n × C.
    """

    values: Floats
    standard_error: Floats

    @property
    def reliability(self) -> Floats:
        """The correlation with the values at infinitely many evaluations to be expected, 0..1, for each of C outputs.

        Values are the sum of what is sought and of noise, so that the share of what is sought in their variance is
        the square of that correlation.
        """
        spread = self.values.var(axis=0)
        noise = (self.standard_error**2).mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0, np.sqrt(np.clip(1 - noise / spread, 0, 1)), 0)


def shapley_values(pairs: Pairs, columns: list[int], output: Output) -> Estimate:
    r"""Estimate Shapley values by KernelSHAP's regression (Lundberg and Lee 2017, theorem 2), adjusted.

    With complements, the regression of f on coalitions becomes one of half the difference of a pair, in which every
    interaction of even order cancels (Covert and Lee 2021). What a superpixel adds mostly depends on how many others
    show, so that the regression gets a second slope for each, and the Shapley values of what it fits are known
    (regression adjustment: Witter et al., arXiv 2506.11849, 2025):

    .. math:: f(z) \approx \sum_i (z_i - 1/2) (a_i + b_i q), \qquad q = (2 |z| / n - 1)^2

    The values of an output sum to f(whole) - f(nothing).
    """
    values, whole, nothing = _outputs(pairs, columns, output)
    count = pairs.shown.shape[1]
    sizes = pairs.shown.sum(axis=1)
    weights = _weights(-log_binomial(count, sizes) - np.log(sizes * (count - sizes)) - pairs.log_expected)
    signed = pairs.shown - 0.5
    design = np.concatenate([signed, signed * _imbalance(sizes, count)[:, None]], axis=1)
    response = (values[:, 0] - values[:, 1]) / 2
    ridge = np.repeat([0, _SECOND_SLOPE_RIDGE * weights.sum() / 4], count)
    fit = _least_squares(design[:, None], response[:, None], weights[:, None], ridge)
    # Of the game (z_i - 1/2) q, player i's Shapley value exceeds the others' by this
    own = _imbalance(np.arange(count + 1), count)
    excess = (count * (own[:-1] + own[1:]).mean() / 2 - 1) / (count - 1)
    centre = np.eye(count) - 1 / count
    project = np.concatenate([centre, excess * centre])
    error = _standard_error(fit, project, pairs.enumerated)
    return Estimate((whole - nothing) / count + project.T @ fit.coefficients, error)


def _imbalance(sizes: npt.NDArray[np.integer], count: int) -> Floats:
    """Return how far coalitions are from half the superpixels, squared: 0 at half, 1 with all or none."""
    return np.asarray((2 * sizes / count - 1) ** 2)


def surrogate_coefficients(pairs: Pairs, columns: list[int], output: Output, kernel_width: float) -> Estimate:
    """Estimate the coefficients of LIME's surrogate at infinitely many samples (Ribeiro et al. 2016).

    lime's coalitions show each superpixel with probability one half, and are weighted by an exponential kernel on
    their cosine distance from the whole radiograph, sqrt(exp(-d²/width²)), d = 1 - sqrt(size/n). Its ridge of 1
    vanishes beside the weight of infinitely many samples and is left out but for what makes the fit solvable.
    """
    values, _, _ = _outputs(pairs, columns, output)
    count = pairs.shown.shape[1]
    both = np.stack([pairs.shown, ~pairs.shown], axis=1).astype(np.float64)
    distance = 1 - np.sqrt(both.sum(axis=2) / count)
    weights = _weights(-0.5 * (distance / kernel_width) ** 2 - pairs.log_expected[:, None])
    design = np.concatenate([np.ones((*both.shape[:2], 1)), both], axis=2)
    fit = _least_squares(design, values, weights, np.full(count + 1, 1e-6 * weights.sum()))
    select = np.eye(count + 1)[:, 1:]
    error = _standard_error(fit, select, pairs.enumerated)
    return Estimate(fit.coefficients[1:], error)


@dataclass(frozen=True)
class _Fit:
    coefficients: Floats  # k × C
    influence: Floats  # P × 2 × k: what each row's residual adds to the coefficients
    residuals: Floats  # P × 2 × C, divided by one less their leverage


def _least_squares(design: Floats, response: Floats, weights: Floats, ridge: Floats) -> _Fit:
    """Fit P clusters of m rows with k columns to C responses: design P × m × k, response P × m × C, weights P × m, ridge k."""
    weighted = design * weights[..., None]
    gram = np.einsum("pmi,pmj->ij", weighted, design, optimize=True)
    inverse = np.linalg.pinv(gram + np.diag(ridge), hermitian=True)
    coefficients = inverse @ np.einsum("pmi,pmc->ic", weighted, response, optimize=True)
    influence = weighted @ inverse
    leverage = np.minimum(np.einsum("pmi,pmi->pm", influence, design), _HIGHEST_LEVERAGE)
    residuals = (response - design @ coefficients) / (1 - leverage)[..., None]
    return _Fit(coefficients, influence, residuals)


def _standard_error(fit: _Fit, project: Floats, certain: int) -> Floats:
    """Return n × C: the root of the summed squares of what each cluster adds to the projected coefficients.

    The first `certain` clusters are not drawn and add no error.
    """
    moved = fit.influence @ project
    moved[:certain] = 0
    return np.stack(
        [
            np.sqrt((np.einsum("pmn,pm->pn", moved, fit.residuals[..., column]) ** 2).sum(axis=0))
            for column in range(fit.residuals.shape[-1])
        ],
        axis=1,
    )


def _outputs(pairs: Pairs, columns: list[int], output: Output) -> tuple[Floats, Floats, Floats]:
    found = (pairs.logits[..., columns], pairs.whole[columns], pairs.nothing[columns])
    logits, whole, nothing = found
    return (
        (expit(logits), expit(whole), expit(nothing)) if output == "probability" else (logits, whole, nothing)
    )


def _weights(logarithms: Floats) -> Floats:
    """Return weights of mean 1."""
    weights = np.exp(logarithms - logarithms.max())
    return np.asarray(weights / weights.mean())
