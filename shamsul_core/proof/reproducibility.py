"""Reproducibility: whether another training of the same model gives the same map (Arun et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.explain import Subject
from shamsul_core.proof.maps import maps_of, model_free_maps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.proof.catalogue import Measured
    from shamsul_core.proof.examined import Examined


def measure(examined: Examined) -> Iterator[Measured]:
    """Yield how alike the other model's maps are; nothing without another model.

    Raises
    ------
    ValueError
        If the other model sees another part of a radiograph, so that its maps lie elsewhere.
    """
    if examined.other_model is None:
        return
    subject = Subject(examined.other_model, examined.subject.pixels)
    if subject.field != examined.subject.field:
        message = f"{examined.other_model.source}: it sees another part of a radiograph than the run's model"
        raise ValueError(message)
    known = [name for name in examined.pathologies if name in examined.other_model.pathologies]
    maps = maps_of(subject, examined.explainers, known, examined.size_px)
    # Of the run's own input, which may have another size
    maps |= model_free_maps(examined.subject, known)
    yield from examined.compare(maps, examined.other_model.source)
