"""What the paper reports, and beside which runs it can be held.

Alam et al., *SHAMSUL: Simultaneous Heatmap-Analysis to investigate Medical Significance Utilizing Local
interpretability methods* (2023): mean IoU on CheXpert's validation set, Figures 4, 9, 14 and 19, as far as the text
gives their figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort.patients import is_chexpert_validation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.cohort import Cohort

PREDICTION: Mapping[str, float] = {"auroc": 0.76, "auprc": 0.65}
"""Weighted averages on CheXpert's validation set, 234 radiographs of 200 patients."""

SOURCE = "Alam et al. 2023, Figures 4, 9, 14 and 19"

MEAN_IOU: Mapping[str, Mapping[str, float]] = {
    "lime": {
        "Lung Opacity": 0.116,
        "Support Devices": 0.143,
        "Atelectasis": 0.067,
        "Cardiomegaly": 0.140,
        "Consolidation": 0.157,
        "Edema": 0.225,
        "Enlarged Cardiomediastinum": 0.172,
        "Pleural Effusion": 0.044,
        "Pneumothorax": 0.082,
        "Lung Lesion": 0.0,
    },
    "shap": {"Pneumothorax": 0.301},
    "gradcam": {"Cardiomegaly": 0.234, "Lung Lesion": 0.0},
    "lrp": {"Enlarged Cardiomediastinum": 0.178, "Lung Lesion": 0.0},
}
"""By method and pathology."""

BOX_FIGURES: Mapping[str, int] = {"lime": 4, "shap": 9, "gradcam": 14, "lrp": 19}
"""Number of each method's box plots; its four figures of cases follow."""

SHOWN = ("Lung Opacity", "Support Devices")
"""The pathologies whose cases the paper shows."""

CASES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "lime": {
        "best": ("IoU 0.38, probability 0.42", "IoU 0.48, probability 0.86"),
        "probable": ("IoU 0.16, probability 0.63", "IoU 0.25, probability 0.93"),
        "multilabel": ("IoU 0.31, probability 0.58", "IoU 0.08, probability 0.92"),
    },
    "shap": {
        "best": ("IoU 0.34, probability 0.52", "IoU 0.26, probability 0.63"),
        "probable": ("IoU 0.23, probability 0.63", "IoU 0.13, probability 0.93"),
        "multilabel": ("IoU 0.17, probability 0.58", "IoU 0.03, probability 0.92"),
    },
    "gradcam": {
        "best": ("IoU 0.35, probability 0.54", "IoU 0.32, probability 0.63"),
        "probable": ("IoU 0.23, probability 0.63", "IoU 0.18, probability 0.93"),
        "multilabel": ("no IoU, probability 0.58", "IoU 0.06, probability 0.92"),
    },
    "lrp": {
        "best": ("IoU 0.24, probability 0.63", "IoU 0.27, probability 0.63"),
        "probable": ("IoU 0.24, probability 0.63", "IoU 0.14, probability 0.93"),
        "multilabel": ("IoU 0.12, probability 0.58", "IoU 0.04, probability 0.92"),
    },
}
"""What the paper's figures of cases say, by method, criterion and place in `SHOWN`."""


def why_not_comparable(cohort: Cohort) -> str | None:
    """Return as a sentence why the paper's figures cannot be held beside a cohort's; ``None`` where they can.

    They can where the radiographs are those of the paper: real, and of CheXpert's validation patients, all of them.
    """
    if cohort.is_simulated:
        reason = "these radiographs are simulated"
    elif cohort.split != "val" or not is_chexpert_validation(cohort.radiographs):
        reason = "these are different radiographs"
    else:
        return None
    return (
        f"The paper's results are for the CheXpert validation set and are not shown here, because {reason}."
    )
