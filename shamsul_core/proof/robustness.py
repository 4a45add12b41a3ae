"""Robustness: whether a map stays when the radiograph is shifted, rotated, noisy or compressed, or chance falls otherwise.

As Arun et al. (2021) ask it of chest radiographs. Each map is held against the same method's of the same finding in another
patient: a map that is alike there, too, is stable because it says little of the radiograph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.explain import Subject
from shamsul_core.proof.catalogue import ANOTHER_PATIENT
from shamsul_core.proof.maps import maps_of, model_free_maps, with_seed
from shamsul_core.proof.perturbations import perturbations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.proof.catalogue import Measured
    from shamsul_core.proof.examined import Examined

OTHER_SEED = "another seed"
_SEED = 1


def measure(examined: Examined) -> Iterator[Measured]:
    """Yield how alike the maps are under each change; another seed only for the methods that draw."""
    subject, pathologies = examined.subject, examined.pathologies
    reseeded = [with_seed(explainer, _SEED) for explainer in examined.explainers]
    drawing = [explainer for explainer in reseeded if explainer is not None]
    if drawing:
        yield from examined.compare(maps_of(subject, drawing, pathologies), OTHER_SEED)
    for change in perturbations(subject.pixels, subject.field, examined.size_px, examined.seed):
        changed = Subject(subject.classifier, change.pixels)
        maps = maps_of(changed, examined.explainers, pathologies) | model_free_maps(changed, pathologies)
        back = {
            key: values if isinstance(values, str) else change.bring_back(values)
            for key, values in maps.items()
        }
        yield from examined.compare(back, change.name)
    yield from examined.compare(examined.others, ANOTHER_PATIENT)
