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


def leak_in_words(card: ModelCard | None, cohort: Cohort) -> str | None:
    """Return in a sentence that a model was trained on what it is to be judged by; ``None`` where nothing is known of it."""
    for trained in () if card is None else card.cohorts:
        if how := _shared(trained, cohort):
            return (
                f"Leak between training and test: by its card, the model was trained on {how}. How well it does here says "
                "nothing about new patients."
            )
    return None


def _shared(trained: TrainingCohort, cohort: Cohort) -> str | None:
    if trained.fingerprint and trained.fingerprint == cohort.fingerprint:
        return "these very radiographs"
    is_real = not trained.is_simulated and not cohort.is_simulated
    is_same_cohort = is_real and trained.layout == cohort.layout not in _NOT_ONE_COHORT
    if is_same_cohort and (trained.split == cohort.split or ALL in (trained.split, cohort.split)):
        which = "some of these radiographs" if cohort.split == ALL != trained.split else "these radiographs"
        split = "all of" if trained.split == ALL else f"the {trained.split} split of"
        return f"{split} {LAYOUTS[cohort.layout].title}, to which {which} belong"
    shared = hashed_patients(cohort, cohort.radiographs) & set(trained.patients)
    return f"radiographs of at least {len(shared)} of the patients in this cohort" if shared else None
