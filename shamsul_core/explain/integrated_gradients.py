"""Integrated Gradients (Sundararajan, Taly and Yan, *Axiomatic attribution for deep networks*, ICML 2017, equation 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import torch

from shamsul_core.explain.input_gradients import input_gradients
from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class IntegratedGradientsSettings:
    """Integrated Gradients' settings; the way begins at 0 of the normalised input, which is mean grey.

    Parameters
    ----------
    output
        What is explained, the logit.
    steps
        Places on the way from grey to the radiograph at which the gradient is taken.
    tolerance
        How far the map's sum may be from what it should be, as a share of that, or of 1 where that is less, for the map
        to count as converged; the authors ask for 5 %.
    """

    output: Literal["logit"] = "logit"
    steps: int = 32
    tolerance: float = 0.05


@dataclass(frozen=True)
class IntegratedGradients:
    """Relevance of every pixel of the network's input, summed over its channels.

    It sums to the logit less that of mean grey, but for the error of a sum in place of an integral.
    """

    settings: IntegratedGradientsSettings

    name: ClassVar[str] = "ig"
    title: ClassVar[str] = "Integrated Gradients"
    presets: ClassVar[Mapping[str, IntegratedGradientsSettings]] = {"default": IntegratedGradientsSettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        classifier, inputs, settings = subject.classifier, subject.inputs, self.settings
        classifier.need_gradients(self.title)
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        maps = integrate(classifier.network, inputs, columns, settings.steps)
        whole, grey = classifier.logits(torch.cat([inputs, torch.zeros_like(inputs)]))[:, columns]
        error = (maps.sum(dim=(1, 2)) - (whole - grey)).abs()
        is_converged = (error <= settings.tolerance * (whole - grey).abs().clamp(min=1)).tolist()
        values = maps.cpu().numpy()
        return {
            pathology: Heatmap(
                method=self.name,
                pathology=pathology,
                output=settings.output,
                values=values[index],
                converged=is_converged[index],
                evaluations=settings.steps + 2,
            )
            for index, pathology in enumerate(pathologies)
        }


def integrate(network: nn.Module, inputs: torch.Tensor, columns: Sequence[int], steps: int) -> torch.Tensor:
    """Return the input times its mean gradient on the straight way from 0, by the rule of Gauss and Legendre.

    Parameters
    ----------
    inputs
        float32, 1 × channels × S × S.

    Returns
    -------
    torch.Tensor
        float32, columns × S × S.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    # From -1..1 to the way's 0..1
    places = inputs.new_tensor((nodes + 1) / 2)[:, None, None, None]
    shares = inputs.new_tensor(weights / 2)
    mean = sum(
        torch.einsum("cnkhw,n->ckhw", gradients, shares[part])
        for part, gradients in input_gradients(network, places * inputs, columns)
    )
    return (mean * inputs).sum(dim=1)
