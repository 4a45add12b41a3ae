"""A training about to begin: its radiographs, its network, its folder, and the card of the model that it will make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.classifier.model_card import NOT_FOR_REAL, ModelCard, read_card
from shamsul_core.classifier.training_data import training_cohort
from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.run.wording import cohort_title
from shamsul_core.training.network import IMAGENET, RANDOM, initial_network
from shamsul_core.training.settings import Settings, TrainingError, claim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from shamsul_core.classifier.preprocessing import Preprocessing
    from shamsul_core.cohort import Cohort, Problem, Radiograph

HELD_OUT = 0.05
"""Part of the patients that are held out for validation where the cohort has no split for it."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training about to begin or to go on.

    Parameters
    ----------
    train, val
        Radiographs to learn from, and to choose the best epoch by.
    settings
        How the network is trained.
    network, preprocessing
        Where it starts; a checkpoint replaces the weights.
    folder, out
        The folder of checkpoint and logs, and the model's file.
    notes
        What the user should know before it begins.
    problems
        Radiographs that have no file, as far as the cohort knows.
    card
        What the model will say of its training.
    """

    train: Sequence[Radiograph]
    val: Sequence[Radiograph]
    settings: Settings
    network: nn.Module
    preprocessing: Preprocessing
    folder: Path
    out: Path
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]
    card: ModelCard


def open_training(
    cohort_folder: Path, out: Path, settings: Settings, *, trained_on: str = "", not_for: str = ""
) -> Training:
    """Open a cohort for training, and the folder at the model's side, which a training before may have left.

    Without a split for validation, patients of the train split are held out, by the settings' seed.

    Parameters
    ----------
    cohort_folder
        The folder of a cohort with a train split, see `open_cohort`.
    out
        The model's file.
    settings
        How it is trained.
    trained_on, not_for
        For the model's card, in words; made from the cohort where they are empty.

    Raises
    ------
    CohortError
        If there is no train split.
    TrainingError
        If the folder holds a training with other settings, or the weights to start from cannot be had.
    """
    if out.suffix != ".safetensors":
        message = f"{out}: a model is a .safetensors file; give --out a name with that ending"
        raise TrainingError(message)
    cohort = open_cohort(cohort_folder, split="train")
    train, cohorts, notes = _of_views(cohort, settings), [cohort], []
    try:
        val_cohort = open_cohort(cohort_folder, split="val")
        val = _of_views(val_cohort, settings)
        cohorts.append(val_cohort)
    except CohortError as error:
        train, val = hold_out(train, settings.seed)
        notes.append(
            f"no validation split ({error}): {len(val)} radiographs, of {HELD_OUT:.0%} of the patients of the train "
            f"split, are held out"
        )
    if not train or not val:
        message = f"{cohort_folder}: {len(train)} radiographs to train on and {len(val)} to validate on; both are needed"
        raise TrainingError(message)
    network, preprocessing = initial_network(settings)
    folder = claim(out, settings, {f"cohort ({part.split})": part.fingerprint for part in cohorts})
    return Training(
        train=train,
        val=val,
        settings=settings,
        network=network,
        preprocessing=preprocessing,
        folder=folder,
        out=out,
        notes=(
            f"{len(train)} radiographs to train on, {len(val)} to validate on",
            *notes,
            *map(str, cohort.remarks),
        ),
        problems=tuple(problem for part in cohorts for problem in part.problems),
        card=card_of_training(
            cohort,
            [radiograph.id for radiograph in train],
            settings.init,
            trained_on=trained_on,
            not_for=not_for,
        ),
    )


def splits_of(cohort_folder: Path, layout: str | None = None) -> tuple[list[Radiograph], list[Radiograph]]:
    """Return the radiographs of a cohort to train on and those held out, as a training divides them with the default seed.

    Raises
    ------
    CohortError
        If there is no train split.
    """
    train = list(open_cohort(cohort_folder, split="train", layout=layout).radiographs.values())
    try:
        return train, list(open_cohort(cohort_folder, split="val", layout=layout).radiographs.values())
    except CohortError:
        return hold_out(train, Settings().seed)


def card_of_training(
    cohort: Cohort, image_ids: Sequence[str], init: str, *, trained_on: str = "", not_for: str = ""
) -> ModelCard:
    """Return what a model will say of its training; whether it saw simulated radiographs alone is never left to words.

    Parameters
    ----------
    cohort
        The one that it is trained on.
    image_ids
        Those of its radiographs that are.
    init
        Where its weights start; what these were trained on counts as well.
    """
    is_blank = init in (RANDOM, IMAGENET)
    before = None if is_blank else read_card(init)
    words = [trained_on or f"{cohort_title(cohort)}, {len(image_ids):,} radiographs" + _simulated(cohort)]
    if before is not None and not trained_on:
        words.append(f"before that, {before.trained_on}")
    elif not is_blank and not trained_on:
        words.append(f"before that, unknown data: nothing is known about {Path(init).name}")
    is_simulated = cohort.is_simulated and (is_blank or (before is not None and before.is_simulated))
    return ModelCard(
        trained_on="; ".join(words),
        not_for=not_for or (NOT_FOR_REAL if is_simulated else ""),
        is_simulated=is_simulated,
        cohorts=(training_cohort(cohort, image_ids), *(() if before is None else before.cohorts)),
    )


def hold_out(radiographs: Sequence[Radiograph], seed: int) -> tuple[list[Radiograph], list[Radiograph]]:
    """Return the radiographs of most patients, and those of a few, `HELD_OUT` of them but at least one."""
    patients = sorted({_patient(radiograph) for radiograph in radiographs})
    order = np.random.default_rng(seed).permutation(len(patients))
    held = {patients[place] for place in order[: max(1, round(HELD_OUT * len(patients)))]}
    return (
        [radiograph for radiograph in radiographs if _patient(radiograph) not in held],
        [radiograph for radiograph in radiographs if _patient(radiograph) in held],
    )


def _simulated(cohort: Cohort) -> str:
    return f" ({str(cohort.simulated_note).rstrip('.')})" if cohort.is_simulated else ""


def _of_views(cohort: Cohort, settings: Settings) -> list[Radiograph]:
    return [
        radiograph
        for radiograph in cohort.radiographs.values()
        if not settings.frontal_only or radiograph.view == "frontal"
    ]


def _patient(radiograph: Radiograph) -> str:
    return radiograph.id.partition("_")[0]
