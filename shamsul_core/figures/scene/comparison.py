"""One radiograph, one pathology: what experts marked and every method's heatmap, mask and score side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from shamsul_core.cohort.truth_words import CONTOUR, words_of_cohort, words_of_pathology
from shamsul_core.figures.scene.expert_marks import ExpertMarks, expert_marks, shrunk
from shamsul_core.figures.scene.notes import banner_of, threshold_rule
from shamsul_core.figures.scene.overlay import map_for_thresholds, picture_of
from shamsul_core.figures.scene.scene import EXPERT, Agreement, Levels, Panel, Picture, Scene
from shamsul_core.figures.scene.score_grid import (
    GridRow,
    Metric,
    lesion,
    lesion_fact,
    location_fact,
    percent,
    prediction_fact,
    score_grid,
)
from shamsul_core.figures.scene.without_finding import removal_fact, unused_remark, without_finding
from shamsul_core.imaging import to_8_bits
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.sampling import STABLE_FROM
from shamsul_core.localisation.segmentation import grey_levels, outline, scale, segment
from shamsul_core.localisation.thresholds import count_levels, count_overlaps
from shamsul_core.run.manifest import ALL
from shamsul_core.run.scoring import NOT_ASKED, segmentation_of
from shamsul_core.run.wording import sentence
from shamsul_core.statistics.prediction.decisions import RULE_MEANINGS, Thresholds

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import numpy.typing as npt

    from shamsul_core.cohort import Cohort, Radiograph
    from shamsul_core.cohort.truth_words import TruthWords
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.localisation.segmentation import Grey, Mask, SegmentationSettings
    from shamsul_core.run import RadiographResult
    from shamsul_core.run.reader import RunReader


@dataclass(frozen=True, eq=False)
class _Case:
    """What the panels are made from."""

    run: RunReader
    result: RadiographResult
    pathology: str
    marks: ExpertMarks
    scores: pd.DataFrame
    settings: SegmentationSettings
    whose: str
    truth: TruthWords
    failed: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A radiograph as it is shown, and what the experts marked on it."""

    pixels: npt.NDArray[np.uint8]
    picture: Picture
    marks: ExpertMarks


@dataclass(frozen=True, eq=False)
class _Shown:
    """A method's panel, and the mask and grey levels that it is compared with the others by."""

    panel: Panel
    masks: tuple[Mask, Grey] | None = None
    sampling: str | None = None


def comparison_scene(
    run: RunReader,
    cohort: Cohort,
    image_id: str,
    pathology: str,
    scores: pd.DataFrame,
    picture: Picture | None = None,
    *,
    thresholds: Thresholds | None = None,
    longest_px: int | None = None,
    segmentation: SegmentationSettings | None = None,
    yardsticks: pd.DataFrame | None = None,
    failed: Mapping[str, str] | None = None,
) -> Scene:
    """Return what the viewer shows of one radiograph and pathology.

    Where something is missing, its panel says what and why.

    Parameters
    ----------
    scores
        The run's scores, from which the figures under the panels come.
    picture
        What `picture_of` made of the radiograph, where it is there already; the scene then has no `pixels`.
    thresholds
        From which probability on each pathology counts as predicted; the fixed one by default.
    longest_px
        Shrinks a larger radiograph to this longer side before anything is drawn on it, for small pictures. Where it
        is no less than the heatmaps' own, the masks are the full ones to a pixel. ``None`` leaves it as it is.
    segmentation
        How the masks are made; ``None`` for the run's own way, of which `scores` are.
    yardsticks
        The run's, for what location alone would score here; ``None`` leaves that out.
    failed
        By method, what its maps failed in the proof, see `shamsul_core.statistics.proof.failing`.

    Raises
    ------
    CohortError
        If the radiograph cannot be read.
    RunError
        If its result cannot be read.
    """
    thresholds = thresholds or Thresholds()
    radiograph = cohort.radiographs[image_id]
    result = run.read_record(image_id)
    drawn = _drawn(cohort, image_id, pathology, picture, longest_px)
    scores = scores[scores["image_id"] == image_id]
    here = scores[scores["pathology"] == pathology].set_index("method")
    whose = "your" if cohort.is_readers_own else "the experts'"
    truth = words_of_pathology(cohort, pathology)
    settings = segmentation or segmentation_of(run)
    case = _Case(run, result, pathology, drawn.marks, here, settings, whose, truth, failed or {})
    size = (drawn.picture.height, drawn.picture.width)
    methods = [_method(case, method, size) for method in run.manifest.methods]
    return Scene(
        image_id=image_id,
        pathology=pathology,
        radiograph=drawn.picture,
        pixels=drawn.pixels,
        expert_outlines=drawn.marks.outlines,
        readers=drawn.marks.readers,
        boxes=drawn.marks.boxes,
        phrase=drawn.marks.phrase,
        panels=(_expert_panel(case), *(method.panel for method in methods)),
        banner=banner_of(run, result),
        side_markers=None if radiograph.view == "lateral" else ("R", "L"),
        facts=_facts(case, radiograph, methods, thresholds, yardsticks),
        prediction_rule=RULE_MEANINGS[thresholds.rule],
        threshold_rule=threshold_rule(settings, pathology),
        grid=_grid(case, cohort, radiograph, scores, thresholds),
        agreements=_agreements(methods),
        contour_of=whose.removeprefix("the "),
        can_draw=cohort.is_readers_own,
        truth=truth,
        grid_truth=words_of_cohort(cohort),
        # Small pictures do not flick
        without=without_finding(cohort, image_id, pathology, result.removals.get(pathology))
        if longest_px is None
        else None,
    )


