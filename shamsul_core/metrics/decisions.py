"""From probabilities to decisions: a threshold for each observation, and what is right and wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from shamsul_core.metrics.classification import curves, observations_of

if TYPE_CHECKING:
    from collections.abc import Mapping

ThresholdRule: TypeAlias = Literal["0.5", "Youden"]
THRESHOLD_RULES: tuple[ThresholdRule, ...] = get_args(ThresholdRule)

CORRECT = {"TP": True, "TN": True, "FP": False, "FN": False}
"""Whether a decision agrees with the label; other decisions have nothing to agree with."""

HALF = 0.5


def threshold_rule(name: str) -> ThresholdRule:
    """Return the rule of a name, in any case.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = next((rule for rule in THRESHOLD_RULES if rule.lower() == name.lower()), None)
    if found is None:
        message = f"unknown threshold {name!r}; there are {', '.join(THRESHOLD_RULES)}"
        raise ValueError(message)
    return found


def decision_thresholds(
    predictions: pd.DataFrame, labels: pd.DataFrame, rule: ThresholdRule
) -> dict[str, float]:
    """Return each observation's threshold; a probability from it on is called positive.

    Parameters
    ----------
    predictions, labels
        As in `shamsul_core.metrics.classification`.
    rule
        ``"0.5"``, or ``"Youden"``: the probability of this cohort where sensitivity + specificity - 1 is largest
        (Youden 1950), the highest of several. Chosen and judged on the same radiographs, it flatters. Observations
        that lack positives or negatives have none and keep 0.5.
    """
    thresholds = dict.fromkeys(observations_of(predictions), HALF)
    if rule == "Youden":
        points = curves(predictions, labels)
        points = points[np.isfinite(points["threshold"])]
        gain = points["true_positive_rate"] - points["false_positive_rate"]
        best = gain.groupby(points["observation"]).idxmax()
        thresholds |= points.loc[best].set_index("observation")["threshold"].to_dict()
    return thresholds


def decide(predictions: pd.DataFrame, labels: pd.DataFrame, thresholds: Mapping[str, float]) -> pd.DataFrame:
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
    threshold = np.array([thresholds[name] for name in names], np.float64)
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


def decision_rates(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return for each observation its threshold, how many decisions of each kind, sensitivity and specificity.

    Returns
    -------
    DataFrame
        The observation as the index; ``threshold``, ``TP``, ``TN``, ``FP``, ``FN``, and ``sensitivity`` and
        ``specificity``, NaN where there is no positive or no negative.
    """
    kinds = pd.crosstab(decisions["observation"], decisions["decision"]).reindex(
        columns=list(CORRECT), fill_value=0
    )
    positives, negatives = kinds["TP"] + kinds["FN"], kinds["TN"] + kinds["FP"]
    table = decisions.groupby("observation", sort=False)[["threshold"]].first().join(kinds)
    return table.assign(
        sensitivity=kinds["TP"] / positives.where(positives > 0),
        specificity=kinds["TN"] / negatives.where(negatives > 0),
    )


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
