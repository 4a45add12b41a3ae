"""LIME's coefficients and Shapley values from pairs of coalitions, each with its standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import hadamard
from scipy.special import expit

from shamsul_core.explain.gaussian_process import DEGREES, EVEN, ODD, fit
from shamsul_core.explain.interactions import Readout, shapley_readout, surrogate_readout

if TYPE_CHECKING:
    from shamsul_core.explain.coalitions import Pairs
    from shamsul_core.explain.interactions import Floats
    from shamsul_core.heatmap import Output


@dataclass(frozen=True)
class Estimate:
    """Values of superpixels for some outputs.

    Parameters
    ----------
    values, standard_error
        float64, n × C: what is to be expected, and how far from it the values at infinitely many evaluations may be.
    """

    values: Floats
    standard_error: Floats

    @property
    def reliability(self) -> Floats:
        """The correlation with the values at infinitely many evaluations to be expected, 0..1, for each of C outputs.

        These are the expectation and an error that does not go with it, so that the square of that correlation is
        the expectation's share in their variance.
        """
        spread = self.values.var(axis=0)
        total = spread + (self.standard_error**2).mean(axis=0)
        return np.asarray(np.sqrt(np.divide(spread, total, out=np.zeros_like(spread), where=total > 0)))


def shapley_values(pairs: Pairs, columns: list[int], output: Output) -> Estimate:
    """Estimate Shapley values (Lundberg and Lee 2017); those of an output sum to f(whole) - f(nothing).

    Parameters
    ----------
    columns
        The C of the classifier's outputs to be explained.
    output
        Whether their logits or their probabilities are.

    Examples
    --------
    Two superpixels matter only together, and share what they add evenly; the third adds 2 by itself.

    >>> def logit(coalitions):
    ...     first, second, third = coalitions.T
    ...     return (first * second + 2 * third)[:, None]
    >>> from shamsul_core.explain.coalitions import CoalitionStream
    >>> pairs = CoalitionStream(logit, 3, seed=0).take(100)
    >>> shapley_values(pairs, [0], "logit").values[:, 0].round(6).tolist()
    [0.5, 0.5, 2.0]
    """
    answers = _answers(pairs, columns, output)
    count = pairs.coalitions.shape[1]
    if pairs.is_exhaustive:
        return _exact(pairs, answers, shapley_readout(count + 1))
    odd = fit(_with_whole(pairs), (answers[:, 0] - answers[:, 1]) / 2, ODD)
    values, variance = odd.read(shapley_readout(DEGREES))
    remainder = answers[-1, 0] - answers[-1, 1] - values.sum(axis=0)
    return Estimate(values + remainder / count, np.sqrt(variance))


def surrogate_coefficients(pairs: Pairs, columns: list[int], output: Output, kernel_width: float) -> Estimate:
    """Estimate the coefficients of LIME's surrogate at infinitely many samples, see `surrogate_readout`.

    Parameters
    ----------
    columns, output
        See `shapley_values`.
    kernel_width
        Of the kernel on the distance between a coalition and the whole radiograph.
    """
    answers = _answers(pairs, columns, output)
    count = pairs.coalitions.shape[1]
    if pairs.is_exhaustive:
        return _exact(pairs, answers, surrogate_readout(count, count + 1, kernel_width))
    readout = surrogate_readout(count, DEGREES, kernel_width)
    coalitions = _with_whole(pairs)
    together = answers.mean(axis=1)
    odd, even = (
        half.read(readout)
        for half in (
            fit(coalitions, (answers[:, 0] - answers[:, 1]) / 2, ODD),
            fit(coalitions, together - together.mean(axis=0), EVEN),
        )
    )
    return Estimate(odd[0] + even[0], np.sqrt(odd[1] + even[1]))


def _exact(pairs: Pairs, answers: Floats, readout: Readout) -> Estimate:
    """Return the values where every coalition was evaluated: from all interactions, without error."""
    coalitions = _with_whole(pairs)
    count = coalitions.shape[1]
    hidden = ~np.concatenate([coalitions, ~coalitions]) @ (1 << np.arange(count))
    in_order = np.empty((2**count, answers.shape[2]))
    in_order[hidden] = np.concatenate([answers[:, 0], answers[:, 1]])
    interactions = hadamard(2**count) @ in_order / 2**count
    member = (np.arange(2**count)[:, None] >> np.arange(count)) % 2 == 1
    degree = member.sum(axis=1)[:, None]
    values = np.where(member, readout.inside[degree], readout.outside[degree]).T @ interactions
    return Estimate(values, np.zeros_like(values))


def _with_whole(pairs: Pairs) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return the first coalitions of the pairs, the whole radiograph (with nothing as its complement) at the end."""
    return np.concatenate([pairs.coalitions, np.ones((1, pairs.coalitions.shape[1]), bool)])


def _answers(pairs: Pairs, columns: list[int], output: Output) -> Floats:
    """Return float64, P + 1 × 2 × C: what is explained, of each pair and of the whole and nothing."""
    ends = np.stack([pairs.whole, pairs.nothing])[None]
    logits = np.concatenate([pairs.logits, ends])[..., columns]
    return np.asarray(expit(logits) if output == "probability" else logits)
