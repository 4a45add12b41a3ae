"""What the experts' masks look like: number, size and shape of the lesions.

Definitions of CheXlocalize's ``compute_pathology_features.py`` (Saporta et al., Nature Machine Intelligence 2022).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd

from shamsul_core.cohort import CohortError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.localisation.segmentation import Mask

FEATURES = {
    "lesions": "number of lesions",
    "area_share": "area (share of the radiograph)",
    "elongation": "elongation",
    "irrectangularity": "irrectangularity",
}
"""Columns of `lesion_table` and their names in words."""


def shape_features(mask: Mask) -> dict[str, float]:
    """Return area share, elongation and irrectangularity of a mask.

    Parameters
    ----------
    mask
        bool, H × W, not empty.

    Returns
    -------
    dict
        ``area_share``, 0..1, of the radiograph; ``elongation``, from 1, the longer over the shorter side of the
        rectangle of least area around the outline with most points; ``irrectangularity``, 0..1, what that outline's
        area leaves of the rectangle. The last two are NaN where the rectangle has no width.

    Examples
    --------
    >>> mask = np.zeros((100, 100), bool)
    >>> mask[10:31, 20:61] = True
    >>> {name: round(value, 3) for name, value in shape_features(mask).items()}
    {'area_share': 0.086, 'elongation': 2.0, 'irrectangularity': 0.0}
    """
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    longest = max(outlines, key=len)
    _, sides, _ = cv2.minAreaRect(longest)
    shorter, longer = sorted(sides)
    has_width = shorter > 0
    return {
        "area_share": float(mask.mean()),
        "elongation": longer / shorter if has_width else float("nan"),
        "irrectangularity": 1 - cv2.contourArea(longest) / (longer * shorter) if has_width else float("nan"),
    }


def lesion_table(cohort: Cohort, image_ids: Iterable[str], pathologies: Sequence[str]) -> pd.DataFrame:
    """Return a row for each radiograph and pathology that the experts marked.

    Returns
    -------
    pandas.DataFrame
        image_id, pathology and `FEATURES`. ``lesions`` counts the contours as drawn, since two may overlap in the
        mask; where there are only masks, their pieces. Masks that cannot be read are left out.
    """
    rows = []
    for image_id in image_ids:
        for pathology in pathologies:
            try:
                annotation = cohort.annotation(image_id, pathology)
                if annotation is None or annotation.is_empty:
                    continue
                mask, polygons = annotation.mask(), annotation.polygons
            except CohortError:
                continue
            if mask.any():
                pieces = cv2.connectedComponents(mask.astype(np.uint8))[0] - 1
                rows.append(
                    {"image_id": image_id, "pathology": pathology, "lesions": float(len(polygons) or pieces)}
                    | shape_features(mask)
                )
    return pd.DataFrame(rows, columns=["image_id", "pathology", *FEATURES])
