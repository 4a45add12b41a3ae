"""What is a kind of what among CheXpert's observations (Irvin et al. 2019, figure 1)."""

from __future__ import annotations

DEVICES = "Support Devices"
OPACITIES = ("Lung Lesion", "Edema", "Consolidation", "Atelectasis")
"""What is a Lung Opacity, too; Pneumonia, a consolidation here, is not put in for itself."""


def parents(name: str) -> tuple[str, ...]:
    """Return what else an observation is.

    >>> parents("Edema"), parents("Cardiomegaly"), parents("Pneumothorax")
    (('Lung Opacity',), ('Enlarged Cardiomediastinum',), ())
    """
    if name in OPACITIES:
        return ("Lung Opacity",)
    return ("Enlarged Cardiomediastinum",) if name == "Cardiomegaly" else ()


def children(name: str) -> tuple[str, ...]:
    """Return what is a kind of an observation.

    >>> children("Lung Opacity"), children("Edema")
    (('Lung Lesion', 'Edema', 'Consolidation', 'Atelectasis'), ())
    """
    return tuple(one for one in (*OPACITIES, "Cardiomegaly") if name in parents(one))
