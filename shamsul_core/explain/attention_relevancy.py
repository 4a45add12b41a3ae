"""Attention relevancy (Chefer, Gur and Wolf, *Generic attention-model explainability*, ICCV 2021, equations 5 and 6).

The rule for self-attention of the paper that followed *Transformer interpretability beyond attention visualization*
(CVPR 2021), whose own method needs an LRP rule for every layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from shamsul_core.explain.attention import back, record
from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.explain.attention import Recorded
    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class AttentionRelevancySettings:
    """Attention relevancy's settings.

    Parameters
    ----------
    output
        What is explained, the logit.
    """

    output: Literal["logit"] = "logit"


@dataclass(frozen=True)
class AttentionRelevancy:
    """Attention that raises the score, added up over a transformer's blocks; never negative."""

    settings: AttentionRelevancySettings

    name: ClassVar[str] = "relevancy"
    title: ClassVar[str] = "Attention relevancy"
    presets: ClassVar[Mapping[str, AttentionRelevancySettings]] = {"default": AttentionRelevancySettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        classifier, output = subject.classifier, self.settings.output
        classifier.need_gradients(self.title)
        columns = [classifier.output_index(pathology) for pathology in pathologies]
        recorded = record(classifier.network, subject.inputs, self.title)
        maps = [relevancy(recorded, column).cpu().numpy() for column in columns]
        return {
            pathology: Heatmap(method=self.name, pathology=pathology, output=output, values=maps[index])
            for index, pathology in enumerate(pathologies)
        }


def relevancy(recorded: Recorded, column: int) -> torch.Tensor:
    """Return the relevancy of the patches for one logit, float32, side × side.

    Of each block the positive part of attention times its gradient, averaged over the heads, is Ā; relevancy is the row
    of what is read out in (I + Ā) ... (I + Ā), the last block first, less the I itself, which has no patch before others.
    """
    blocks = recorded.blocks
    weights = [block.weights for block in blocks]
    gradients = torch.autograd.grad(recorded.logits[column], weights, retain_graph=True)
    raising = [
        (gradient * weight.detach()).relu().mean(dim=1)
        for gradient, weight in zip(gradients, weights, strict=True)
    ]
    readout = recorded.readout()[None]
    itself = back(readout, blocks, raising, keep=1, take=0)
    return recorded.on_grid(back(readout, blocks, raising, keep=1, take=1) - itself)[0]
