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
    """Estimate Shapley values by KernelSHAP's regression (Lundberg and Lee 2017, theorem 2).

    With complements, the regression of f on coalitions becomes one of half the difference of a pair, in which every
    interaction of even order cancels (Covert and Lee 2021). The values of an output sum to f(whole) - f(nothing).
    """
    values, whole, nothing = _outputs(pairs, columns, output)
    count = pairs.shown.shape[1]
    sizes = pairs.shown.sum(axis=1)
    weights = _weights(-log_binomial(count, sizes) - np.log(sizes * (count - sizes)) - pairs.log_probability)
    share = (whole - nothing) / count
    centred = pairs.shown - 0.5
    response = (values[:, 0] - values[:, 1]) / 2 - centred.sum(axis=1, keepdims=True) * share
    # The values less their mean have n - 1 degrees of freedom: coordinates in a basis orthogonal to (1, ..., 1)
    basis = np.linalg.qr(np.column_stack([np.ones(count), np.eye(count)[:, 1:]]))[0][:, 1:]
    fit = _least_squares((centred @ basis)[:, None], response[:, None], weights[:, None], ridge=0)
    error = _standard_error(fit, basis.T) * (not pairs.is_exhaustive)
    return Estimate(share + basis @ fit.coefficients, error)


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
    weights = _weights(-0.5 * (distance / kernel_width) ** 2 - pairs.log_probability[:, None])
    design = np.concatenate([np.ones((*both.shape[:2], 1)), both], axis=2)
    fit = _least_squares(design, values, weights, ridge=1e-6 * weights.sum())
    select = np.eye(count + 1)[:, 1:]
    error = _standard_error(fit, select) * (not pairs.is_exhaustive)
    return Estimate(fit.coefficients[1:], error)


@dataclass(frozen=True)
class _Fit:
    coefficients: Floats  # k × C
    influence: Floats  # P × 2 × k: what each row's residual adds to the coefficients
    residuals: Floats  # P × 2 × C, divided by one less their leverage


def _least_squares(design: Floats, response: Floats, weights: Floats, *, ridge: float) -> _Fit:
    """Fit P clusters of m rows with k columns to C responses: design P × m × k, response P × m × C, weights P × m."""
    weighted = design * weights[..., None]
    gram = np.einsum("pmi,pmj->ij", weighted, design, optimize=True)
    inverse = np.linalg.pinv(gram + ridge * np.eye(len(gram)), hermitian=True)
    coefficients = inverse @ np.einsum("pmi,pmc->ic", weighted, response, optimize=True)
    influence = weighted @ inverse
    leverage = np.minimum(np.einsum("pmi,pmi->pm", influence, design), _HIGHEST_LEVERAGE)
    residuals = (response - design @ coefficients) / (1 - leverage)[..., None]
    return _Fit(coefficients, influence, residuals)


def _standard_error(fit: _Fit, project: Floats) -> Floats:
    """Return n × C: the root of the summed squares of what each cluster adds to the projected coefficients."""
    moved = fit.influence @ project
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
