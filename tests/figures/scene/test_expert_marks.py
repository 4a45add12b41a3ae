"""What experts marked is drawn as what it is: boxes as rectangles, polygons as drawn, each of several readers' own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from shamsul_core.cohort.annotation import Annotation, union
from shamsul_core.figures.scene.display import Display, displayed_scene
from shamsul_core.figures.scene.expert_marks import expert_marks
from shamsul_core.imaging.rle import encode_mask
from shamsul_core.localisation.segmentation import outline
from tests.made import expert_rectangle

SIZE = (120, 100)
EMPTY = Annotation(image_id="a", pathology="Edema", size=SIZE)
BOX = replace(EMPTY, kind="box", boxes=np.array([[10.0, 20, 50, 61]]), annotator="R8", phrase="left base")


@dataclass
class Marked:
    """As much of a cohort as is asked for."""

    readers: tuple[Annotation, ...]
    has_annotations: bool = True
    marked_pathologies: tuple[str, ...] = ("Edema",)

    def annotations(self, image_id, pathology):
        return self.readers

    def annotation(self, image_id, pathology):
        return union(self.readers) if self.readers else None

    def truth_kind(self, pathology):
        return self.readers[0].kind if self.readers else "box"


def corners(x0, y0, x1, y1):
    """Whole numbers are at pixels' centres, half a pixel from the edges that boxes count."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) - 0.5


def test_a_box_is_a_rectangle_of_four_corners():
    marks = expert_marks(Marked((BOX,)), "a", "Edema", SIZE)
    (rectangle,) = marks.outlines
    np.testing.assert_array_equal(rectangle, corners(10, 20, 50, 61))
    assert [boxes.tolist() for boxes in marks.boxes] == [[[10, 20, 50, 61]]]
    assert (marks.phrase, marks.readers, marks.note) == ("left base", (), None)
    assert np.count_nonzero(marks.mask) == 40 * 41


def test_a_box_shrinks_with_its_radiograph():
    marks = expert_marks(Marked((BOX,)), "a", "Edema", SIZE, longest_px=60)
    np.testing.assert_allclose(marks.outlines[0], corners(5, 10, 25, 30.5))
    assert marks.mask.shape == (60, 50)


def test_of_several_readers_the_union_is_drawn_and_each_ones_own_is_there():
    other = replace(BOX, annotator="R9", boxes=np.array([[30.0, 40, 70, 80]]))
    silent = replace(EMPTY, kind="box", annotator="R10")
    marks = expert_marks(Marked((BOX, other, silent)), "a", "Edema", SIZE)
    assert len(marks.outlines) == 2
    assert [boxes.tolist() for boxes in marks.boxes] == [[[10, 20, 50, 61]], [[30, 40, 70, 80]]]
    assert [mark.reader for mark in marks.readers] == ["R8", "R9"]
    np.testing.assert_array_equal(marks.readers[1].outlines[0], corners(30, 40, 70, 80))


def test_a_polygon_is_drawn_as_it_was_and_a_contour_as_its_mask():
    triangle = np.array([(10.0, 10), (60, 30), (20, 70)])
    polygon = replace(EMPTY, kind="polygon", polygons=(triangle,))
    np.testing.assert_array_equal(expert_marks(Marked((polygon,)), "a", "Edema", SIZE).outlines[0], triangle)
    mask = expert_rectangle(1, SIZE)
    contour = replace(EMPTY, rle=encode_mask(mask))
    marks = expert_marks(Marked((contour,)), "a", "Edema", SIZE)
    np.testing.assert_array_equal(marks.outlines[0], outline(mask)[0])


@pytest.mark.parametrize(
    ("cohort", "pathology", "note"),
    [
        (Marked(()), "Edema", "There is no box to compare with."),
        (Marked((replace(EMPTY, kind="box"),)), "Edema", "The experts marked nothing here."),
        (Marked((BOX,)), "Mass", "The experts of this cohort marked no Mass."),
    ],
)
def test_where_there_is_nothing_to_draw_it_says_why(cohort, pathology, note):
    marks = expert_marks(cohort, "a", pathology, SIZE)
    assert (marks.note, marks.outlines, marks.mask) == (note, (), None)


def test_each_readers_outlines_go_into_files_where_the_screen_shows_them(box_run, box_cohort):
    image_id = box_run.explained_ids()[0]
    together = displayed_scene(box_run, box_cohort, image_id, "Edema", box_run.scores, Display())
    each = displayed_scene(box_run, box_cohort, image_id, "Edema", box_run.scores, Display(has_readers=True))
    assert len(together.expert_outlines) == len(each.expert_outlines) == 1, "one reader"
    assert Display(has_readers=True).words({}, together.truth) == ("each reader",)
    assert Display(has_contour=False).words({}, together.truth) == ("no boxes",)
    assert Display(has_contour=False).words({}) == ("no contour",)
