"""Grad-CAM++ (Chattopadhay et al., *Grad-CAM++*, WACV 2018, equations 10 and 19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from shamsul_core.explain.feature_maps import features_and_gradients
from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class GradCamPlusPlusSettings:
    """Grad-CAM++'s settings.

    Parameters
    ----------
    output
        The logit: its weights are those of the logit's exponential, whose higher derivatives are powers of the first.
    """

    output: Literal["logit"] = "logit"


@dataclass(frozen=True)
class GradCamPlusPlus:
    """Feature maps weighted place by place by how much the score rises there; never negative."""

    settings: GradCamPlusPlusSettings

    name: ClassVar[str] = "gradcampp"
    title: ClassVar[str] = "Grad-CAM++"
    presets: ClassVar[Mapping[str, GradCamPlusPlusSettings]] = {"default": GradCamPlusPlusSettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        classifier, output = subject.classifier, self.settings.output
        classifier.need_gradients(self.title)
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        maps = weighted_maps(*features_and_gradients(classifier.network, subject.inputs, columns))
        return {
            pathology: Heatmap(method=self.name, pathology=pathology, output=output, values=maps[index])
            for index, pathology in enumerate(pathologies)
        }


def weighted_maps(features: torch.Tensor, gradients: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return Grad-CAM++ of some outputs.

    With g the logit's gradient, alpha at a place is g² / (2 g² + g³ ΣA) (equation 19), a feature map's weight the sum
    of alpha relu(g) over its places, and the exponential's own factor is left out, as it only scales the map.

    Parameters
    ----------
    features
        A, K × h × w.
    gradients
        g, C × K × h × w.

    Returns
    -------
    numpy.ndarray
        float32, C × h × w, never negative.

    Examples
    --------
    One feature map of two places, whose sum is 3. With g = 1 at both, alpha is 1 / (2 + 3), so that the weight is 0.4:

    >>> weighted_maps(torch.tensor([[[1.0, 2.0]]]), torch.ones(1, 1, 1, 2)).round(1).tolist()
    [[[0.4000000059604645, 0.800000011920929]]]
    """
    # g² shortened, which where g is 0 has no say: relu(g) is 0 there
    denominator = 2 + gradients * features.sum(dim=(1, 2))[:, None, None]
    weights = (gradients.relu() / torch.where(gradients > 0, denominator, 1)).sum(dim=(2, 3))
    return torch.einsum("ck,khw->chw", weights, features).relu().cpu().numpy()