def _drawn(
    cohort: Cohort, image_id: str, pathology: str, picture: Picture | None, longest_px: int | None
) -> _Drawn:
    """Return a radiograph as it is shown, and what the experts marked on it."""
    if picture is not None:
        marks = expert_marks(cohort, image_id, pathology, (picture.height, picture.width))
        return _Drawn(np.zeros((0, 0), np.uint8), picture, marks)
    pixels = to_8_bits(cohort.radiographs[image_id].pixels())
    marks = expert_marks(cohort, image_id, pathology, (pixels.shape[0], pixels.shape[1]), longest_px)
    pixels = shrunk(pixels, longest_px)
    return _Drawn(pixels, picture_of(pixels), marks)


def _expert_panel(case: _Case) -> Panel:
    meaning = sentence(f"{case.whose} {case.truth.counterpart}, as a share of the radiograph")
    area = () if case.marks.mask is None else (_area(case.marks.mask, meaning),)
    return Panel(key=EXPERT, title="Radiograph", metrics=area, note=case.marks.note)


def _method(case: _Case, method: str, size: tuple[int, int]) -> _Shown:
    heatmap = case.run.heatmap(case.result.image_id, method, case.pathology)
    score = case.scores.loc[method].to_dict() if method in case.scores.index else None
    title = str(case.run.manifest.methods[method]["title"])
    note = None if score is None or pd.isna(score["reason"]) else _sentence(str(score["reason"]))
    if heatmap is None:
        return _Shown(Panel(key=method, title=title, note=note or _why_not_explained(case, method)))
    scaled = scale(heatmap, size, case.settings.sign)
    probability = case.result.probabilities.get(case.pathology)
    segmented = segment(heatmap, size, case.settings, probability=probability, scaled=scaled)
    grey = None if isinstance(scaled, str) else grey_levels(scaled)
    levels = None
    if not isinstance(scaled, str) and grey is not None:
        expert = np.zeros(size, bool) if case.marks.mask is None else case.marks.mask
        counts = count_levels(grey, expert)
        # A mask's IoU with a filled box would pass for the overlap of bounding boxes
        has_iou = case.marks.mask is not None and case.truth is CONTOUR
        levels = Levels(
            map=map_for_thresholds(scaled),
            iou=counts.iou if has_iou else None,
            area=counts.mask_area / counts.area,
            level=255 * segmented.threshold,
        )
    remarks = (
        note or ("Not scored yet." if score is None else None),
        _instability(heatmap, score),
        f"Failed the proof: {case.failed[method]}." if method in case.failed else None,
        unused_remark(case.result.removals.get(case.pathology)),
    )
    panel = Panel(
        key=method,
        title=title,
        relevance=heatmap.relevance,
        is_piecewise=heatmap.superpixels is not None,
        uncertain=heatmap.uncertain,
        outlines=outline(segmented.mask),
        metrics=() if score is None else _metrics(score, segmented.mask, case),
        note=" ".join(filter(None, remarks)) or None,
        levels=levels,
    )
    return _Shown(panel, None if grey is None else (segmented.mask, grey), _sampling(title, heatmap, score))


def _why_not_explained(case: _Case, method: str) -> str:
    reasons = {(method_name, name): reason for method_name, name, reason in case.result.failures}
    reason = reasons.get((method, case.pathology))
    if reason is None and case.run.manifest.explained != ALL:
        reason = NOT_ASKED
    return "Not explained." if reason is None else _sentence(reason)


