"""Cause: whether relevance lies where the finding changed the picture, and more so where that moved the prediction more.

Only a simulated cohort knows the same radiograph without the finding (`Cohort.counterfactual`). A method that finds the cause
puts the denser relevance there the more the logit falls without it: a rank correlation over cases, see
`shamsul_core.statistics.proof`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.localisation.baselines import LOCATION
from shamsul_core.localisation.overlap import density, mass_accuracy
from shamsul_core.proof.catalogue import DENSITY, EXPERT, SHARE, Measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.proof.examined import Examined


def measure(examined: Examined) -> Iterator[Measured]:
    """Yield share and density of each map's positive relevance where each finding changed the picture."""
    for pathology in examined.pathologies:
        if pathology not in examined.changed or pathology not in examined.falls:
            continue
        area = examined.seen(examined.changed[pathology]) >= 0.5
        maps = {method: values for (method, name), values in examined.reference.items() if name == pathology}
        if pathology in examined.location:
            maps[LOCATION] = examined.seen(examined.location[pathology])
        if pathology in examined.experts:
            maps[EXPERT] = examined.seen(examined.experts[pathology])
        for method, values in maps.items():
            if isinstance(values, str):
                continue
            found = {DENSITY: density(values, area), SHARE: mass_accuracy(values, area)}
            for figure, value in found.items():
                yield Measured(
                    pathology=pathology,
                    method=method,
                    figure=figure,
                    setting="counterfactual",
                    value=value,
                    at=examined.falls[pathology],
                )
