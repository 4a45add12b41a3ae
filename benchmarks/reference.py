"""What LIME's coefficients and Shapley values tend to, from very many evaluations by another way than ours.

Weighted least squares over coalitions and their complements, each weighted by what the method wants of it over how
often it was to be expected. No assumption on the network's answers is made, so that only their number counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.explain.coalitions import size_probabilities
from shamsul_core.explain.interactions import log_binomial

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.explain.coalitions import Pairs

    Floats = npt.NDArray[np.float64]


def shapley_reference(pairs: Pairs) -> Floats:
    r"""Return n × C by KernelSHAP's regression on half the difference of a pair (Covert and Lee 2021).

    Each superpixel has a second slope, q = (2 |z| / n - 1)² times its first, whose Shapley values are known
    (regression adjustment: Witter et al., arXiv 2506.11849, 2025).
    """
    count = pairs.coalitions.shape[1]
    sizes = pairs.coalitions.sum(axis=1)
    weights = _weights(-log_binomial(count, sizes) - np.log(sizes * (count - sizes)) - _log_expected(pairs))
    signed = pairs.coalitions - 0.5
    design = np.concatenate([signed, signed * _imbalance(sizes, count)[:, None]], axis=1)
    slopes = _solve(design, (pairs.logits[:, 0] - pairs.logits[:, 1]) / 2, weights)
    # Of the game (z_i - 1/2) q, player i's Shapley value exceeds the others' by this
    own = _imbalance(np.arange(count + 1), count)
    excess = (count * (own[:-1] + own[1:]).mean() / 2 - 1) / (count - 1)
    values = slopes[:count] + excess * slopes[count:]
    return np.asarray((pairs.whole - pairs.nothing) / count + values - values.mean(axis=0))


def _imbalance(sizes: npt.NDArray[np.integer], count: int) -> Floats:
    return np.asarray((2 * sizes / count - 1) ** 2)


def surrogate_reference(pairs: Pairs, kernel_width: float) -> Floats:
    """Return n × C by LIME's regression (Ribeiro et al. 2016)."""
    count = pairs.coalitions.shape[1]
    both = np.concatenate([pairs.coalitions, ~pairs.coalitions])
    distance = 1 - np.sqrt(both.sum(axis=1) / count)
    weights = _weights(-0.5 * (distance / kernel_width) ** 2 - np.tile(_log_expected(pairs), 2))
    design = np.concatenate([np.ones((len(both), 1)), both], axis=1)
    response = np.concatenate([pairs.logits[:, 0], pairs.logits[:, 1]])
    return _solve(design, response, weights)[1:]


def _log_expected(pairs: Pairs) -> Floats:
    """Return how often each pair was to be expected, as a logarithm; those that show one superpixel are certain."""
    count = pairs.coalitions.shape[1]
    sizes = pairs.coalitions.sum(axis=1)
    drawn = sizes > 1
    expected = np.zeros(len(sizes))
    expected[drawn] = np.log(2 * drawn.sum() * size_probabilities(count)[sizes[drawn]]) - log_binomial(
        count, sizes[drawn]
    )
    return expected


def _solve(design: Floats, response: Floats, weights: Floats) -> Floats:
    root = np.sqrt(weights)[:, None]
    return np.asarray(np.linalg.lstsq(design * root, response * root, rcond=None)[0])


def _weights(logarithms: Floats) -> Floats:
    weights = np.exp(logarithms - logarithms.max())
    return np.asarray(weights / weights.mean())
