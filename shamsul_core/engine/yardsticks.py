"""What the scores of a run are held against: baselines that never saw the network, other patients' marks, and ceilings."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.files.lock import locked
from shamsul_core.heatmap import Heatmap
from shamsul_core.localisation.baselines import (
    BY_LOT,
    CENTRE,
    EDGES,
    GREY,
    LOCATION,
    best_coarse_iou,
    best_superpixel_iou,
    centred_gaussian,
    edges,
    on_grid,
    superpixels_by_lot,
)
from shamsul_core.localisation.others import FINE_PX, MarksOfOthers, Others
from shamsul_core.localisation.scoring import Truth, expert_truths, score_heatmap
from shamsul_core.localisation.segmentation import segment
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.run import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import FloatArray
    from shamsul_core.localisation.segmentation import SegmentationSettings
    from shamsul_core.run import RadiographResult, Run
    from shamsul_core.run.tables import TableRow

_LONGEST_PX = 768
"""Baselines are scored on radiographs of no longer side: a mean IoU moves by less than 0.01 by it, and takes a tenth."""

_COARSE_PX = 32
"""A map of no more rows and columns has a ceiling."""


@dataclass(frozen=True, eq=False)
class _Case:
    """One pathology on one radiograph, marked by experts."""

    result: RadiographResult
    pathology: str
    truths: Sequence[Truth]
    marks: MarksOfOthers
    segmentation: SegmentationSettings

    def random(self) -> np.random.Generator:
        """Return the case's own random numbers."""
        return np.random.default_rng(zlib.crc32(f"{self.result.image_id}/{self.pathology}".encode()))

    @cached_property
    def union(self) -> Truth:
        """What any of the experts marked."""
        return _union(self.truths)

    @cached_property
    def others(self) -> Others:
        """The other patients' marks, the same for all maps."""
        return self.marks.others_of(self.result.image_id, self.random())


def measure_yardsticks(
    run: Run, cohort: Cohort, segmentation: SegmentationSettings, on_step: OnStep = say_nothing
) -> None:
    """Score the baselines on all that experts marked, and hold the methods' masks against other patients' marks.

    All radiographs that the run explained count, so that it is done when they are. What cannot be read is left out, as the
    scores have said.

    Parameters
    ----------
    segmentation
        How the masks of the run's scores are made; the baselines' are made likewise.
    on_step
        Called twice for each radiograph with its id.

    Raises
    ------
    RunError
        If another engine is at work on the run, or a result cannot be read.
    """
    with locked(run.folder, "run", RunError):
        explained = run.explained_ids()
        marks = marks_of_run(run, cohort, on_step)
        scores = run.scores
        keys = zip(scores["image_id"], scores["pathology"], scores["method"], strict=True)
        own = dict(zip(keys, scores[["iou", "hit"]].to_dict("records"), strict=True))
        rows: list[TableRow] = []
        for image_id in explained:
            rows += _rows_of(run, cohort, image_id, marks, segmentation)
            on_step(image_id)
        for row in rows:
            own_scores = own.get((row["image_id"], row["pathology"], row["method"]), {})
            row.update({str(column): score for column, score in own_scores.items()})
        run.write_yardsticks(rows, segmentation.to_json())


def marks_of_run(run: Run, cohort: Cohort, on_step: OnStep = say_nothing) -> dict[str, MarksOfOthers]:
    """Return what experts marked on all radiographs that a run explained, by each of its pathologies.

    Parameters
    ----------
    on_step
        Called for each radiograph with its id.

    Raises
    ------
    RunError
        If a result cannot be read.
    """
    marks = {name: MarksOfOthers() for name in run.manifest.pathologies}
    for image_id in run.explained_ids():
        for name, truths in _marked(run, cohort, image_id):
            marks[name].add(image_id, _union(truths))
        on_step(image_id)
    return marks


def _marked(run: Run, cohort: Cohort, image_id: str) -> Iterator[tuple[str, tuple[Truth, ...]]]:
    """Yield the pathologies that experts marked on a radiograph, on a small copy of it."""
    names = [name for name in cohort.marked_on(image_id) if name in run.manifest.pathologies]
    size = run.read_record(image_id).size if names else (0, 0)
    for name in names:
        try:
            truths, nothing = expert_truths(cohort, image_id, size, name)
        except CohortError:
            continue
        if truths and nothing is None:
            yield name, tuple(_smaller(truth) for truth in truths if truth.mask.any())


