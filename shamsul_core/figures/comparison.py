"""One radiograph, one pathology: the expert's contours and every method's heatmap, mask and score side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from shamsul_core.cohort import CohortError
from shamsul_core.figures.overlay import Metric, Panel, Scene
from shamsul_core.labels import LOCALISED_PATHOLOGIES
from shamsul_core.segmentation import PRESETS, SegmentationSettings, outline, segment

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.run import Run
    from shamsul_core.segmentation import Mask

UNTRAINED = "Untrained network: its predictions and heatmaps mean nothing."


def comparison_scene(run: Run, cohort: Cohort, image_id: str, pathology: str, scores: pd.DataFrame) -> Scene:
    """Return what the viewer shows of one radiograph and pathology.

    Where something is missing, its panel says what and why.

    Parameters
    ----------
    scores
        The run's scores, from which the figures under the panels come.

    Raises
    ------
    CohortError
        If the radiograph cannot be read.
    RunError
        If its result cannot be read.
    """
    radiograph = cohort.radiographs[image_id]
    pixels = radiograph.pixels()
    expert, note = _expert_mask(cohort, image_id, pathology, pixels.shape)
    outlines = () if expert is None else outline(expert)
    area = (
        []
        if expert is None
        else [Metric(name="Area", value=_share(expert), help="The experts' mask, of the radiograph")]
    )
    here = scores[(scores["image_id"] == image_id) & (scores["pathology"] == pathology)].set_index("method")
    methods = (
        _method_panel(run, image_id, pathology, method, pixels.shape, here) for method in run.manifest.methods
    )
    return Scene(
        image_id=image_id,
        pathology=pathology,
        pixels=pixels,
        expert_outlines=outlines,
        panels=(Panel(key="expert", title="Radiograph", metrics=tuple(area), note=note), *methods),
        banner=banner(run),
        side_markers=None if radiograph.view == "lateral" else ("R", "L"),
    )


def banner(run: Run) -> str | None:
    """Return what a reader must know wherever this run's results show; ``None`` where there is nothing."""
    lines = [] if run.manifest.model["is_trained"] else [UNTRAINED]
    simulated = run.manifest.cohort.get("simulated")
    return " ".join([*lines, simulated] if simulated else lines) or None


def _expert_mask(
    cohort: Cohort, image_id: str, pathology: str, size: tuple[int, ...]
) -> tuple[Mask | None, str | None]:
    """Return the experts' mask, or why there is none to draw."""
    if pathology not in LOCALISED_PATHOLOGIES:
        return None, "CheXlocalize has no contours of this observation."
    try:
        annotation = cohort.annotation(image_id, pathology)
        if annotation is None:
            return None, "This cohort has no expert contours."
        if annotation.is_empty:
            return None, "The experts marked nothing here."
        mask = annotation.mask()
    except CohortError as error:
        return None, str(error)
    if mask.shape != size:
        return None, f"The expert's mask has another size ({mask.shape}) than the radiograph ({size})."
    return mask, None


def _method_panel(
    run: Run, image_id: str, pathology: str, method: str, size: tuple[int, ...], scores: pd.DataFrame
) -> Panel:
    heatmap = run.heatmap(image_id, method, pathology)
    score = scores.loc[method].to_dict() if method in scores.index else None
    title = str(run.manifest.methods[method]["title"])
    note = None if score is None or pd.isna(score["reason"]) else f"{str(score['reason']).capitalize()}."
    if heatmap is None:
        return Panel(key=method, title=title, note=note or "Not explained.")
    stored = run.segmentation
    settings = PRESETS["default"] if stored is None else SegmentationSettings.from_json(stored)
    probability = None if score is None or pd.isna(score["probability"]) else float(score["probability"])
    mask = segment(heatmap, (size[0], size[1]), settings, probability=probability).mask
    return Panel(
        key=method,
        title=title,
        relevance=heatmap.relevance,
        is_piecewise=heatmap.superpixels is not None,
        uncertain=heatmap.uncertain,
        outlines=outline(mask),
        metrics=() if score is None else _metrics(score, mask),
        note=" ".join(
            filter(None, [note or ("Not scored yet." if score is None else None), _convergence(heatmap)])
        )
        or None,
    )


def _convergence(heatmap: Heatmap) -> str | None:
    """Return what a reader must know of a sampled heatmap that is not good enough."""
    if heatmap.converged is not False:
        return None
    return f"Not converged after {heatmap.evaluations} forward passes."


def _metrics(score: Mapping[Hashable, Any], mask: Mask) -> tuple[Metric, ...]:
    iou = "–" if pd.isna(score["iou"]) else f"{score['iou']:.2f}"
    hit = "–" if pd.isna(score["hit"]) else ("yes" if score["hit"] == 1 else "no")
    return (
        Metric(name="IoU", value=iou, help="Overlap of the method's mask with the experts', 0 to 1"),
        Metric(name="Hit", value=hit, help="Whether the map's maximum lies inside the experts' contour"),
        Metric(name="Area", value=_share(mask), help="The method's mask, of the radiograph"),
    )


def _share(mask: Mask) -> str:
    share = 100 * np.count_nonzero(mask) / mask.size
    return f"{share:.1f} %" if share < 10 else f"{share:.0f} %"
