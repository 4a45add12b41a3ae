"""From probabilities to decisions: a threshold for each observation, and what is right and wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from shamsul_core.cohort.patients import number_patients
from shamsul_core.statistics.intervals import wilson
from shamsul_core.statistics.prediction.discrimination import curves, observations_of
from shamsul_core.vocabulary import DECISION_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

ThresholdRule: TypeAlias = Literal["fixed", "Youden"]
THRESHOLD_RULES: tuple[ThresholdRule, ...] = get_args(ThresholdRule)

RULE_TITLES: Mapping[ThresholdRule, str] = {"fixed": f"{DECISION_THRESHOLD:g}", "Youden": "Youden"}
"""What the rules are called, on pages and on the command line."""

RULE_MEANINGS: Mapping[ThresholdRule, str] = {
    "fixed": f"with a probability of {DECISION_THRESHOLD:.2f} or more",
    "Youden": "with a probability at or above its own Youden threshold",
}
"""When a pathology counts as predicted."""

CORRECT = {"TP": True, "TN": True, "FP": False, "FN": False}
"""Whether a decision agrees with the label; other decisions have nothing to agree with."""


@dataclass(frozen=True)
class Thresholds:
    """From which probability on each observation counts as predicted; all that speaks of a decision asks these.

    Parameters
    ----------
    rule
        Which rule made them.
    own
        The thresholds that the rule gave, by observation; any other has `DECISION_THRESHOLD`.

    Examples
    --------
    >>> thresholds = Thresholds("Youden", {"Edema": 0.31})
    >>> thresholds.of("Edema"), thresholds.of("Fracture")
    (0.31, 0.5)
    """

    rule: ThresholdRule = "fixed"
    own: Mapping[str, float] = field(default_factory=dict, hash=False)

    def of(self, observation: str) -> float:
        """Return an observation's threshold, 0..1; a probability from it on counts as predicted."""
        return self.own.get(observation, DECISION_THRESHOLD)

    def is_predicted(self, observation: str, probability: float) -> bool:
        """Return whether a probability counts as predicted; NaN does not."""
        return bool(probability >= self.of(observation))

    def in_words(self, observation: str, probability: float) -> str:
        """Return whether a probability counts as predicted and at which threshold, so that the figures agree with it.

        >>> Thresholds().in_words("Edema", 0.731)
        'predicted (threshold 0.50)'
        >>> Thresholds("Youden", {"Edema": 0.3128}).in_words("Edema", 0.3099)
        'not predicted (0.310, Youden threshold 0.313)'
        """
        threshold = self.of(observation)
        digits = next((n for n in (2, 3, 4) if _agree(probability, threshold, n)), 6)
        name = "Youden threshold" if observation in self.own else "threshold"
        in_full = "" if digits == 2 else f"{probability:.{digits}f}, "
        verdict = "predicted" if self.is_predicted(observation, probability) else "not predicted"
        return f"{verdict} ({in_full}{name} {threshold:.{digits}f})"


def _agree(probability: float, threshold: float, digits: int) -> bool:
    """Return whether rounded figures are in the order that they are in."""
    rounded = round(probability, digits) >= round(threshold, digits)
    return rounded == (probability >= threshold)


def threshold_rule(name: str) -> ThresholdRule:
    """Return the rule of a title, in any case.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> threshold_rule("youden"), threshold_rule("0.5")
    ('Youden', 'fixed')
    """
    rule = next((rule for rule, title in RULE_TITLES.items() if title.lower() == name.lower()), None)
    if rule is None:
        message = f"unknown threshold {name!r}; there are {', '.join(RULE_TITLES.values())}"
        raise ValueError(message)
    return rule


