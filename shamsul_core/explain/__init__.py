"""The explanation methods. A fifth is one file here and one entry in `EXPLAINERS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.classifier.source import is_code
from shamsul_core.explain.explainer import Explainer, Failure, explain_subject
from shamsul_core.explain.gradcam import GradCam
from shamsul_core.explain.kernelshap import KernelShap
from shamsul_core.explain.lime import Lime
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation
from shamsul_core.explain.own_method import own_method
from shamsul_core.explain.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "EXPLAINERS",
    "PRESETS",
    "Explainer",
    "Failure",
    "Subject",
    "explain_subject",
    "make_explainers",
]

EXPLAINERS = {kind.name: kind for kind in (Lime, KernelShap, GradCam, LayerwiseRelevancePropagation)}
"""Every method by its name, in the order in which they are shown."""

PRESETS = ("default", "paper")
"""Names of the settings that every method has: the ones recommended here, and those of the paper's code."""


def make_explainers(preset: str = "default", methods: Sequence[str] = tuple(EXPLAINERS)) -> list[Explainer]:
    """Return the methods with the settings of a preset.

    Parameters
    ----------
    methods
        Names of `EXPLAINERS`, and ``FILE.py:FUNCTION`` for methods of one's own, whose files are executed.

    Raises
    ------
    ValueError
        If the preset or a method is unknown.
    """
    own = [own_method(name) for name in methods if is_code(name)]
    unknown = [name for name in methods if name not in EXPLAINERS and not is_code(name)]
    unknown += [method.name for method in own if method.name in EXPLAINERS]
    if unknown or preset not in PRESETS:
        message = f"unknown method or preset {unknown or preset!r}; there are {', '.join(EXPLAINERS)} and {', '.join(PRESETS)}"
        raise ValueError(message)
    known: list[Explainer] = [
        EXPLAINERS[name](EXPLAINERS[name].presets[preset])  # type: ignore[arg-type]
        for name in EXPLAINERS
        if name in methods
    ]
    return [*known, *own]