def _grid(
    case: _Case, cohort: Cohort, radiograph: Radiograph, scores: pd.DataFrame, thresholds: Thresholds
) -> tuple[GridRow, ...]:
    """Return the table of every method's score on every pathology; `scores` are the radiograph's."""
    manifest = case.run.manifest
    marked = set(scores.loc[scores["expert_area_px"] > 0, "pathology"])
    probabilities, labels = case.result.probabilities, radiograph.labels
    truths = {name: words_of_pathology(cohort, name) for name in manifest.pathologies}
    return score_grid(
        manifest.pathologies, manifest.titles, scores, probabilities, labels, marked, thresholds, truths
    )


def _facts(
    case: _Case,
    radiograph: Radiograph,
    methods: Sequence[_Shown],
    thresholds: Thresholds,
    yardsticks: pd.DataFrame | None,
) -> tuple[Metric, ...]:
    marked = None if case.marks.mask is None else lesion(case.marks.mask)
    if marked is not None and case.marks.boxes:
        marked = replace(marked, regions=sum(map(len, case.marks.boxes)))
    pathology = case.pathology
    sampled = [method.sampling for method in methods if method.sampling is not None]
    removal = case.result.removals.get(pathology)
    facts = [
        prediction_fact(
            pathology, case.result.probabilities.get(pathology), radiograph.labels.get(pathology), thresholds
        ),
        None if removal is None else removal_fact(removal),
        None if marked is None else lesion_fact(marked, case.truth, is_frontal=radiograph.view == "frontal"),
        None
        if yardsticks is None
        else location_fact(yardsticks, case.result.image_id, pathology, case.truth),
        Metric(
            name="Sampling",
            value=", ".join(sampled),
            help="How alike the masks are that the sampling's error makes: mean IoU with the one shown",
        )
        if sampled
        else None,
    ]
    return tuple(fact for fact in facts if fact is not None)


def _agreements(methods: Sequence[_Shown]) -> tuple[Agreement, ...]:
    compared = [(method.panel.key, *method.masks) for method in methods if method.masks is not None]
    levels = count_overlaps([grey for _, _, grey in compared])
    return tuple(
        Agreement(one=key, other=other_key, iou=iou(mask, other_mask), levels=levels[i, j])
        for (i, (key, mask, _)), (j, (other_key, other_mask, _)) in combinations(enumerate(compared), 2)
    )


def _sampling(title: str, heatmap: Heatmap, score: Mapping[Hashable, Any] | None) -> str | None:
    stability = _stability(score)
    if stability is not None:
        return f"{title}'s mask {'stable' if stability >= STABLE_FROM else 'unstable'} ({stability:.2f})"
    if heatmap.converged is None:
        return None
    return f"{title} {'converged' if heatmap.converged else 'not converged'}"


def _instability(heatmap: Heatmap, score: Mapping[Hashable, Any] | None) -> str | None:
    """Return what a reader must know of a sampled heatmap whose mask another sample would change."""
    stability = _stability(score)
    if stability is not None:
        if stability >= STABLE_FROM:
            return None
        return (
            f"Another sample would mark elsewhere: such masks share an IoU of {stability:.2f} with this one."
        )
    if heatmap.converged is not False:
        return None
    return f"Not converged after {heatmap.evaluations} forward passes."


def _stability(score: Mapping[Hashable, Any] | None) -> float | None:
    """Return the mask's stability; ``None`` where nothing was sampled, or scores are of an earlier version."""
    if score is None or pd.isna(score["stability"]):
        return None
    return float(score["stability"])


def _metrics(score: Mapping[Hashable, Any], mask: Mask, case: _Case) -> tuple[Metric, ...]:
    overlap = "–" if pd.isna(score["iou"]) else f"{score['iou']:.2f}"
    hit = "–" if pd.isna(score["hit"]) else ("yes" if score["hit"] == 1 else "no")
    return (
        Metric(
            name=sentence(case.truth.score),
            value=overlap,
            help=case.truth.defined(case.whose) + _by_sampling(score),
        ),
        Metric(
            name="Hit",
            value=hit,
            help=f"Whether the map's maximum lies inside {case.whose} {case.truth.noun}",
        ),
        _area(mask, "The method's mask, as a share of the radiograph"),
    )


def _by_sampling(score: Mapping[Hashable, Any]) -> str:
    if pd.isna(score["iou_low"]):
        return ""
    return f". By sampling alone it would lie between {score['iou_low']:.2f} and {score['iou_high']:.2f} in 95 of 100 runs."


def _area(mask: Mask, meaning: str) -> Metric:
    return Metric(name="Area", value=percent(np.count_nonzero(mask) / mask.size), help=meaning)


def _sentence(text: str) -> str:
    """Return a reason as a sentence."""
    return f"{sentence(text)}."
