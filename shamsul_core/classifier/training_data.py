"""The cohorts that a model was trained on, as its card names them for comparison with another, see `classifier.leak`.

They stand under ``cohorts``, each ``{"layout": ..., "split": ..., "fingerprint": ..., "patients": [...]}``.
``train`` writes all of it; by hand layout and split are enough for a public cohort.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shamsul_core.cohort.patients import patient_of, public_patient_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shamsul_core.cohort import Cohort

MOST_PATIENTS = 200
"""Patients of a cohort that a card names: those whose hashes are lowest, so that the same are drawn of any part of it."""

_LETTERS, _LONGEST = 8, 64

_PUBLIC_PATIENTS = {
    "chexpert": re.compile(r"patient\d{5}"),
    "nih": re.compile(r"\d{8}"),
    "ms-cxr": re.compile(r"p1\d{7}"),
    "padchest-gr": re.compile(r"padchest\d+"),
}
"""Patients as public cohorts number them, by layout; in all others, and by other numbers, they are a hospital's own."""


@dataclass(frozen=True, kw_only=True)
class TrainingCohort:
    """A cohort that a model was trained on.

    Parameters
    ----------
    layout, split
        See `shamsul_core.cohort.Cohort`.
    fingerprint
        The cohort's; empty where it is not known.
    patients
        Hashes of at most `MOST_PATIENTS` patients of a public cohort. A hospital's own ids are not kept, not even hashed:
        whoever tries all numbers would find them.
    is_sample
        Whether it learned from a part of that split, of which nothing else is known.
    is_simulated
        Whether its radiographs are simulated: their layout is a public cohort's, and they are not of it.
    """

    layout: str
    split: str
    fingerprint: str = ""
    patients: tuple[str, ...] = ()
    is_sample: bool = False
    is_simulated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in a card."""
        return asdict(self) | {"patients": list(self.patients)}

    @classmethod
    def from_json(cls, stored: object) -> TrainingCohort:
        """Read what `to_json` returned, or what somebody wrote by hand.

        Raises
        ------
        ValueError
            If layout and split are not there.
        """
        values = stored if isinstance(stored, dict) else {}
        texts = [values.get(name, "") for name in ("layout", "split", "fingerprint")]
        patients = values.get("patients", [])
        if (
            not all(isinstance(text, str) for text in texts)
            or not isinstance(patients, list)
            or "" in texts[:2]
        ):
            message = 'a cohort of a model card is {"layout": "nih", "split": "train"}, as `shamsul check` tells them'
            raise ValueError(message)
        layout, split, fingerprint = (text[:_LONGEST] for text in texts)
        kept = tuple(str(patient)[:_LETTERS] for patient in patients[:MOST_PATIENTS])
        return cls(
            layout=layout,
            split=split,
            fingerprint=fingerprint,
            patients=kept,
            is_sample=values.get("is_sample") is True,
            is_simulated=values.get("is_simulated") is True,
        )


def training_cohort(cohort: Cohort, image_ids: Iterable[str]) -> TrainingCohort:
    """Return what a card says of a cohort of which these radiographs are learned from."""
    public = _PUBLIC_PATIENTS.get(cohort.layout)
    known = [image_id for image_id in image_ids if public and public.fullmatch(patient_of(image_id))]
    return TrainingCohort(
        layout=cohort.layout,
        split=cohort.split,
        fingerprint=cohort.fingerprint,
        patients=tuple(sorted(hashed_patients(cohort, known))[:MOST_PATIENTS]),
        is_simulated=cohort.is_simulated,
    )


def hashed_patients(cohort: Cohort, image_ids: Iterable[str]) -> set[str]:
    """Return the hashes of those patients whom ids name as public cohorts' do; of simulated ones none, whose ids are alike."""
    if cohort.is_simulated:
        return set()
    patients = {public_patient_of(image_id) for image_id in image_ids} - {None}
    return {hashlib.sha256(str(patient).encode()).hexdigest()[:_LETTERS] for patient in patients}
