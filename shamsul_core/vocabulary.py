"""Names of observations: what public cohorts and models call them, what is the same and what is part of what.

Names belong to cohorts and models. Both put theirs through `canonical_name` where they are read, so that two names mean
the same observation exactly where they are equal. What is part of another is never the same by itself.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OBSERVATIONS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
"""CheXpert's label columns in their order (Irvin et al., AAAI 2019)."""

LOCALISED_PATHOLOGIES = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Lesion",
    "Lung Opacity",
    "Edema",
    "Consolidation",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Support Devices",
)
"""The ten pathologies with expert contours, in CheXlocalize's order."""

NIH_OBSERVATIONS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
"""ChestX-ray14's fourteen, in its authors' order (Wang et al., CVPR 2017)."""

VINDR_OBSERVATIONS = (
    "Aortic enlargement",
    "Atelectasis",
    "Calcification",
    "Cardiomegaly",
    "Clavicle fracture",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Enlarged PA",
    "ILD",
    "Infiltration",
    "Lung Opacity",
    "Lung cavity",
    "Lung cyst",
    "Mediastinal shift",
    "Nodule/Mass",
    "Pleural effusion",
    "Pleural thickening",
    "Pneumothorax",
    "Pulmonary fibrosis",
    "Rib fracture",
    "Other lesion",
    "COPD",
    "Lung tumor",
    "Pneumonia",
    "Tuberculosis",
    "Other disease(s)",
    "No finding",
)
"""VinDr-CXR's 22 local findings, then its six global ones (Nguyen et al., Scientific Data 2022)."""

RSNA_OBSERVATIONS = ("Pneumonia",)
"""What the RSNA Pneumonia Detection Challenge's boxes mark (Shih et al., Radiology: Artificial Intelligence 2019)."""

SIIM_OBSERVATIONS = ("Pneumothorax",)
"""What the SIIM-ACR Pneumothorax Segmentation Challenge's masks mark (2019)."""

MS_CXR_OBSERVATIONS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Lung Opacity",
    "Pleural Effusion",
    "Pneumonia",
    "Pneumothorax",
)
"""MS-CXR's eight (Boecking et al., ECCV 2022)."""

PADCHEST_GR_OBSERVATIONS = (
    "aortic elongation",
    "cardiomegaly",
    "pleural effusion",
    "alveolar pattern",
    "interstitial pattern",
    "infiltrates",
    "consolidation",
    "pneumonia",
    "nodule",
    "atelectasis",
    "laminar atelectasis",
    "fibrotic band",
    "pleural thickening",
    "apical pleural thickening",
    "costophrenic angle blunting",
    "scoliosis",
    "vertebral degenerative changes",
    "hiatal hernia",
    "air trapping",
    "calcified granuloma",
    "vascular hilar enlargement",
    "rib fracture",
)
"""The most frequent of PadChest's findings that PadChest-GR marks (Castro et al., NEJM AI 2025); it has others beside."""

TORCHXRAYVISION_OBSERVATIONS = (
    "Atelectasis",
    "Consolidation",
    "Infiltration",
    "Pneumothorax",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Effusion",
    "Pneumonia",
    "Pleural_Thickening",
    "Cardiomegaly",
    "Nodule",
    "Mass",
    "Hernia",
    "Lung Lesion",
    "Fracture",
    "Lung Opacity",
    "Enlarged Cardiomediastinum",
)
"""The eighteen outputs of torchxrayvision's classifiers, its ``default_pathologies`` (Cohen et al., MIDL 2022)."""

NO_FINDING = "No Finding"
"""That nothing is to be seen, which no heatmap can show."""

DECISION_THRESHOLD = 0.5
"""From this probability on an observation counts as predicted, where no rule gives it a threshold of its own."""

_CHEXLOCALIZE_NAMES = {"Lung Opacity": "Airspace Opacity"}

_SYNONYMS = {
    "Airspace Opacity": "Lung Opacity",
    "Effusion": "Pleural Effusion",
    "Infiltrate": "Infiltration",
    "Infiltrates": "Infiltration",
    "Oedema": "Edema",
    "Lung Tumour": "Lung tumor",
}

