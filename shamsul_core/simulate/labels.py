"""Which findings a simulated patient has: as often, and as often together, as in CheXpert.

Shares are those of CheXpert's training set (Irvin et al. 2019; the paper's Table 1). What goes together is drawn through
one normal variable for each observation; that of the sick has a part in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from shamsul_core.simulate.hierarchy import DEVICES, OPACITIES, parents
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, NO_FINDING, OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.simulate.habitus import Sex

SHARES = {
    "Enlarged Cardiomediastinum": (0.0481, 0.0541),
    "Cardiomegaly": (0.1226, 0.0352),
    "Lung Opacity": (0.12, 0.0231),
    "Lung Lesion": (0.0365, 0.0057),
    "Edema": (0.2606, 0.0617),
    "Consolidation": (0.0678, 0.1278),
    "Atelectasis": (0.1563, 0.1566),
    "Pneumothorax": (0.0923, 0.0142),
    "Pleural Effusion": (0.4034, 0.0502),
    "Support Devices": (0.5640, 0.0048),
}
"""Positive and uncertain, of all radiographs. Of Lung Opacity the share that is nothing more particular: with what is a
Lung Opacity, too, its whole share comes to about CheXpert's 0.4939."""

_IN_COMMON = {
    "Enlarged Cardiomediastinum": 0.2,
    "Cardiomegaly": 0.45,
    "Lung Opacity": 0.1,
    "Lung Lesion": 0.0,
    "Edema": 0.6,
    "Consolidation": 0.35,
    "Atelectasis": 0.35,
    "Pneumothorax": 0.1,
    "Pleural Effusion": 0.55,
    "Support Devices": 0.45,
}
# Share of consolidations
_PNEUMONIA = 0.35


@dataclass(frozen=True)
class Case:
    """What is to be simulated.

    Parameters
    ----------
    severities
        From 0 to 1 for each finding that is put into the chest.
    labels
        For each of the fourteen observations: 1 positive, 0 negative, -1 uncertain.
    is_pa
        Whether it is taken posteroanteriorly; otherwise it is an AP portable.
    sex, age
        As CheXpert writes them: ``"Male"`` or ``"Female"``, and years.
    has_sign
        Whether it has the sign of the cohort's planted shortcut, see `shamsul_core.simulate.shortcuts`.
    """

    severities: Mapping[str, float]
    labels: Mapping[str, float]
    is_pa: bool
    sex: Sex
    age: int
    has_sign: bool = False


def draw_case(random: np.random.Generator, *, also: str | None = None) -> Case:
    """Return a random case; with the finding `also` in any case."""
    common = random.normal()
    severities, labels = {}, dict.fromkeys(OBSERVATIONS, 0.0)
    for name, (positive, uncertain) in SHARES.items():
        part = _IN_COMMON[name]
        drawn = part * common + np.sqrt(1 - part**2) * random.normal()
        severity = float(random.beta(1.5, 1.5))
        seen = float(random.random())
        if drawn > norm.isf(positive) or name == also:
            labels[name] = 1.0
            severities[name] = 0.12 + 0.88 * severity
        elif drawn > norm.isf(positive + uncertain):
            labels[name] = -1.0
            if seen < 0.5:
                severities[name] = 0.12 * severity
    if labels["Consolidation"] == 1 and random.random() < _PNEUMONIA:
        labels["Pneumonia"] = 1.0
    _keep_hierarchy(labels)
    findings = [name for name in LOCALISED_PATHOLOGIES if name != DEVICES]
    labels[NO_FINDING] = float(all(labels[name] == 0 for name in findings))
    is_pa = bool(random.random() < (0.3 if labels[DEVICES] == 1 else 0.7))
    sex: Sex = "Male" if str(random.choice(["Male", "Female"], p=[0.59, 0.41])) == "Male" else "Female"
    return Case(severities, labels, is_pa, sex, int(np.clip(random.normal(60, 17), 18, 90)))


def _keep_hierarchy(labels: dict[str, float]) -> None:
    """Make a parent positive where a child is, and no less than uncertain where a child is uncertain."""
    for name in (*OPACITIES, "Cardiomegaly"):
        for parent in parents(name):
            if labels[name] == 1:
                labels[parent] = 1.0
            elif labels[name] == -1 and labels[parent] == 0:
                labels[parent] = -1.0
