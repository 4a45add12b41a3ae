"""What the radiograph viewer shows, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from shamsul_core.cohort.truth_words import CONTOUR, TruthWords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shamsul_core.figures.scene.score_grid import GridRow, Metric
    from shamsul_core.heatmap import FloatArray
    from shamsul_core.imaging.boxes import BoxArray
    from shamsul_core.localisation.segmentation import Mask
    from shamsul_core.localisation.thresholds import RatioArray

Outline: TypeAlias = npt.NDArray[np.integer | np.floating]
"""n × 2, x and y of pixel centres of the full radiograph, closed by itself."""

EXPERT = "expert"
"""Key of the panel with nothing but the radiograph and what the experts marked."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A radiograph as it travels.

    Parameters
    ----------
    width, height
        Of the full radiograph, in pixels.
    jpeg
        Grey, its longer side at most `RADIOGRAPH_SIZE_PX`.
    """

    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """What a method's mask would be, and score, at every threshold.

    Parameters
    ----------
    map
        uint16, h × w: the map that is thresholded, from 0 to 65535, sampled over the radiograph's whole extent. The
        mask at level t is where it is at least ``257 * (t + 1)``, as `segmentation.grey_levels` has it.
    iou
        (256,), counted at full resolution, NaN where there is none; ``None`` without a contour by experts.
    area
        (256,), share of the radiograph, counted at full resolution.
    level
        The run's threshold in 1/255, NaN where none was applied.
    """

    map: npt.NDArray[np.uint16]
    iou: RatioArray | None
    area: RatioArray
    level: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """How far two methods' masks agree.

    Parameters
    ----------
    one, other
        Keys of their panels.
    iou
        Of the run's masks, NaN where either is empty.
    levels
        (256,), of the masks at each threshold.
    """

    one: str
    other: str
    iou: float
    levels: RatioArray


@dataclass(frozen=True, kw_only=True, eq=False)
class ReaderMark:
    """What one of several annotators marked.

    Parameters
    ----------
    reader
        As the cohort names them.
    outlines
        As `Scene.expert_outlines`.
    """

    reader: str
    outlines: tuple[Outline, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class WithoutFinding:
    """The same simulated patient without the finding.

    Parameters
    ----------
    picture
        Of the radiograph's size.
    changed
        Outlines of where the finding changes the picture visibly.
    caption
        What stands on the pictures while it shows.
    """

    picture: Picture
    changed: tuple[Outline, ...]
    caption: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One panel of the viewer.

    Parameters
    ----------
    key
        Unique in the scene: the method's name, or `EXPERT`.
    title
        What stands above the picture.
    relevance
        float32, h × w at the method's native resolution, signed, finite, the whole radiograph's extent. ``None`` in the
        expert's panel; in any other it means that there is no heatmap, and `note` says why.
    outlines
        Of the mask.
    metrics
        As they are read under the picture.
    note
        What else a reader must know; why there is no heatmap, or no IoU.
    is_piecewise
        Whether `relevance` is constant on superpixels, whose borders must stay sharp.
    uncertain
        bool, the shape of `relevance`: where it is within its own error of zero. Drawn hatched.
    levels
        For the reader's own threshold; ``None`` where there is nothing to threshold.
    """

    key: str
    title: str
    relevance: FloatArray | None = None
    outlines: tuple[Outline, ...] = ()
    metrics: tuple[Metric, ...] = ()
    note: str | None = None
    is_piecewise: bool = False
    uncertain: Mask | None = None
    levels: Levels | None = None

    @property
    def message(self) -> str | None:
        """What stands on the picture instead of a heatmap, ``None`` where there is one or none is due."""
        if self.relevance is None:
            return (
                None
                if self.key == EXPERT
                else self.note or "There is no heatmap, and no reason was recorded."
            )
        return None if np.any(self.relevance) else "The heatmap is zero everywhere."

    def spoken(self, pathology: str) -> str:
        """Return what the panel shows, for a reader who does not see it."""
        readings = (f"{metric.name} {metric.value}" for metric in self.metrics)
        remarks = dict.fromkeys(text for text in (self.message, self.note) if text)
        return ", ".join([self.title, pathology, *readings, *remarks])


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A radiograph, one pathology, and the panels side by side.

    Parameters
    ----------
    image_id
        The radiograph's id; the reader's zoom and window last as long as it stays the same.
    pathology
        What the heatmaps explain.
    radiograph
        As `picture_of` makes it.
    pixels
        uint8, H × W, for still pictures; empty in a scene for the viewer.
    expert_outlines
        The experts' contours, or their boxes' corners, drawn on every panel; of several annotators the union.
    readers
        What each of several annotators marked; none where there is one alone.
    boxes
        Where boxes were drawn, those of each annotator who drew any, float64, n × 4: x0, y0, x1, y1 in pixels, edges.
    phrase
        The report's words that the marks belong to; empty where there are none.
    panels
        In the order shown.
    banner
        What holds of everything shown, such as that the network is untrained.
    side_markers
        Which side of the patient is on the left and on the right of the screen; ``None`` in a lateral view.
    facts
        What is known of this pathology here.
    prediction_rule
        At which probability a pathology counts as predicted, in words.
    threshold_rule
        What the run's masks were made with, such as Otsu's threshold.
    grid
        This radiograph's pathologies, to choose from.
    agreements
        Of the methods, pair by pair.
    is_above_form
        Whether something to fill in stands below, so that the panels take half of the window's height.
    can_draw
        Whether the reader may draw the contour, which is then theirs and not the experts'.
    contour_of
        Whose the contours are, as it stands before the word: ``"experts'"`` or ``"your"``.
    without
        The same patient without the finding, which only a simulated cohort knows.
    truth, grid_truth
        The words for what experts marked of the pathology, and of any pathology of the grid.
    """

    image_id: str
    pathology: str
    radiograph: Picture
    pixels: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    expert_outlines: tuple[Outline, ...] = ()
    panels: tuple[Panel, ...] = ()
    banner: str | None = None
    side_markers: tuple[str, str] | None = ("R", "L")
    facts: tuple[Metric, ...] = ()
    prediction_rule: str = ""
    threshold_rule: str = "Otsu"
    grid: tuple[GridRow, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    is_above_form: bool = False
    can_draw: bool = False
    contour_of: str = "experts'"
    truth: TruthWords = CONTOUR
    grid_truth: TruthWords = CONTOUR
    readers: tuple[ReaderMark, ...] = ()
    boxes: tuple[BoxArray, ...] = ()
    phrase: str = ""
    without: WithoutFinding | None = None

    @property
    def contour(self) -> str:
        """What was marked with its owner, as within a sentence: the experts' contour, the experts' boxes, your contour."""
        return f"{'' if self.contour_of == 'your' else 'the '}{self.own_mark}"

    @property
    def own_mark(self) -> str:
        """What was marked with its owner, without an article."""
        return f"{self.contour_of} {self.truth.marked_as}"

    @property
    def lines(self) -> str:
        """What the outlines are, as sentences."""
        return f"Solid line: {self.contour}. Dashed: the method's mask."

    def above_form(self) -> Scene:
        """Return the scene with the panels alone, whose columns are then those of the form below."""
        return replace(self, is_above_form=True, grid=(), agreements=())


def hatching_in_words(panels: Iterable[Panel]) -> str | None:
    """Say what the hatching on panels means, ``None`` where there is none."""
    is_hatched = any(panel.uncertain is not None and panel.uncertain.any() for panel in panels)
    return "Hatched: the relevance is within two standard errors of zero." if is_hatched else None
