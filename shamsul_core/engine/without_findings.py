"""What the model says of a simulated radiograph without each of its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort import CohortError
from shamsul_core.run.removal import Removal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.cohort import Cohort

COUNTERFACTUAL = "counterfactual"
"""Stands for a method in the failures where a radiograph without a finding cannot be read."""


def remove_findings(
    classifier: Classifier, cohort: Cohort, image_id: str, inputs: torch.Tensor, pathologies: Sequence[str]
) -> tuple[dict[str, Removal], list[tuple[str, str, str]]]:
    """Return what removing each finding does, where the cohort knows the radiograph without it.

    Parameters
    ----------
    inputs
        The radiograph as the network sees it, float32, 1 × channels × size × size.
    pathologies
        Those to look for, outputs of the classifier.

    Returns
    -------
    tuple
        By pathology, and (`COUNTERFACTUAL`, pathology, reason) of each that could not be read.
    """
    pictures, unusable = {}, []
    for name in pathologies:
        try:
            known = name in cohort.marked_pathologies
            counterfactual = cohort.counterfactual(image_id, name) if known else None
        except CohortError as error:
            unusable.append((COUNTERFACTUAL, name, str(error)))
            continue
        if counterfactual is not None:
            pictures[name] = counterfactual.pixels
    if not pictures:
        return {}, unusable
    logits = classifier.logits(inputs)[0].tolist()
    removals = {}
    for name, pixels in pictures.items():
        # One at a time, as the radiograph itself: others in a batch would change the last bits of what is compared
        without = classifier.logits(classifier.preprocess(pixels))[0].tolist()
        output = classifier.output_index(name)
        try:
            removals[name] = Removal(logits[output], without[output])
        except ValueError as error:
            unusable.append((COUNTERFACTUAL, name, str(error)))
    return removals, unusable
