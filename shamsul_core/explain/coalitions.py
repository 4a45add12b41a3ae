"""A stream of evaluated coalitions, drawn so that LIME and KernelSHAP can both be estimated from it.

Coalitions come with their complements (antithetic pairs: Covert and Lee, *Improving KernelSHAP*, AISTATS 2021). Those
that show one superpixel only, on which Shapley's kernel puts the most weight each, are all taken, as shap does. The
sizes of the others are drawn from an even mixture of two distributions:

- Shapley's kernel (Lundberg and Lee 2017, theorem 2),
- the binomial sizes of LIME, which shows each superpixel with probability one half.

Of few superpixels all coalitions are taken, each once, and once all of them are the estimates are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.explain.interactions import log_binomial

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

_ENUMERATED_UP_TO = 9
"""Superpixels up to which all coalitions are taken, 510 besides the empty one and the whole."""


@dataclass(frozen=True)
class Pairs:
    """Coalitions with their complements, evaluated.

    Parameters
    ----------
    coalitions
        bool, P × n: which superpixels show in the first of each pair; in the second, the others do.
    logits
        float64, P × 2 × C: all the classifier's outputs, of the first and of the second.
    whole, nothing
        Logits, float64, C: with every superpixel and with none.
    is_exhaustive
        Whether these are all the coalitions there are, so that nothing is left to chance.
    """

    coalitions: npt.NDArray[np.bool_]
    logits: npt.NDArray[np.float64]
    whole: npt.NDArray[np.float64]
    nothing: npt.NDArray[np.float64]
    is_exhaustive: bool


class CoalitionStream:
    """Evaluated pairs of coalitions, more of them when asked for.

    Parameters
    ----------
    evaluate
        Function of coalitions k × n that returns logits k × C.
    count
        Number of superpixels n, at least 2.
    seed
        The same seed gives the same stream, however it is asked for.
    """

    def __init__(
        self,
        evaluate: Callable[[npt.NDArray[np.bool_]], npt.NDArray[np.float64]],
        count: int,
        *,
        seed: int,
    ) -> None:
        self.count = count
        self._evaluate = evaluate
        self._random = np.random.default_rng(seed)
        self._is_finite = count <= _ENUMERATED_UP_TO
        self._size_probabilities = size_probabilities(count)
        self._enumerated = _all_pairs(count, self._random) if self._is_finite else np.eye(count, dtype=bool)
        ends = evaluate(np.stack([np.ones(count, bool), np.zeros(count, bool)]))
        self.whole, self.nothing = ends[0], ends[1]
        self._coalitions = np.empty((0, count), bool)
        self._logits = np.empty((0, 2, ends.shape[1]))

    @property
    def evaluations(self) -> int:
        """Forward passes so far, the whole radiograph and the hidden one among them."""
        return 2 + 2 * len(self._coalitions)

    def take(self, pairs: int) -> Pairs:
        """Return the first `pairs` pairs of the stream, or all there are, evaluating those not yet evaluated."""
        start = len(self._coalitions)
        if self._is_finite:
            pairs = min(pairs, len(self._enumerated))
        if pairs > start:
            # One pair after another, so that the stream does not depend on how many are asked for at once
            more = pairs - max(start, len(self._enumerated))
            drawn = [self._draw() for _ in range(0 if self._is_finite else more)]
            new = np.concatenate([self._enumerated[start:pairs], np.reshape(drawn, (-1, self.count))]) > 0
            both = self._evaluate(np.concatenate([new, ~new])).reshape(2, len(new), -1).swapaxes(0, 1)
            self._coalitions = np.concatenate([self._coalitions, new])
            self._logits = np.concatenate([self._logits, both])
        is_exhaustive = self._is_finite and pairs >= len(self._enumerated)
        return Pairs(self._coalitions[:pairs], self._logits[:pairs], self.whole, self.nothing, is_exhaustive)

    def _draw(self) -> npt.NDArray[np.bool_]:
        size = self._random.choice(self.count + 1, p=self._size_probabilities)
        coalition = np.zeros(self.count, bool)
        coalition[self._random.permutation(self.count)[:size]] = True
        return coalition


def size_probabilities(count: int) -> npt.NDArray[np.float64]:
    """Return the probability of drawing a coalition of each size 0..n, float64, n + 1.

    None is drawn that shows or hides fewer than two superpixels; with fewer than four all probabilities are 0.

    >>> size_probabilities(5).tolist()
    [0.0, 0.0, 0.5, 0.5, 0.0, 0.0]
    """
    sizes = np.arange(count + 1)
    inner = (sizes > 1) & (sizes < count - 1)
    kernel = np.divide(1, sizes * (count - sizes), out=np.zeros(count + 1), where=inner)
    binomial = np.where(inner, np.exp(log_binomial(count, sizes) - count * np.log(2)), 0)
    return np.asarray((kernel / kernel.sum() + binomial / binomial.sum()) / 2) if inner.any() else binomial


def _all_pairs(count: int, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return one of every pair of complements but the empty one and the whole, (2**(n - 1) - 1) × n.

    Those that show or hide one superpixel only come first, the others in random order, so that the first are a sample.
    """
    numbers = np.arange(1, 2 ** (count - 1))
    pairs = (numbers[:, None] >> np.arange(count)) % 2 == 1
    sizes = pairs.sum(axis=1)
    is_first = np.minimum(sizes, count - sizes) == 1
    return np.concatenate([pairs[is_first], random.permutation(pairs[~is_first])])
