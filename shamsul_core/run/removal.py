"""What the model says of a simulated radiograph without a finding: whether it used the finding at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

MOVED_FROM = 0.25
"""A fall of the logit that counts: a quarter of the odds and more."""


@dataclass(frozen=True)
class Removal:
    """A finding's logit on the radiograph, and on the same patient, exposure and noise without the finding.

    Parameters
    ----------
    logit, logit_without
        Natural logarithm of the odds, finite.
    """

    logit: float
    logit_without: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.logit) and math.isfinite(self.logit_without)):
            message = "a logit with or without a finding is not finite"
            raise ValueError(message)

    @property
    def change(self) -> float:
        """By how much the finding raises its logit."""
        return self.logit - self.logit_without

    @property
    def probability(self) -> float:
        """The probability with the finding, 0..1."""
        return _sigmoid(self.logit)

    @property
    def probability_without(self) -> float:
        """The probability without the finding, 0..1."""
        return _sigmoid(self.logit_without)

    @property
    def was_used(self) -> bool:
        """Whether the prediction falls without the finding by `MOVED_FROM` and more."""
        return self.change >= MOVED_FROM


def _sigmoid(logit: float) -> float:
    """Return the logistic function, without overflow.

    >>> _sigmoid(0.0), _sigmoid(-1000.0), _sigmoid(1000.0)
    (0.5, 0.0, 1.0)
    """
    shrunk = math.exp(-abs(logit))
    return (1 if logit >= 0 else shrunk) / (1 + shrunk)
