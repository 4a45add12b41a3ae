"""A stream of evaluated coalitions, drawn so that LIME and KernelSHAP can both be estimated from it.

Coalitions come with their complements (antithetic pairs: Covert and Lee, *Improving KernelSHAP*, AISTATS 2021). Their
sizes are drawn from an even mixture of two proposals, which importance weights undo (the balance heuristic of Veach
and Guibas 1995):

- every size alike, the leverage scores of Shapley's regression (Musco and Witter, *Provably accurate Shapley value
  estimation via leverage score sampling*, ICLR 2025),
- the binomial sizes of LIME, which shows each superpixel with probability one half.

Where all coalitions are no more than would be drawn, each is taken once and the estimates are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

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
    shown
        bool, P × n: which superpixels show in the first of each pair; in the second, the others do.
    logits
        float64, P × 2 × C.
    whole, nothing
        float64, C: with every superpixel and with none.
    log_probability
        float64, P: of drawing each coalition, up to a constant.
    is_exhaustive
        Whether these are all the coalitions there are, so that nothing is left to chance.
    """

    shown: npt.NDArray[np.bool_]
    logits: npt.NDArray[np.float64]
    whole: npt.NDArray[np.float64]
    nothing: npt.NDArray[np.float64]
    log_probability: npt.NDArray[np.float64]
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
        self.is_exhaustive = count <= _ENUMERATED_UP_TO
        self._size_probabilities = size_probabilities(count)
        self._waiting = _all_pairs(count) if self.is_exhaustive else np.empty((0, count), bool)
        ends = evaluate(np.stack([np.ones(count, bool), np.zeros(count, bool)]))
        self.whole, self.nothing = ends[0], ends[1]
        self._shown = np.empty((0, count), bool)
        self._logits = np.empty((0, 2, ends.shape[1]))

    @property
    def evaluations(self) -> int:
        """Forward passes so far, the whole radiograph and the hidden one among them."""
        return 2 + 2 * len(self._shown)

    def take(self, pairs: int) -> Pairs:
        """Return the first `pairs` pairs of the stream, or all there are, evaluating those not yet evaluated."""
        wanted = pairs - len(self._shown)
        if wanted > 0:
            drawn = self._draw(wanted)
            both = self._evaluate(np.concatenate([drawn, ~drawn])).reshape(2, len(drawn), -1).swapaxes(0, 1)
            self._shown = np.concatenate([self._shown, drawn])
            self._logits = np.concatenate([self._logits, both])
        shown = self._shown[:pairs]
        sizes = shown.sum(axis=1)
        log_probability = np.log(self._size_probabilities[sizes]) - log_binomial(self.count, sizes)
        if self.is_exhaustive:
            log_probability = np.zeros(len(sizes))
        return Pairs(
            shown, self._logits[:pairs], self.whole, self.nothing, log_probability, self.is_exhaustive
        )

    def _draw(self, pairs: int) -> npt.NDArray[np.bool_]:
        if self.is_exhaustive:
            drawn, self._waiting = self._waiting[:pairs], self._waiting[pairs:]
            return drawn
        # One pair after another, so that the stream does not depend on how many are asked for at once
        return np.stack([self._draw_one() for _ in range(pairs)])

    def _draw_one(self) -> npt.NDArray[np.bool_]:
        size = self._random.choice(self.count + 1, p=self._size_probabilities)
        shown = np.zeros(self.count, bool)
        shown[self._random.permutation(self.count)[:size]] = True
        return shown


def size_probabilities(count: int) -> npt.NDArray[np.float64]:
    """Return the probability of drawing a coalition of each size 0..n; never the empty one or the whole."""
    sizes = np.arange(count + 1)
    binomial = np.exp(log_binomial(count, sizes) - count * np.log(2))
    inner = (sizes > 0) & (sizes < count)
    mixture = inner / inner.sum() + np.where(inner, binomial, 0) / binomial[inner].sum()
    return np.asarray(mixture / 2)


def log_binomial(count: int, sizes: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Return the logarithm of the number of coalitions of each size."""
    return np.asarray(gammaln(count + 1) - gammaln(sizes + 1) - gammaln(count - sizes + 1))


def _all_pairs(count: int) -> npt.NDArray[np.bool_]:
    """Return one of every pair of complements but the empty one and the whole, (2**(n - 1) - 1) × n."""
    numbers = np.arange(1, 2 ** (count - 1))
    return np.asarray((numbers[:, None] >> np.arange(count)) % 2 == 1)
