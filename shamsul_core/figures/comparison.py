"""One radiograph, one pathology: the expert's contours and every method's heatmap, mask and score side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from shamsul_core.cohort import CohortError
from shamsul_core.figures.overlay import Panel, Scene
from shamsul_core.run import RunError
from shamsul_core.segmentation import PRESETS, SegmentationSettings, outline, segment

if TYPE_CHECKING:
    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.run import RadiographResult, Run

UNTRAINED = "Untrained network: its predictions and heatmaps mean nothing."


def comparison_scene(run: Run, cohort: Cohort, image_id: str, pathology: str) -> Scene:
    """Return what the viewer shows of one radiograph and pathology.

    Where something is missing, its panel says what and why.

    Raises
    ------
    CohortError
        If the radiograph cannot be read.
    """
    radiograph = cohort.radiographs[image_id]
    pixels = radiograph.pixels()
    outlines, note, area = _expert(cohort, image_id, pathology)
    expert = Panel(
        key="expert",
        title="Radiograph",
        metrics=() if area is None else (("Expert's area", _share(area, pixels.size), "of the radiograph"),),
        note=note,
    )
    return Scene(
        image_id=image_id,
        pathology=pathology,
        pixels=pixels,
        expert_outlines=outlines,
        panels=(expert, *(_method_panel(run, image_id, pathology, method) for method in run.manifest.methods)),
        banner=banner(run),
    )


def banner(run: Run) -> str | None:
    """Return what a reader must know wherever this run's results show; ``None`` where there is nothing."""
    lines = [] if run.manifest.model["is_trained"] else [UNTRAINED]
    simulated = run.manifest.cohort.get("simulated")
    return " ".join([*lines, simulated] if simulated else lines) or None
