"""Whether a model was trained on the radiographs that it is to be judged by: a leak between training and test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.classifier.training_data import hashed_patients
from shamsul_core.cohort.layouts.splits import ALL
from shamsul_core.cohort.opening import LAYOUTS

if TYPE_CHECKING:
    from shamsul_core.classifier.model_card import ModelCard
    from shamsul_core.classifier.training_data import TrainingCohort
    from shamsul_core.cohort import Cohort

_NOT_ONE_COHORT = ("coco", "folder")
"""Layouts that anybody's radiographs may have, so that layout and split do not tell which they are."""

_COLLECTIONS = {"chexpert": "CheXpert", "ms-cxr": "MIMIC-CXR", "padchest-gr": "PadChest"}
"""What a layout's radiographs are drawn from, where it goes by another name."""


def leak_in_words(card: ModelCard | None, cohort: Cohort) -> str | None:
    """Return in a sentence that a model was trained on what it is to be judged by; ``None`` where nothing is known of it."""
    cohorts = () if card is None else card.cohorts
    for trained in cohorts:
        if how := _shared(trained, cohort):
            return (
                f"Leak between training and test: by its card, the model was trained on {how}. How well it does here says "
                "nothing about new patients."
            )
    for trained in cohorts:
        if _is_of_split(trained, cohort):
            return (
                "Possible leak between training and test: by its card, the model was trained on a part of "
                f"{_COLLECTIONS.get(cohort.layout, LAYOUTS[cohort.layout].title)}, to which these radiographs may belong. "
                "How well it does here may say little about new patients."
            )
    return None


def _shared(trained: TrainingCohort, cohort: Cohort) -> str | None:
    """Return in words on which of a cohort's radiographs a model was trained; ``None`` where on none for certain."""
    if trained.fingerprint and trained.fingerprint == cohort.fingerprint:
        return "these very radiographs"
    if not trained.is_sample and _is_of_split(trained, cohort):
        which = "some of these radiographs" if cohort.split == ALL != trained.split else "these radiographs"
        split = "all of" if trained.split == ALL else f"the {trained.split} split of"
        return f"{split} {LAYOUTS[cohort.layout].title}, to which {which} belong"
    # A large cohort's patients are not hashed for nothing
    shared = trained.patients and hashed_patients(cohort, cohort.radiographs) & set(trained.patients)
    return f"radiographs of at least {len(shared)} of the patients in this cohort" if shared else None


def _is_of_split(trained: TrainingCohort, cohort: Cohort) -> bool:
    """Return whether a cohort is, as far as layout and split tell, one that was trained on, or a part or the whole of it."""
    is_real = not trained.is_simulated and not cohort.is_simulated
    is_same_cohort = is_real and trained.layout == cohort.layout not in _NOT_ONE_COHORT
    return is_same_cohort and (trained.split == cohort.split or ALL in (trained.split, cohort.split))
