"""What a model was trained on and for what it must not be used, which travels with the model.

It stands in a safetensors file's metadata under ``card``, and for every other format in the sidecar beside it
(``MODEL.json`` or ``MODEL.pt.json``) under the same key: ``{"trained_on": ..., "not_for": ..., "is_simulated": ...,
"cohorts": [...]}``.
Nothing here imports torch, so that a page can say it without loading the model.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from shamsul_core.classifier.training_data import TrainingCohort
from shamsul_core.cohort.layouts.splits import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping

XRAYVISION = "torchxrayvision:"
_XRAYVISION_DATA = {
    "all": "NIH ChestX-ray14, PadChest, CheXpert, MIMIC-CXR, Google's relabelled NIH radiographs, OpenI and the "
    "RSNA Pneumonia Challenge",
    "rsna": "the RSNA Pneumonia Challenge (Kaggle)",
    "nih": "NIH ChestX-ray14",
    "pc": "PadChest (University of Alicante)",
    "chex": "CheXpert (Stanford)",
    "mimic_nb": "MIMIC-CXR, labelled by NegBio",
    "mimic_ch": "MIMIC-CXR, labelled by CheXpert's labeller",
    "resnet50-res512-all": "PadChest, NIH ChestX-ray14, the RSNA Pneumonia Challenge, SIIM-ACR Pneumothorax and VinDr-CXR",
}
"""As TorchXRayVision's documentation of its weights has it (https://github.com/mlmed/torchxrayvision)."""

_XRAYVISION_COHORTS: Mapping[str, Mapping[str, str]] = {
    "all": {"nih": ALL, "padchest-gr": ALL, "chexpert": "train", "ms-cxr": ALL, "rsna": "train"},
    "rsna": {"rsna": "train"},
    "nih": {"nih": ALL},
    "pc": {"padchest-gr": ALL},
    "chex": {"chexpert": "train"},
    "mimic_nb": {"ms-cxr": ALL},
    "mimic_ch": {"ms-cxr": ALL},
    "resnet50-res512-all": {
        "padchest-gr": ALL,
        "nih": ALL,
        "rsna": "train",
        "siim": "train",
        "vindr": "train",
    },
}
"""Layouts and splits of these; its ``scripts/train_model.py`` learns from 80 % of each one's patients, drawn at random.
PadChest-GR's radiographs are drawn from PadChest, MS-CXR's from MIMIC-CXR."""

NOT_FOR_REAL = "any real radiograph"
NEVER_REAL = "This model has never seen a real radiograph."
UNKNOWN = (
    "It is not known what this model was trained on, so its output cannot be relied on for any radiograph."
)

_LONGEST, _MOST_COHORTS = 600, 8


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What is known of a model's training.

    Parameters
    ----------
    trained_on
        In words, such as ``"223,414 radiographs of CheXpert"``.
    not_for
        What it must not be used for, in words; empty where nothing was said.
    is_simulated
        Whether every radiograph that it ever saw was simulated.
    cohorts
        The same for comparison, as far as it is known, see `shamsul_core.classifier.training_data`.
    """

    trained_on: str
    not_for: str = ""
    is_simulated: bool = False
    cohorts: tuple[TrainingCohort, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the card as it stands in files."""
        words = {name: value for name, value in asdict(self).items() if name != "cohorts"}
        cohorts = [cohort.to_json() for cohort in self.cohorts]
        return words | ({"cohorts": cohorts} if cohorts else {})

    @classmethod
    def from_json(cls, stored: object) -> ModelCard:
        """Read what `to_json` returned, or what somebody wrote by hand.

        Raises
        ------
        ValueError
            If it does not say in words what the model was trained on.
        """
        card = stored if isinstance(stored, dict) else {}
        trained_on, not_for = card.get("trained_on"), card.get("not_for", "")
        if not isinstance(trained_on, str) or not trained_on.strip() or not isinstance(not_for, str):
            message = 'a model card is {"trained_on": "...", "not_for": "...", "is_simulated": true or false}'
            raise ValueError(message)
        return cls(
            trained_on=trained_on.strip()[:_LONGEST],
            not_for=not_for.strip()[:_LONGEST],
            is_simulated=card.get("is_simulated") is True,
            cohorts=tuple(map(TrainingCohort.from_json, _listed(card.get("cohorts", []))))[:_MOST_COHORTS],
        )


def _listed(stored: object) -> list[object]:
    if not isinstance(stored, list):
        message = 'the cohorts of a model card are a list: [{"layout": "nih", "split": "train"}]'
        raise ValueError(message)
    return stored


def read_card(source: str) -> ModelCard | None:
    """Return the card of a model; ``None`` where it has none, or there is no such file.

    Parameters
    ----------
    source
        As `shamsul_core.classifier.weights.load_classifier` takes it.

    Raises
    ------
    ValueError
        If there is a card that cannot be read.
    """
    if source.startswith(XRAYVISION):
        return _of_xrayvision(source.removeprefix(XRAYVISION).removeprefix("densenet121-res224-"))
    path = Path(source)
    sidecar = sidecar_of(path)
    if sidecar is not None:
        stored = json.loads(sidecar.read_text(encoding="utf-8"))
        card = stored.get("card") if isinstance(stored, dict) else None
    elif path.suffix == ".safetensors" and path.is_file():
        card = _in_metadata(path)
    else:
        card = None
    return None if card is None else ModelCard.from_json(card)


def _of_xrayvision(name: str) -> ModelCard | None:
    if name not in _XRAYVISION_DATA:
        return None
    cohorts = (
        TrainingCohort(layout=layout, split=split, is_sample=True)
        for layout, split in _XRAYVISION_COHORTS[name].items()
    )
    return ModelCard(trained_on=_XRAYVISION_DATA[name], cohorts=tuple(cohorts))


def sidecar_of(path: Path) -> Path | None:
    """Return the file that describes a model, ``None`` where there is none."""
    places = (Path(f"{path}.json"), path.with_suffix(".json"))
    return next((path for path in places if path.is_file()), None)


def _in_metadata(path: Path) -> object:
    try:
        with safe_open(path, framework="np") as file:
            stored = (file.metadata() or {}).get("card")
    except (SafetensorError, OSError):
        # No model either, which whoever loads it says
        return None
    return None if stored is None else json.loads(stored)


def card_in_manifest(model: Mapping[str, Any]) -> ModelCard | None:
    """Return the card that a manifest's words on the model carry; ``None`` where they carry none."""
    try:
        return ModelCard.from_json(model["card"])
    except (KeyError, ValueError):
        return None
