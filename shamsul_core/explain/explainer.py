"""What every explanation method is, and how one is asked so that a failure stays a failure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from shamsul_core.classifier.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.explain.subject import Subject
    from shamsul_core.heatmap import Heatmap


class Explainer(Protocol):
    """One explanation method with its settings."""

    name: ClassVar[str]
    """Short, for files and tables: ``"gradcam"``."""
    title: ClassVar[str]
    """For people: ``"Grad-CAM"``."""
    presets: ClassVar[Mapping[str, Any]]
    """Settings by the preset's name: ``"default"``, and ``"paper"`` where the paper's code has the method."""

    @property
    def settings(self) -> Any:
        """The method's settings, a frozen data class."""

    def explain(self, subject: Subject, pathologies: Sequence[str]) -> dict[str, Heatmap]:
        """Return a heatmap for each pathology, of what the network sees; `explain_subject` says where that lies.

        Raises
        ------
        ValueError, RuntimeError
            If the method cannot explain these; `explain_subject` then tells the pathologies apart.
        """


@dataclass(frozen=True)
class Failure:
    """A method that could not explain a pathology, by their names, and why: one line for people."""

    method: str
    pathology: str
    reason: str


def explain_subject(
    explainer: Explainer, subject: Subject, pathologies: Sequence[str]
) -> list[Heatmap | Failure]:
    """Explain each pathology on one radiograph; where that fails, say why instead.

    All pathologies are explained together. If that fails, each is tried alone, so that one pathology that cannot be
    explained takes no other with it.

    Returns
    -------
    list
        In the order of `pathologies`: a heatmap with finite relevance, or the failure.
    """
    with_output = [pathology for pathology in pathologies if pathology in subject.classifier.pathologies]
    outcomes = _explain_together(explainer, subject, with_output)
    absent = f"the classifier {subject.classifier.source} has no output for it"
    return [outcomes.get(name, Failure(explainer.name, name, absent)) for name in pathologies]


def _explain_together(
    explainer: Explainer, subject: Subject, pathologies: Sequence[str]
) -> dict[str, Heatmap | Failure]:
    if not pathologies:
        return {}
    try:
        heatmaps = explainer.explain(subject, pathologies)
    except (ValueError, RuntimeError, ArithmeticError, MemoryError) as error:
        if len(pathologies) == 1:
            return {pathologies[0]: Failure(explainer.name, pathologies[0], first_line(error))}
        alone = (_explain_together(explainer, subject, [pathology]) for pathology in pathologies)
        return {name: outcome for outcomes in alone for name, outcome in outcomes.items()}
    return {name: _placed(heatmap, subject) for name, heatmap in heatmaps.items()}


def _placed(heatmap: Heatmap, subject: Subject) -> Heatmap | Failure:
    if np.isfinite(heatmap.values).all():
        return replace(heatmap, field=subject.field)
    return Failure(
        heatmap.method, heatmap.pathology, "its relevance is not finite; are the model's weights sound?"
    )
