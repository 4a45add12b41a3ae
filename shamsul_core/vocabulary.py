"""The fourteen CheXpert observations, the ten pathologies CheXlocalize localises, and their aliases."""

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
"""CheXpert's label columns in their order, which is the order of the classifier's outputs."""

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

DECISION_THRESHOLD = 0.5
"""From this probability on an observation counts as predicted, where no rule gives it a threshold of its own."""

_ALIASES = {"Airspace Opacity": "Lung Opacity"}


def canonical_name(name: str) -> str:
    """Return CheXpert's name of an observation, whatever file it comes from.

    CheXlocalize's files call *Airspace Opacity* what CheXpert's label files call *Lung Opacity*.

    >>> canonical_name("Airspace Opacity")
    'Lung Opacity'
    """
    return _ALIASES.get(name, name)


def chexlocalize_name(name: str) -> str:
    """Return what CheXlocalize's files call an observation.

    >>> chexlocalize_name("Lung Opacity")
    'Airspace Opacity'
    """
    return next((alias for alias, observation in _ALIASES.items() if observation == name), name)
