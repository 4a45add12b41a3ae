"""Whose radiographs they are: those of one patient are not independent of each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

CHEXPERT_ID = re.compile(r"(patient\d+)_study(\d+)_view(\d+)_(frontal|lateral)")
"""An id as CheXlocalize writes it: patient, study, view, frontal or lateral."""

_PATIENTS = (
    CHEXPERT_ID,
    re.compile(r"(\d{8})_\d{3}"),
    re.compile(r"(p\d{8})_s\d{8}_.+"),
    re.compile(r"(padchest\d+)_.+"),
)
"""Ids that name a patient: CheXlocalize's, ChestX-ray14's (patient, follow-up), MIMIC-CXR's (patient, study, image),
PadChest-GR's (patient, image)."""

CHEXPERT_VALIDATION = frozenset(f"patient{number}" for number in range(64541, 64741))
"""The 200 patients of CheXpert's validation set, whose numbers follow those of its training set."""


def patient_of(image_id: str) -> str:
    """Return the patient that an id names; a radiograph whose id names none is taken for a patient of its own.

    >>> patient_of("patient64541_study1_view2_lateral"), patient_of("00000001_002"), patient_of("chest-7")
    ('patient64541', '00000001', 'chest-7')
    """
    return public_patient_of(image_id) or image_id


def public_patient_of(image_id: str) -> str | None:
    """Return the patient that an id names as a public cohort numbers its own; ``None`` where it names none."""
    matches = (pattern.fullmatch(image_id) for pattern in _PATIENTS)
    return next((match.group(1) for match in matches if match is not None), None)


def number_patients(image_ids: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return each radiograph's patient as a number from 0 on, in the order of their first, int64, (radiographs,).

    >>> number_patients(["patient2_study1_view1_frontal", "chest-7", "patient2_study2_view1_frontal"]).tolist()
    [0, 1, 0]
    """
    patients = np.array([patient_of(str(image_id)) for image_id in image_ids], object)
    return np.asarray(pd.factorize(patients)[0], np.int64)


def is_chexpert_validation(image_ids: Iterable[str]) -> bool:
    """Return whether these radiographs are of CheXpert's validation patients, of all of them and of nobody else."""
    return {patient_of(image_id) for image_id in image_ids} == CHEXPERT_VALIDATION
