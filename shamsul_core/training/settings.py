"""What makes a training another training, and the folder that holds one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shamsul_core.files.atomic import write_atomically
from shamsul_core.training.targets import POLICIES, Uncertain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HIGHEST_SEED = 2**31


class TrainingError(ValueError):
    """A training that cannot begin or go on; the message says in one line what is wrong and what to do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a network is trained; the defaults are the paper's.

    Parameters
    ----------
    init
        Where the weights start: ``"imagenet"``, ``"random"`` or the path of a classifier.
    uncertain
        What an uncertain label is, see `shamsul_core.training.targets`.
    frontal_only
        Whether lateral radiographs are left out.
    size_px
        Side of the network's input, 32 to 4096 pixels.
    batch_size
        Radiographs a step, on all devices together.
    learning_rate
        Adam's at the beginning, between 0 and 1.
    augment
        Whether radiographs are changed a little each time, see `shamsul_core.training.augmentation`.
    seed
        From 0 to `HIGHEST_SEED`; the order of the radiographs, their augmentation, random weights and the patients held
        out follow from it.

    Raises
    ------
    TrainingError
        If one of them is out of range.
    """

    init: str = "imagenet"
    uncertain: Uncertain = "zeros"
    frontal_only: bool = False
    size_px: int = 224
    batch_size: int = 16
    learning_rate: float = 1e-4
    augment: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        allowed = {
            f"uncertain labels are one of {', '.join(POLICIES)}": self.uncertain in POLICIES,
            "the size is 32 to 4096 pixels": 32 <= self.size_px <= 4096,
            "a batch has 1 radiograph or more": self.batch_size >= 1,
            "the learning rate is between 0 and 1": 0 < self.learning_rate < 1,
            f"the seed is 0 to {HIGHEST_SEED}": 0 <= self.seed <= HIGHEST_SEED,
        }
        for rule, holds in allowed.items():
            if not holds:
                message = f"{rule}; got {self}"
                raise TrainingError(message)


def folder_of(out: Path) -> Path:
    """Return the folder at a model's side that holds its training: checkpoint, logs, radiographs as the network sees them."""
    return out.with_name(f"{out.name}.training")


def claim(out: Path, settings: Settings, cohorts: Mapping[str, Any]) -> Path:
    """Make the folder of a model's training, or go on with the one that is there.

    Parameters
    ----------
    out
        The model's file.
    settings
        How the network is trained.
    cohorts
        What else makes it another training: each cohort's fingerprint, by the name that the user reads.

    Raises
    ------
    TrainingError
        If a training with other settings is there, or a model without a training; both are left as they are.
    """
    folder = folder_of(out)
    path = folder / "settings.json"
    asked = asdict(settings) | dict(cohorts)
    if path.is_file():
        differences = sorted(name for name, value in _stored(path).items() if asked.get(name) != value)
        if differences or _stored(path).keys() != asked.keys():
            message = (
                f"{folder}: contains a training that differs in {', '.join(differences)}; give another --out"
            )
            raise TrainingError(message)
        return folder
    if out.exists():
        message = f"{out}: is already a model, and {folder.name} is not beside it; give another --out"
        raise TrainingError(message)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(asked, indent=2) + "\n").encode())
    return folder


def _stored(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path}: not readable ({error}); remove {path.parent} to start again"
        raise TrainingError(message) from error
    return dict(stored)
