"""Findings put into the chest, each as the Fleischner Society's glossary describes it.

Hansell et al., *Fleischner Society: Glossary of Terms for Thoracic Imaging*, Radiology 246 (2008). A finding is a
weight for each place of a box: how far the tissue there is replaced by what the finding is made of, or how much is
added to it. What an expert would outline of it follows from what it changes in the picture, see `contours`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.simulate.findings.finding import Finding
from shamsul_core.simulate.findings.opacities import (
    atelectasis,
    consolidation,
    edema,
    lung_lesion,
    lung_opacity,
)
from shamsul_core.simulate.findings.organs import cardiomegaly, enlarged_cardiomediastinum
from shamsul_core.simulate.findings.pleura import pleural_effusion, pneumothorax

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from shamsul_core.simulate.chest import Chest

__all__ = ["MAKERS", "Finding"]

MAKERS: dict[str, Callable[[Chest, np.random.Generator, float], list[Finding]]] = {
    "Enlarged Cardiomediastinum": enlarged_cardiomediastinum,
    "Cardiomegaly": cardiomegaly,
    "Lung Lesion": lung_lesion,
    "Lung Opacity": lung_opacity,
    "Edema": edema,
    "Consolidation": consolidation,
    "Atelectasis": atelectasis,
    "Pneumothorax": pneumothorax,
    "Pleural Effusion": pleural_effusion,
}
"""How each finding in the volume is made; devices are lines, see `devices`."""