def decision_thresholds(predictions: pd.DataFrame, labels: pd.DataFrame, rule: ThresholdRule) -> Thresholds:
    """Return each observation's threshold.

    Parameters
    ----------
    predictions, labels
        As in `shamsul_core.statistics.prediction.discrimination`.
    rule
        ``"fixed"``, which is `DECISION_THRESHOLD` for all, or ``"Youden"``: the probability of this cohort where
        sensitivity + specificity - 1 is largest (Youden 1950), the highest of several. Chosen and judged on the same
        radiographs, it flatters. Observations that lack positives or negatives have none of their own.
    """
    if rule == "fixed":
        return Thresholds()
    points = curves(predictions, labels)
    points = points[np.isfinite(points["threshold"])]
    gain = points["true_positive_rate"] - points["false_positive_rate"]
    best = gain.groupby(points["observation"]).idxmax()
    return Thresholds(rule, points.loc[best].set_index("observation")["threshold"].to_dict())


def decide(predictions: pd.DataFrame, labels: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Return what is decided of each radiograph and observation, and whether it is right.

    Returns
    -------
    DataFrame
        ``image_id``, ``observation``, ``label``, ``probability``, ``threshold`` and ``decision``: TP, TN, FP, FN, or
        ``uncertain`` or ``no label`` where the label tells nothing, ``no prediction`` where there is none.
    """
    names = observations_of(predictions)
    given = labels.reindex(index=predictions["image_id"], columns=names).to_numpy(np.float64)
    probability = predictions[names].to_numpy(np.float64)
    threshold = np.array([thresholds.of(name) for name in names], np.float64)
    decision = _decisions(given, probability, threshold)
    return pd.DataFrame(
        {
            "image_id": np.repeat(predictions["image_id"].to_numpy(), len(names)),
            "observation": np.tile(np.array(names, object), len(predictions)),
            "label": given.ravel(),
            "probability": probability.ravel(),
            "threshold": np.tile(threshold, len(predictions)),
            "decision": decision.ravel(),
        }
    )


def decide_one(probability: float, label: float | None, threshold: float) -> str:
    """Return what is decided of one radiograph and observation, in the words of `decide`.

    >>> decide_one(0.7, 1.0, 0.5), decide_one(0.2, 1.0, 0.5), decide_one(0.7, None, 0.5)
    ('TP', 'FN', 'no label')
    """
    given = np.array([np.nan if label is None else label])
    return str(_decisions(given, np.array([probability]), np.array([threshold]))[0])


def decision_rates(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return for each observation its threshold, how many decisions of each kind, sensitivity and specificity.

    Returns
    -------
    DataFrame
        The observation as the index; ``threshold``, ``TP``, ``TN``, ``FP``, ``FN``, and ``sensitivity`` and
        ``specificity`` with ``_low`` and ``_high``, Wilson's 95 % interval with as many trials as patients; NaN where
        there is no positive or no negative.
    """
    kinds = pd.crosstab(decisions["observation"], decisions["decision"]).reindex(
        columns=list(CORRECT), fill_value=0
    )
    table = decisions.groupby("observation", sort=False)[["threshold"]].first().join(kinds)
    patients = decisions.assign(patient=number_patients(decisions["image_id"]))
    for rate, right, wrong in (("sensitivity", "TP", "FN"), ("specificity", "TN", "FP")):
        number = table[right] + table[wrong]
        share = table[right] / number.where(number > 0)
        judged = patients[patients["decision"].isin([right, wrong])]
        trials = judged.groupby("observation")["patient"].nunique().reindex(table.index, fill_value=0)
        low, high = wilson(share.to_numpy(float), trials)
        table[rate], table[f"{rate}_low"], table[f"{rate}_high"] = share, low, high
    return table


def _decisions(given: np.ndarray, probability: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    called = probability >= threshold
    cases = {
        "no prediction": np.isnan(probability),
        "no label": np.isnan(given),
        "uncertain": given == -1,
        "TP": called & (given == 1),
        "FN": ~called & (given == 1),
        "FP": called & (given == 0),
        "TN": ~called & (given == 0),
    }
    return np.select(list(cases.values()), [np.array(name, object) for name in cases], default="no label")
