"""All that is to be said about a classifier's predictions on a cohort, computed once for page and report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shamsul_core.statistics.prediction.calibration import calibration_scores, reliability
from shamsul_core.statistics.prediction.decisions import Thresholds, decide, decision_rates
from shamsul_core.statistics.prediction.discrimination import Performance, curves, evaluate

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Assessment:
    """A classifier's predictions held against labels; each table is described where it is made.

    Parameters
    ----------
    performance
        From `shamsul_core.statistics.prediction.discrimination.evaluate`.
    points
        From `shamsul_core.statistics.prediction.discrimination.curves`.
    bins, calibration
        From `shamsul_core.statistics.prediction.calibration`.
    decisions, rates
        From `shamsul_core.statistics.prediction.decisions`.
    """

    performance: Performance
    points: pd.DataFrame
    bins: pd.DataFrame
    calibration: pd.DataFrame
    decisions: pd.DataFrame
    rates: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """All that there is about each observation, a row an observation."""
        return self.performance.by_observation.join([self.calibration, self.rates])


def assess(
    predictions: pd.DataFrame, labels: pd.DataFrame, thresholds: Thresholds | None = None
) -> Assessment:
    """Hold predictions against labels.

    Parameters
    ----------
    predictions, labels
        As in `shamsul_core.statistics.prediction.discrimination`.
    thresholds
        From `shamsul_core.statistics.prediction.decisions.decision_thresholds`; the fixed one by default.
    """
    decisions = decide(predictions, labels, thresholds or Thresholds())
    return Assessment(
        performance=evaluate(predictions, labels),
        points=curves(predictions, labels),
        bins=reliability(predictions, labels),
        calibration=calibration_scores(predictions, labels),
        decisions=decisions,
        rates=decision_rates(decisions),
    )
