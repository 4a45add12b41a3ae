"""How the viewer shows a scene to a reader, so that a file they download is the picture on their screen.

The browser sends the viewer's state with each change; `Display.from_browser` takes it in, whatever it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shamsul_core.cohort.truth_words import CONTOUR, TruthWords
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.relevance_colours import COLOUR_MAPS, ColourMap
from shamsul_core.figures.scene.scene import EXPERT
from shamsul_core.figures.scene.score_grid import percent
from shamsul_core.localisation.thresholds import LEVEL_THRESHOLDS
from shamsul_core.run.scoring import score_result, segmentation_of
from shamsul_core.run.tables import score_table
from shamsul_core.statistics.prediction.decisions import Thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from shamsul_core.cohort import Cohort
    from shamsul_core.figures.scene.scene import Outline, Scene
    from shamsul_core.localisation.segmentation import SegmentationSettings
    from shamsul_core.run.reader import RunReader

HIGHEST_LEVEL = 254
"""Above it no mask is left."""

LARGEST_ZOOM = 24.0

_TOO_LARGE = 1e9
"""No number of a viewer is; not a number is not below it either."""


@dataclass(frozen=True, kw_only=True)
class Display:
    """The reader's choices in the viewer, by default those it begins with.

    Parameters
    ----------
    level
        0..254: each map's mask is where its grey level, 0..255, is above it, as in `scene.Levels`. ``None`` for the
        run's own masks.
    is_inverted
        Whether the radiograph is shown black for white.
    width, centre
        Of the window of grey levels that is spread from black to white, 2..512 and 0..255.
    enlarged
        Key of the only panel shown, ``None`` for all.
    has_heatmap, has_mask, has_contour
        Whether these are drawn.
    has_readers
        Whether of several annotators each one's marks are drawn instead of the union.
    opacity
        Of the greatest relevance, 0..1.
    colours
        Key of one of `relevance_colours.COLOUR_MAPS`.
    zoom
        1..24; at 1 the whole radiograph is shown.
    x, y
        Pixel of the radiograph in the middle of the picture; ``None`` for its own middle.
    decides
        From which probability on a pathology is said to be predicted.
    """

    level: int | None = None
    is_inverted: bool = False
    width: float = 256.0
    centre: float = 128.0
    enlarged: str | None = None
    has_heatmap: bool = True
    has_mask: bool = True
    has_contour: bool = True
    has_readers: bool = False
    opacity: float = 0.65
    colours: str = COLOUR_MAPS[0].key
    zoom: float = 1.0
    x: float | None = None
    y: float | None = None
    decides: Thresholds = field(default_factory=Thresholds)

    @classmethod
    def from_browser(cls, value: object, image_id: str) -> Display:
        """Return what a browser says that it shows of a radiograph.

        Parameters
        ----------
        value
            The viewer's state, or anything at all. What cannot be is replaced by the default, what is out of bounds is
            brought within them, and what is about another radiograph does not count.
        image_id
            Of the radiograph.
        """
        if not isinstance(value, dict) or value.get("image") != image_id:
            return AS_AT_FIRST
        first = AS_AT_FIRST
        enlarged, colours = value.get("enlarged"), value.get("colours")
        zoom = _number(value.get("zoom"), 1.0, LARGEST_ZOOM, first.zoom)
        x, y = (value.get(name) if zoom > 1 and _is_number(value.get(name)) else None for name in ("x", "y"))
        return cls(
            level=round(_number(value["level"], 0, HIGHEST_LEVEL, 0))
            if _is_number(value.get("level"))
            else None,
            is_inverted=_flag(value.get("invert"), first.is_inverted),
            width=_number(value.get("width"), 2.0, 512.0, first.width),
            centre=_number(value.get("centre"), 0.0, 255.0, first.centre),
            enlarged=enlarged if isinstance(enlarged, str) else None,
            has_heatmap=_flag(value.get("heatmap"), first.has_heatmap),
            has_mask=_flag(value.get("mask"), first.has_mask),
            has_contour=_flag(value.get("expert"), first.has_contour),
            has_readers=_flag(value.get("readers"), first.has_readers),
            opacity=_number(value.get("opacity"), 0.0, 1.0, first.opacity),
            colours=next((known.key for known in COLOUR_MAPS if known.key == colours), first.colours),
            zoom=zoom,
            x=x,
            y=y,
        )

    @property
    def threshold(self) -> str | None:
        """The reader's own threshold in words, ``None`` for the run's masks."""
        return None if self.level is None else f"fixed threshold {self.level / 255:.2f}"

    @property
    def colour_map(self) -> ColourMap:
        """The colours of relevance."""
        return next(known for known in COLOUR_MAPS if known.key == self.colours)

    def words(self, titles: Mapping[str, str], truth: TruthWords = CONTOUR) -> tuple[str, ...]:
        """Return in a reader's words what is not as the viewer begins with; nothing where all is.

        Parameters
        ----------
        titles
            Of the panels' methods, by key.
        truth
            The words for what experts marked.

        Examples
        --------
        >>> Display(level=137, is_inverted=True, enlarged="lrp").words({"lrp": "LRP"})
        ('fixed threshold 0.54', 'LRP alone', 'inverted')
        """
        first = AS_AT_FIRST
        alone = {EXPERT: "radiograph", **titles}.get(self.enlarged or "")
        window = (self.width, self.centre) != (first.width, first.centre)
        is_opacity_told = self.has_heatmap and self.opacity != first.opacity
        is_coloured = self.has_heatmap and self.colours != first.colours
        words = (
            self.threshold,
            alone and f"{alone} alone",
            "inverted" if self.is_inverted else None,
            f"window {self.width:.0f}, level {self.centre:.0f}" if window else None,
            None if self.has_heatmap else "no heatmap",
            None if self.has_mask else "no masks",
            None if self.has_contour else "no contour" if truth is CONTOUR else f"no {truth.plural}",
            "each reader" if self.has_contour and self.has_readers else None,
            f"heatmap {percent(self.opacity)} opaque" if is_opacity_told else None,
            f"colours {self.colour_map.title.lower()}" if is_coloured else None,
            f"magnified {self.zoom:.1f}×" if self.zoom > 1 else None,
        )
        return tuple(part for part in words if part)

    def shown_part(self, size: tuple[int, int]) -> tuple[slice, slice]:
        """Return the rows and columns of a radiograph, height and width, that are in the picture.

        The picture has the radiograph's shape, and never reaches over its edge.

        Examples
        --------
        >>> Display(zoom=2.0, x=100.0, y=0.0).shown_part((100, 120))
        (slice(0, 50, None), slice(60, 120, None))
        """
        rows, columns = (
            _along(centre, whole, self.zoom) for centre, whole in zip((self.y, self.x), size, strict=True)
        )
        return rows, columns

    def windowed(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return a radiograph, uint8, as it looks in the window: (grey - centre) / width + 1/2 of white, cut at both ends.

        As the viewer does with each grey level; the window that it begins with leaves all as they are.
        """
        first = AS_AT_FIRST
        if not self.is_inverted and (self.width, self.centre) == (first.width, first.centre):
            return pixels
        share = np.clip((np.arange(256) - self.centre) / self.width + 0.5, 0, 1)
        shades = np.floor(255 * (1 - share if self.is_inverted else share) + 0.5).astype(np.uint8)
        return np.asarray(shades[pixels], np.uint8)

    def segmentation(self, run: RunReader) -> SegmentationSettings:
        """Return how the masks shown are made."""
        settings = segmentation_of(run)
        if self.level is None:
            return settings
        threshold = float(LEVEL_THRESHOLDS[self.level])
        return replace(
            settings,
            thresholds=dict.fromkeys(run.manifest.pathologies, threshold),
            probability_cutoffs=None,
        )

    def scores(
        self,
        run: RunReader,
        cohort: Cohort,
        image_id: str,
        scores: pd.DataFrame,
        pathologies: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Return a radiograph's scores of the masks shown.

        Parameters
        ----------
        scores
            The run's, which hold for its own masks.
        pathologies
            Those wanted; ``None`` for all.

        Raises
        ------
        RunError
            If its result cannot be read.
        """
        if self.level is None:
            here = scores["image_id"] == image_id
            return scores[here if pathologies is None else here & scores["pathology"].isin(pathologies)]
        rows, _ = score_result(run, image_id, cohort, self.segmentation(run), pathologies)
        made = score_table(rows)
        # As the run's own thresholds are given: the mask is what is above this grey level
        made["threshold"] = made["threshold"].where(made["threshold"].isna(), self.level / 255)
        return made


AS_AT_FIRST = Display()


def displayed_scene(
    run: RunReader, cohort: Cohort, image_id: str, pathology: str, scores: pd.DataFrame, display: Display
) -> Scene:
    """Return a scene with the panels, masks, figures and grey levels that a display shows of it.

    What is left to do for whoever draws it: the heatmap with its colours and opacity, and the part that is shown.

    Parameters
    ----------
    scores
        The run's scores.

    Raises
    ------
    CohortError, RunError
        If the radiograph or its result cannot be read.
    """
    shown_scores = (
        scores if display.level is None else display.scores(run, cohort, image_id, scores, [pathology])
    )
    segmentation = display.segmentation(run)
    scene = comparison_scene(
        run, cohort, image_id, pathology, shown_scores, segmentation=segmentation, thresholds=display.decides
    )
    panels = [panel for panel in scene.panels if panel.key == display.enlarged] or scene.panels
    return replace(
        scene,
        pixels=display.windowed(scene.pixels),
        panels=tuple(panel if display.has_mask else replace(panel, outlines=()) for panel in panels),
        expert_outlines=_expert_outlines(scene, display),
        threshold_rule=display.threshold or scene.threshold_rule,
    )


def _expert_outlines(scene: Scene, display: Display) -> tuple[Outline, ...]:
    if not display.has_contour:
        return ()
    if not display.has_readers or not scene.readers:
        return scene.expert_outlines
    return tuple(outline for mark in scene.readers for outline in mark.outlines)


def _along(centre: float | None, whole: int, zoom: float) -> slice:
    """Return the visible part of a side of so many pixels."""
    visible = whole / zoom
    middle = whole / 2 if centre is None else min(max(centre, visible / 2), whole - visible / 2)
    start = min(round(middle - visible / 2), whole - 1)
    return slice(start, max(start + 1, round(middle + visible / 2)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _TOO_LARGE


def _number(value: Any, low: float, high: float, otherwise: float) -> float:
    return float(min(max(value, low), high)) if _is_number(value) else otherwise


def _flag(value: object, otherwise: bool) -> bool:  # noqa: FBT001
    return value if isinstance(value, bool) else otherwise
