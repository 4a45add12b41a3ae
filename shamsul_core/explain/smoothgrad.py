"""SmoothGrad (Smilkov et al., *SmoothGrad: removing noise by adding noise*, arXiv 1706.03825, 2017), times the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from shamsul_core.explain.input_gradients import input_gradients
from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class SmoothGradSettings:
    """SmoothGrad's settings.

    Parameters
    ----------
    output
        What is explained, the logit.
    copies
        Noisy copies of the radiograph.
    noise
        The noise's standard deviation over the range, largest less smallest, of the network's input; the authors find
        0.1 to 0.2 best.
    seed
        Of the noise.
    """

    output: Literal["logit"] = "logit"
    copies: int = 32
    noise: float = 0.15
    seed: int = 0


@dataclass(frozen=True)
class SmoothGrad:
    """The mean gradient over noisy copies of the radiograph, times the radiograph, summed over the input's channels.

    The gradient alone says how the score would change, not what speaks for it; times the input (mean grey being 0) its
    sign is that of the other methods' relevance. Smilkov et al. discuss both forms.
    """

    settings: SmoothGradSettings

    name: ClassVar[str] = "smoothgrad"
    title: ClassVar[str] = "SmoothGrad"
    presets: ClassVar[Mapping[str, SmoothGradSettings]] = {"default": SmoothGradSettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        classifier, settings = subject.classifier, self.settings
        classifier.need_gradients(self.title)
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        gradients = smooth_gradients(classifier.network, subject.inputs, columns, settings)
        maps = (gradients * subject.inputs).sum(dim=1).cpu().numpy()
        return {
            pathology: Heatmap(
                method=self.name,
                pathology=pathology,
                output=settings.output,
                values=maps[index],
                evaluations=settings.copies,
            )
            for index, pathology in enumerate(pathologies)
        }


def smooth_gradients(
    network: nn.Module, inputs: torch.Tensor, columns: Sequence[int], settings: SmoothGradSettings
) -> torch.Tensor:
    """Return the mean gradient over noisy copies of the input.

    Parameters
    ----------
    inputs
        float32, 1 × channels × S × S.

    Returns
    -------
    torch.Tensor
        float32, columns × channels × S × S.
    """
    deviation = settings.noise * (inputs.max() - inputs.min())
    noisy = inputs + deviation * noise_of(inputs, settings)
    gradients = (part.sum(dim=1) for _, part in input_gradients(network, noisy, columns))
    return torch.as_tensor(sum(gradients)) / settings.copies


def noise_of(inputs: torch.Tensor, settings: SmoothGradSettings) -> torch.Tensor:
    """Return standard normal noise, copies × channels × S × S, the same on every device."""
    generator = torch.Generator().manual_seed(settings.seed)
    return torch.randn(settings.copies, *inputs.shape[1:], generator=generator).to(inputs.device)
