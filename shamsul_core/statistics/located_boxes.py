"""The share of experts' boxes that a method finds, as the authors of ChestX-ray8 count it.

Wang et al., *ChestX-ray8*, CVPR 2017, section 4.2 and Table 4; see `shamsul_core.localisation.boxes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from shamsul_core.cohort.truth_words import BOX, words_by_pathology
from shamsul_core.localisation.boxes import WANG_THRESHOLDS, localisation_accuracy

if TYPE_CHECKING:
    from collections.abc import Collection

LOCATED_MEANING = (
    "Share of the radiographs with experts' boxes on which a method finds them, that is with a box IoU (intersection over "
    "union of bounding boxes) of at least the threshold: the thresholds of Wang et al. 2017 (ChestX-ray8, Table 4). An "
    "empty mask finds none; of several boxes on one radiograph the mean counts."
)
"""What `located_boxes` is, as sentences."""


def located_boxes(scores: pd.DataFrame, methods: Collection[str]) -> pd.DataFrame:
    """Return the share of radiographs on which each method finds the boxes of each pathology.

    Parameters
    ----------
    scores
        As `shamsul_core.run.SCORE_COLUMNS`.
    methods
        In the order wanted.

    Returns
    -------
    pandas.DataFrame
        pathology, method, truth, n (the radiographs with boxes of which there is a mask, be it empty) and a column of
        shares, 0..1, for each of `WANG_THRESHOLDS`; a row for each pathology that is marked by boxes and has n.
    """
    boxed = [name for name, words in words_by_pathology(scores).items() if words is BOX]
    known = scores[(scores["expert_area_px"] > 0) & scores["mask_area_px"].notna()]
    rows = []
    for pathology in boxed:
        for method in methods:
            here = known[(known["pathology"] == pathology) & (known["method"] == method)]
            overlap = here["iou"].fillna(0).to_numpy(np.float64)
            if len(overlap):
                row = {"pathology": pathology, "method": method, "truth": BOX.noun, "n": len(overlap)}
                rows.append(row | localisation_accuracy(overlap))
    return pd.DataFrame(rows, columns=["pathology", "method", "truth", "n", *WANG_THRESHOLDS])
