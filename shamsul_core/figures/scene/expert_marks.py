"""What experts marked of one pathology on one radiograph, as a scene draws it: contours, boxes, each reader's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.truth_words import words_of_pathology
from shamsul_core.figures.scene.scene import ReaderMark
from shamsul_core.imaging.boxes import outline_boxes
from shamsul_core.localisation.segmentation import outline

if TYPE_CHECKING:
    import numpy.typing as npt

    from shamsul_core.cohort import Annotation, Cohort
    from shamsul_core.figures.scene.scene import Outline
    from shamsul_core.imaging.boxes import BoxArray
    from shamsul_core.localisation.segmentation import Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class ExpertMarks:
    """What experts marked.

    Parameters
    ----------
    mask
        bool, H × W; ``None`` where there is none to draw.
    outlines
        Of the mask, of a polygon as it was drawn, or the corners of boxes.
    readers
        Each reader's own, where several marked something.
    boxes
        Those of each reader who drew any, float64, n × 4: x0, y0, x1, y1 in pixels, edges; none where what was marked is no
        box.
    phrase
        The report's words that the marks belong to.
    note
        Why there is none to draw.
    """

    mask: Mask | None = None
    outlines: tuple[Outline, ...] = ()
    readers: tuple[ReaderMark, ...] = ()
    boxes: tuple[BoxArray, ...] = ()
    phrase: str = ""
    note: str | None = None


def expert_marks(
    cohort: Cohort, image_id: str, pathology: str, size: tuple[int, int], longest_px: int | None = None
) -> ExpertMarks:
    """Return what experts marked, or why there is nothing to draw.

    Parameters
    ----------
    size
        The radiograph's height and width in pixels.
    longest_px
        Shrinks what is larger to this longer side, as `shrunk` does the radiograph.
    """
    if cohort.has_annotations and pathology not in cohort.marked_pathologies:
        return ExpertMarks(note=f"The experts of this cohort marked no {pathology}.")
    try:
        return _marks(cohort, image_id, pathology, size, longest_px)
    except CohortError as error:
        return ExpertMarks(note=str(error))


def shrunk(picture: npt.NDArray[np.uint8], longest_px: int | None) -> npt.NDArray[np.uint8]:
    """Return a picture, uint8, averaged over areas to this longer side; itself where it is no larger."""
    height, width = picture.shape
    if longest_px is None or longest_px >= max(height, width):
        return picture
    scale = longest_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _marks(
    cohort: Cohort, image_id: str, pathology: str, size: tuple[int, int], longest_px: int | None
) -> ExpertMarks:
    annotation = cohort.annotation(image_id, pathology) if cohort.has_annotations else None
    if annotation is None:
        noun = words_of_pathology(cohort, pathology).noun
        return ExpertMarks(note=f"There is no {noun} to compare with.")
    if annotation.is_empty:
        return ExpertMarks(note="The experts marked nothing here.")
    mask = annotation.mask()
    if mask.shape != size:
        note = f"The experts' mask ({mask.shape}) and the radiograph ({size}) differ in size."
        return ExpertMarks(note=note)
    drawn = _shrunk_mask(mask, longest_px)
    marked = [reader for reader in cohort.annotations(image_id, pathology) if not reader.is_empty]
    readers = (
        ReaderMark(
            reader=reader.annotator,
            outlines=_outlines(reader, _shrunk_mask(reader.mask(), longest_px), longest_px),
        )
        for reader in marked
    )
    return ExpertMarks(
        mask=drawn,
        outlines=_outlines(annotation, drawn, longest_px),
        readers=tuple(readers) if len(marked) > 1 else (),
        boxes=tuple(reader.boxes * _scale(reader, longest_px) for reader in marked if reader.kind == "box"),
        phrase=annotation.phrase,
    )


def _outlines(annotation: Annotation, mask: Mask, longest_px: int | None) -> tuple[Outline, ...]:
    """Return boxes and polygons as they were drawn, of a contour the outline of its mask, which is shrunk."""
    if annotation.kind == "contour" or not (drawn := outline_boxes(annotation.boxes) or annotation.polygons):
        return outline(mask)
    # Whole numbers are at pixels' centres, half a pixel from the corner that both sizes share
    scale = _scale(annotation, longest_px)
    return tuple((points + 0.5) * scale - 0.5 for points in drawn)


def _scale(annotation: Annotation, longest_px: int | None) -> float:
    """Return how many pixels as drawn one of the radiograph's becomes."""
    return 1.0 if longest_px is None else min(1.0, longest_px / max(annotation.size))


def _shrunk_mask(mask: Mask, longest_px: int | None) -> Mask:
    if longest_px is None or longest_px >= max(mask.shape):
        return mask
    return np.asarray(shrunk(mask * np.uint8(255), longest_px) >= 128)
