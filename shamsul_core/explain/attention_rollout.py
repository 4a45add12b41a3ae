"""Attention rollout (Abnar and Zuidema, *Quantifying attention flow in transformers*, ACL 2020, equation 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shamsul_core.explain.attention import back, record
from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.explain.subject import Subject


@dataclass(frozen=True, kw_only=True)
class AttentionRolloutSettings:
    """Attention rollout has nothing to set."""


@dataclass(frozen=True)
class AttentionRollout:
    """The shares that patches have in what a transformer reads out; the same for every pathology, never negative.

    A block passes on half of what a token was and half of what it attends to, on average over the heads. All tokens'
    shares sum to 1.
    """

    settings: AttentionRolloutSettings

    name: ClassVar[str] = "rollout"
    title: ClassVar[str] = "Attention rollout"
    presets: ClassVar[Mapping[str, AttentionRolloutSettings]] = {"default": AttentionRolloutSettings()}

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology."""
        classifier = subject.classifier
        classifier.need_gradients(self.title)
        recorded = record(classifier.network, subject.inputs, self.title)
        averaged = [block.weights.detach().mean(dim=1) for block in recorded.blocks]
        shares = back(recorded.readout()[None], recorded.blocks, averaged, keep=0.5, take=0.5)
        values = recorded.on_grid(shares)[0].cpu().numpy()
        return {
            pathology: Heatmap(method=self.name, pathology=pathology, output=None, values=values)
            for pathology in pathologies
        }
