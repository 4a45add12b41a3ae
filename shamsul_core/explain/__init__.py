"""The explanation methods. A further one is one file here and one entry in `EXPLAINERS`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shamsul_core.classifier.source import is_code
from shamsul_core.explain.attention_relevancy import AttentionRelevancy
from shamsul_core.explain.attention_rollout import AttentionRollout
from shamsul_core.explain.explainer import Explainer, Failure, explain_subject
from shamsul_core.explain.gradcam import GradCam
from shamsul_core.explain.gradcam_plus_plus import GradCamPlusPlus
from shamsul_core.explain.hiding import HIDES
from shamsul_core.explain.hirescam import HiResCam
from shamsul_core.explain.integrated_gradients import IntegratedGradients
from shamsul_core.explain.kernelshap import KernelShap
from shamsul_core.explain.lime import Lime
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation
from shamsul_core.explain.occlusion import Occlusion
from shamsul_core.explain.own_method import own_method
from shamsul_core.explain.rise import Rise
from shamsul_core.explain.smoothgrad import SmoothGrad
from shamsul_core.explain.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "EXPLAINERS",
    "HIDES",
    "PRESETS",
    "Explainer",
    "Failure",
    "Subject",
    "explain_subject",
    "make_explainers",
]

EXPLAINERS: Mapping[str, type[Any]] = {
    kind.name: kind
    for kind in (
        Lime,
        KernelShap,
        GradCam,
        LayerwiseRelevancePropagation,
        HiResCam,
        GradCamPlusPlus,
        IntegratedGradients,
        SmoothGrad,
        Occlusion,
        Rise,
        AttentionRelevancy,
        AttentionRollout,
    )
}
"""Every method by its name, in the order in which they are shown: the paper's four, then others like these."""

_FOUR = ("lime", "shap", "gradcam", "lrp")

PRESETS: Mapping[str, tuple[str, ...]] = {"default": _FOUR, "paper": _FOUR, "all": tuple(EXPLAINERS)}
"""Names of settings, and the methods that they are of unless others are named: the settings recommended here, those of
the paper's code, and of every method the recommended ones."""


def make_explainers(
    preset: str = "default", methods: Sequence[str] | None = None, hide: str | None = None
) -> list[Explainer]:
    """Return the methods with the settings of a preset.

    Parameters
    ----------
    preset
        A name of `PRESETS`. A method that has no such settings of its own has its default ones.
    methods
        Names of `EXPLAINERS`, and ``FILE.py:FUNCTION`` for methods of one's own, whose files are executed; ``None`` for
        the preset's.
    hide
        What hidden parts are hidden behind, where methods hide any; ``None`` as in the preset.

    Raises
    ------
    ValueError
        If the preset, a method, or what hides is unknown.
    """
    if methods is None:
        methods = PRESETS.get(preset, ())
    own = [own_method(name) for name in methods if is_code(name)]
    unknown = [name for name in methods if name not in EXPLAINERS and not is_code(name)]
    unknown += [method.name for method in own if method.name in EXPLAINERS]
    if unknown or preset not in PRESETS:
        message = f"unknown method or preset {unknown or preset!r}; there are {', '.join(EXPLAINERS)} and {', '.join(PRESETS)}"
        raise ValueError(message)
    if hide is not None and hide not in HIDES:
        message = f"nothing can be hidden behind {hide!r}; there are {', '.join(HIDES)}"
        raise ValueError(message)
    return [*(_made(kind, preset, hide) for name, kind in EXPLAINERS.items() if name in methods), *own]


def _made(kind: type[Any], preset: str, hide: str | None) -> Explainer:
    settings = kind.presets.get(preset, kind.presets["default"])
    if hide is not None and hasattr(settings, "hide"):
        settings = replace(settings, hide=hide)
    explainer: Explainer = kind(settings)
    return explainer
