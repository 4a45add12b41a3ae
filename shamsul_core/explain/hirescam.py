"""HiResCAM (Draelos and Carin, *Use HiResCAM instead of Grad-CAM*, arXiv 2011.08891, 2020, equation 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from shamsul_core.explain.feature_maps import features_and_gradients
from shamsul_core.heatmap import Heatmap, Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class HiResCamSettings:
    """HiResCAM's settings.

    Parameters
    ----------
    output
        What is explained, the logit or the probability.
    """

    output: Output = "logit"


@dataclass(frozen=True)
class HiResCam:
    """Each feature times its own gradient, summed over the last feature maps; evidence against stays negative.

    Where one linear layer follows these maps, pooled or not, the map sums to the logit less the layer's bias.
    """

    settings: HiResCamSettings

    name: ClassVar[str] = "hirescam"
    title: ClassVar[str] = "HiResCAM"
    presets: ClassVar[Mapping[str, HiResCamSettings]] = {"default": HiResCamSettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        classifier, output = subject.classifier, self.settings.output
        classifier.need_gradients(self.title)
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        features, gradients = features_and_gradients(classifier.network, subject.inputs, columns, output)
        maps = torch.einsum("ckhw,khw->chw", gradients, features).cpu().numpy()
        return {
            pathology: Heatmap(method=self.name, pathology=pathology, output=output, values=maps[index])
            for index, pathology in enumerate(pathologies)
        }