# CheXpert's own tree (Irvin et al., AAAI 2019, figure 1), and what the other cohorts' names say of themselves
_WHOLES = {
    "Infiltration": ("Lung Opacity",),
    "Consolidation": ("Lung Opacity",),
    "Pneumonia": ("Consolidation", "Lung Opacity"),
    "Atelectasis": ("Lung Opacity",),
    "Edema": ("Lung Opacity",),
    "Lung Lesion": ("Lung Opacity",),
    "alveolar pattern": ("Lung Opacity",),
    "Nodule/Mass": ("Lung Lesion",),
    "Nodule": ("Nodule/Mass", "Lung Lesion"),
    "Mass": ("Nodule/Mass", "Lung Lesion"),
    "Lung tumor": ("Lung Lesion",),
    "Lung cavity": ("Lung Lesion",),
    "Lung cyst": ("Lung Lesion",),
    "calcified granuloma": ("Lung Lesion", "Calcification"),
    "laminar atelectasis": ("Atelectasis",),
    "Pulmonary fibrosis": ("Fibrosis", "ILD"),
    "fibrotic band": ("Fibrosis", "Pulmonary fibrosis"),
    "interstitial pattern": ("ILD",),
    "Cardiomegaly": ("Enlarged Cardiomediastinum",),
    "Aortic enlargement": ("Enlarged Cardiomediastinum",),
    "Emphysema": ("COPD",),
    "Pleural Thickening": ("Pleural Other",),
    "apical pleural thickening": ("Pleural Thickening", "Pleural Other"),
    "costophrenic angle blunting": ("Pleural Effusion",),
    "Rib fracture": ("Fracture",),
    "Clavicle fracture": ("Fracture",),
    "hiatal hernia": ("Hernia",),
    "Normal": ("No Finding",),
}
"""What each is part of or a kind of, the narrowest first: near, and not the same."""

# Share of two names' letters that are the same
_NEARLY = 0.6


@lru_cache(maxsize=10_000)
def canonical_name(name: str) -> str:
    """Return the one name of an observation, whatever cohort or model it comes from.

    Case, underscores and punctuation do not count where the name is known. An unknown name stands as it is, but that
    underscores are spaces and that no space surrounds it.

    >>> canonical_name("Airspace Opacity"), canonical_name("Pleural_Thickening"), canonical_name("effusion")
    ('Lung Opacity', 'Pleural Thickening', 'Pleural Effusion')
    >>> canonical_name(" ObsoletePulmonary_Tuberculosis")
    'ObsoletePulmonary Tuberculosis'
    """
    return _KNOWN.get(_letters(name)) or _spaced(name)


def chexlocalize_name(name: str) -> str:
    """Return what CheXlocalize's files call an observation.

    >>> chexlocalize_name("Lung Opacity")
    'Airspace Opacity'
    """
    return _CHEXLOCALIZE_NAMES.get(name, name)


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return which of other observations a name is nearest to, to be offered; none of them is the same.

    What it is part of comes first, then what is part of it, then what is part of the same, then what is spelt alike.

    Parameters
    ----------
    name, names
        Canonical ones.

    Returns
    -------
    str or None
        One of `names`, ``None`` where nothing is near.

    Examples
    --------
    >>> nearest_name("Mass", ["Cardiomegaly", "Lung Lesion"]), nearest_name("Hernia", ["Edema"])
    ('Lung Lesion', None)
    """
    others = [other for other in names if other != name]
    related = next((relative for relative in _relatives(name) if relative in others), None)
    if related is not None:
        return related
    letters = {_letters(other): other for other in others}
    within = [other for other in letters if other and (other in _letters(name) or _letters(name) in other)]
    alike = within or get_close_matches(_letters(name), letters, 1, _NEARLY)
    return letters[max(alike, key=len)] if alike else None


def _relatives(name: str) -> Iterator[str]:
    wholes = _WHOLES.get(name, ())
    yield from wholes
    yield from (part for part, its_wholes in _WHOLES.items() if name in its_wholes)
    yield from (part for part, its_wholes in _WHOLES.items() if not set(wholes).isdisjoint(its_wholes))


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _spaced(name: str) -> str:
    return " ".join(name.replace("_", " ").split())


def _known() -> dict[str, str]:
    """Return each known name by its letters; of those that differ in spelling only, CheXpert's stands, else the first."""
    known: dict[str, str] = {}
    for names in (
        OBSERVATIONS,
        NIH_OBSERVATIONS,
        VINDR_OBSERVATIONS,
        TORCHXRAYVISION_OBSERVATIONS,
        PADCHEST_GR_OBSERVATIONS,
        _WHOLES,
    ):
        for name in names:
            known.setdefault(_letters(name), _spaced(name))
    return known | {_letters(alias): name for alias, name in _SYNONYMS.items()}


_KNOWN = _known()