def _smaller(truth: Truth) -> Truth:
    height, width = truth.mask.shape
    scale = _LONGEST_PX / max(height, width)
    if scale >= 1:
        return truth
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(truth.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    # The least lesion stays one
    mask = small >= min(0.5, float(small.max()))
    return replace(truth, mask=np.asarray(mask), boxes=truth.boxes * scale)


def _union(truths: Sequence[Truth]) -> Truth:
    boxes = np.concatenate([truth.boxes for truth in truths])
    return replace(truths[0], mask=np.logical_or.reduce([truth.mask for truth in truths]), boxes=boxes)


def _rows_of(
    run: Run,
    cohort: Cohort,
    image_id: str,
    marks: Mapping[str, MarksOfOthers],
    segmentation: SegmentationSettings,
) -> Iterator[TableRow]:
    marked = list(_marked(run, cohort, image_id))
    if not marked:
        return
    result = run.read(image_id)
    grey = _grey(cohort, image_id)
    for name, truths in marked:
        case = _Case(result, name, truths, marks[name], segmentation)
        methods = [heatmap for heatmap in result.heatmaps if heatmap.pathology == name]
        for heatmap in methods:
            yield _row(case, heatmap) | {"ceiling": _ceiling(case, heatmap)}
        for heatmap in _baselines(case, methods, grey):
            scores = score_heatmap(heatmap, truths[0].mask.shape, segmentation, None, truths)
            yield _row(case, heatmap) | {"iou": scores.get("iou"), "hit": scores.get("hit")}


def _grey(cohort: Cohort, image_id: str) -> FloatArray | None:
    radiograph = cohort.radiographs.get(image_id)
    try:
        return None if radiograph is None else on_grid(radiograph.pixels())
    except CohortError:
        return None


def _baselines(case: _Case, methods: Sequence[Heatmap], grey: FloatArray | None) -> Iterator[Heatmap]:
    def made(name: str, values: FloatArray, **more: Any) -> Heatmap:
        return Heatmap(method=name, pathology=case.pathology, output="logit", values=values, **more)

    location = case.marks.location(case.result.image_id)
    if location is not None:
        yield made(LOCATION, location)
    yield made(CENTRE, centred_gaussian())
    cut = next((one.superpixels for one in methods if one.superpixels is not None and not one.is_mask), None)
    if cut is not None:
        drawn = superpixels_by_lot(cut, float(case.union.mask.mean()), case.random())
        yield made(BY_LOT, drawn, superpixels=cut)
    if grey is not None:
        yield made(EDGES, edges(grey))
        yield made(GREY, grey)


def _row(case: _Case, heatmap: Heatmap) -> TableRow:
    result, name = case.result, case.pathology
    row = {"image_id": result.image_id, "pathology": name, "method": heatmap.method}
    # A cutoff that empties the mask does so whatever it is held against
    probability = result.probabilities.get(name)
    segmented = segment(heatmap, (FINE_PX, FINE_PX), case.segmentation, probability=probability)
    return row | case.others.scores(segmented.mask, _maximum(heatmap))


def _maximum(heatmap: Heatmap) -> tuple[float, float] | None:
    if heatmap.is_mask:
        return None
    relevance = heatmap.relevance
    row, column = np.unravel_index(np.argmax(relevance), relevance.shape)
    return (float(row) + 0.5) / relevance.shape[0], (float(column) + 0.5) / relevance.shape[1]


def _ceiling(case: _Case, heatmap: Heatmap) -> float | None:
    """Return the highest IoU that maps of this kind could reach; ``None`` where nothing limits them, or boxes were drawn."""
    truth = case.union
    if len(truth.boxes) or heatmap.is_mask:
        return None
    if heatmap.superpixels is not None:
        return best_superpixel_iou(truth.mask, heatmap.superpixels)
    rows, columns = heatmap.values.shape
    return best_coarse_iou(truth.mask, (rows, columns)) if max(rows, columns) <= _COARSE_PX else None
