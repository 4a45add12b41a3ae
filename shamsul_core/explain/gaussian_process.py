r"""What the network answers to coalitions, as a Gaussian process over interactions of superpixels.

The coefficients of its Walsh functions (`walsh`) are taken for independent, those of a degree for equally large, and
those of high degree for noise. The covariance of two answers then depends on how many superpixels they treat alike,
and the evaluated coalitions give each explanation with its error in closed form, as Bayesian quadrature does
(O'Hagan 1991). A coalition and its complement, evaluated together, separate the odd degrees, on which Shapley values
rest alone, from the even ones (Fumagalli et al., *An odd estimator for Shapley values*, arXiv 2602.01399, 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from shamsul_core.explain.interactions import walsh_means

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.explain.interactions import Floats, Readout

ODD, EVEN = (1, 3), (2, 4)
"""The two degrees modelled in each half of the answers."""
DEGREES = 5
"""How many degrees there are up to the highest modelled, 0 among them."""
_HIGH_DEGREE = (0.0, 0.05, 0.2)
"""Variance of the higher degree over that of the lower; chosen for each output, as the noise is."""
_NOISE = 10 ** np.arange(-5, 0.1, 0.5)
_TINY = 1e-30


@dataclass(frozen=True)
class Half:
    """The odd or the even half of the answers to P pairs of coalitions, fitted.

    Parameters
    ----------
    coalitions
        bool, P × n: the first of each pair.
    solved
        float64, P × C: the covariance's inverse times the answers, of C outputs.
    variances
        float64, `DEGREES` × C: of the Walsh functions of each degree together, over the scale.
    scale
        float64, C: the variance of the lower degree's Walsh functions together, in the answers' unit squared.
    roots
        For each output, the covariance's square root inverted: P × P, W with W @ W.T its inverse.
    """

    coalitions: npt.NDArray[np.bool_]
    solved: Floats
    variances: Floats
    scale: Floats
    roots: list[Floats]

    def read(self, readout: Readout) -> tuple[Floats, Floats]:
        """Return the expectation and the variance, both n × C, of the superpixels' values."""
        by_degree = _covariances(self.coalitions, readout)
        count = self.coalitions.shape[1]
        share = np.arange(DEGREES) / count
        unconditional = share * readout.inside**2 + (1 - share) * readout.outside**2
        means, variances = [], []
        for column, root in enumerate(self.roots):
            covariance = np.tensordot(self.variances[:, column], by_degree, 1)
            means.append(covariance.T @ self.solved[:, column])
            explained = ((root.T @ covariance) ** 2).sum(axis=0)
            variances.append(self.scale[column] * (self.variances[:, column] @ unconditional - explained))
        return np.stack(means, axis=1), np.maximum(np.stack(variances, axis=1), 0)


def fit(coalitions: npt.NDArray[np.bool_], answers: Floats, degrees: tuple[int, int]) -> Half:
    """Fit one half of the answers; the variances and the noise are those of highest likelihood.

    Parameters
    ----------
    coalitions
        bool, P × n: the first of each pair.
    answers
        float64, P × C: half the difference of each pair's answers (odd degrees), or their mean (even).
    degrees
        `ODD` or `EVEN`.

    Examples
    --------
    Of six superpixels the first adds 3 to the answer and the second takes 1 away. Where one superpixel shows, and in the
    complement all the others, half the difference of the two answers is half of w · s, with s = 1 shown, -1 hidden. Six
    such pairs and the whole tell all six values; three pairs leave them open, and the standard error says so.

    >>> from shamsul_core.explain.interactions import shapley_readout
    >>> weights, coalitions = np.array([3.0, -1, 0, 0, 0, 0]), np.concatenate([np.eye(6), np.ones((1, 6))]) > 0
    >>> answers = (2.0 * coalitions - 1) @ weights[:, None] / 2
    >>> values, variance = fit(coalitions, answers, ODD).read(shapley_readout(DEGREES))
    >>> bool(np.allclose(values[:, 0], weights, atol=0.01)), bool(np.sqrt(variance).max() < 0.02)
    (True, True)
    >>> values, variance = fit(coalitions[:3], answers[:3], ODD).read(shapley_readout(DEGREES))
    >>> bool(np.sqrt(variance).min() > 0.5)
    True
    """
    pairs, count = coalitions.shape
    signs = 2.0 * coalitions - 1
    hidden = np.rint((count - signs @ signs.T) / 2).astype(np.intp)
    means = walsh_means(count, np.arange(count + 1), DEGREES)
    candidates = []
    for high in _HIGH_DEGREE:
        variances = np.zeros(DEGREES)
        variances[list(degrees)] = 1, high
        # With a second thread it is no faster on matrices of this size, and on a busy machine many times slower
        with threadpool_limits(1, user_api="blas"):
            values, vectors = np.linalg.eigh((variances @ means)[hidden])
        values = np.maximum(values, 0)[:, None] + _NOISE
        turned = vectors.T @ answers
        scale = np.maximum((turned[:, :, None] ** 2 / values[:, None]).mean(axis=0), _TINY)
        likelihood = -pairs * np.log(scale) - np.log(values).sum(axis=0)
        candidates.append((likelihood, variances, values, vectors, turned, scale))
    best_of = np.stack([likelihood.max(axis=1) for likelihood, *_ in candidates]).argmax(axis=0)
    solved, chosen, scales, roots = [], [], [], []
    for column, best in enumerate(best_of):
        likelihood, variances, values, vectors, turned, scale = candidates[best]
        noise = likelihood[column].argmax()
        solved.append(vectors @ (turned[:, column] / values[:, noise]))
        chosen.append(variances)
        scales.append(scale[column, noise])
        roots.append(vectors / np.sqrt(values[:, noise]))
    return Half(coalitions, np.stack(solved, axis=1), np.stack(chosen, axis=1), np.array(scales), roots)


def _covariances(coalitions: npt.NDArray[np.bool_], readout: Readout) -> Floats:
    """Return `DEGREES` × P × n: of each superpixel's value with each answer, a degree's variance being 1."""
    count = coalitions.shape[1]
    hidden = count - coalitions.sum(axis=1, keepdims=True)
    others = walsh_means(count - 1, hidden - ~coalitions, DEGREES - 1)
    member = np.where(coalitions, 1.0, -1.0) * np.concatenate([np.zeros((1, *coalitions.shape)), others])
    share = (np.arange(DEGREES) / count)[:, None, None]
    inside, outside = readout.inside[:, None, None], readout.outside[:, None, None]
    return np.asarray(outside * walsh_means(count, hidden, DEGREES) + (inside - outside) * share * member)
