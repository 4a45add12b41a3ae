from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.print.files import encode_figure
from shamsul_core.figures.print.panel import draw_panel
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.display import Display
from shamsul_core.figures.scene.overlay import picture_of
from shamsul_core.figures.scene.relevance_colours import COLOUR_MAPS
from shamsul_core.figures.scene.scene import EXPERT, Panel, Scene
from shamsul_core.figures.scene.still import EXPERT_COLOUR, blended, encode_png, still
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import outline
from tests.made import image_id

PIXELS = np.full((80, 100), 90, np.uint8)
SQUARE = np.array([[20, 20], [60, 20], [60, 60], [20, 60]])


def filled(outlines, size, scale):
    """The even-odd interior of outlines."""
    canvas = np.zeros(size, np.uint8)
    for line in outlines:
        one = np.zeros(size, np.uint8)
        cv2.fillPoly(one, [np.rint(line * scale).astype(np.int32)], 1)
        canvas ^= one
    return canvas.astype(bool)


def scene_of(**about):
    panel = Panel(**({"key": "lime", "title": "LIME", "is_piecewise": True} | about))
    return Scene(
        image_id="a", pathology="Edema", radiograph=picture_of(PIXELS), pixels=PIXELS, panels=(panel,)
    ), panel


def test_colours_are_those_of_the_relevance_over_the_grey():
    scene, panel = scene_of(relevance=np.array([[-2.0, 0.0], [1.0, 2.0]], np.float32))
    picture = blended(scene, panel, 100, Display(opacity=0.5))
    assert picture.shape == (80, 100, 3)
    table = COLOUR_MAPS[0].table.astype(float)
    for (row, column), level in {(10, 10): -127, (10, 90): 0, (70, 10): 64, (70, 90): 127}.items():
        *colour, alpha = table[level + 127]
        share = 0.5 * alpha / 255
        assert picture[row, column] == pytest.approx(np.array(colour) * share + 90 * (1 - share), abs=0.51)


def test_a_panel_without_heatmap_is_the_radiograph_darkened_where_one_was_due():
    scene, panel = scene_of(key=EXPERT)
    np.testing.assert_array_equal(blended(scene, panel, 50), np.full((40, 50, 3), 90))
    scene, panel = scene_of(note="Failed.")
    assert blended(scene, panel, 50).max() < 45


def test_hatching_marks_only_what_is_uncertain():
    uncertain = np.array([[True, False]])
    scene, panel = scene_of(relevance=np.zeros((1, 2), np.float32), uncertain=uncertain)
    picture = blended(scene, panel, 100)
    assert (picture[:, 50:] == 90).all()
    assert picture[:, :50].max() > 120
    assert picture[:, :50].min() < 70


def test_outlines_lie_where_they_should_and_differ_without_colour():
    panel = Panel(key="lime", title="LIME", relevance=np.zeros((1, 1), np.float32), outlines=(SQUARE,))
    scene = Scene(
        image_id="a", pathology="Edema", radiograph=picture_of(PIXELS), pixels=PIXELS, panels=(panel,)
    )
    dashed = still(scene, panel, 300)[..., 0] > 150  # over grey 90, blended with the line's soft edge
    rows, columns = np.nonzero(dashed)
    # A pixel of the radiograph is 3 of the picture, its centre the middle one; the line runs around it
    assert (rows.min(), rows.max()) == pytest.approx((60, 182), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((60, 182), abs=1)
    scene = Scene(
        image_id="a",
        pathology="Edema",
        radiograph=picture_of(PIXELS),
        pixels=PIXELS,
        expert_outlines=(SQUARE,),
        panels=(panel,),
    )
    experts = (still(scene, Panel(key=EXPERT, title=""), 300) == EXPERT_COLOUR).all(axis=2)
    assert experts[60, 61:181].all()
    assert 0.4 < dashed[60, 61:181].mean() < 0.8, "dashes and gaps"
    assert (still(scene, panel, 300)[100:140, 100:140] == 90).all()


@pytest.mark.parametrize("longest_px", [340, 1600])
def test_a_thin_tube_stays_in_sight_within_its_outlines(longest_px):
    """A catheter of 6 in 1000 pixels, as on a card and in a file."""
    pixels = np.full((1000, 1000), 60, np.uint8)
    tube = np.zeros_like(pixels)
    cv2.line(tube, (300, 0), (640, 800), 1, 6)
    pixels[tube > 0] = 220
    around = outline(tube > 0)
    panel = Panel(key="lime", title="LIME", relevance=np.zeros((1, 1), np.float32), outlines=around)
    scene = Scene(
        image_id="a",
        pathology="Support Devices",
        radiograph=picture_of(pixels),
        pixels=pixels,
        expert_outlines=around,
        panels=(panel,),
    )
    drawn, bare = still(scene, panel, longest_px), blended(scene, panel, longest_px)
    along = np.linspace(0.1, 0.9, 50)
    rows = np.rint(800 * along * longest_px / 1000).astype(int)
    columns = np.rint((300 + 340 * along) * longest_px / 1000).astype(int)
    np.testing.assert_array_equal(drawn[rows, columns], bare[rows, columns])
    green = (drawn.astype(int)[..., 1] - drawn[..., 0]) > 40
    rim = cv2.dilate(cv2.resize(tube, (longest_px, longest_px)), np.ones((3, 3))) > 0
    assert green.sum() > longest_px, "both sides have a line"
    assert not (green & (cv2.dilate(rim.astype(np.uint8), np.ones((3, 3)), iterations=5) == 0)).any()


def test_a_shrunken_scene_is_the_full_one_made_small(made_run, made_cohort):
    cohort = open_cohort(made_cohort)
    full, small = (
        comparison_scene(made_run, cohort, image_id(2), "Edema", made_run.scores, longest_px=longest_px)
        for longest_px in (None, 60)
    )
    assert small.pixels.shape == (60, 50)
    assert [panel.metrics[:2] for panel in small.panels[1:]] == [
        panel.metrics[:2] for panel in full.panels[1:]
    ]
    (ours,), (theirs,) = small.expert_outlines, full.expert_outlines
    assert ours.max(axis=0) == pytest.approx(theirs.max(axis=0) / 2, abs=1)
    for one, other in zip(
        small.panels[1:4], full.panels[1:4], strict=True
    ):  # LRP's map is finer than this size
        assert iou(filled(one.outlines, (60, 50), 1.0), filled(other.outlines, (60, 50), 0.5)) > 0.85, one.key


def test_files_are_the_same_twice_and_can_be_opened(made_run, made_cohort):
    from matplotlib.figure import Figure

    scene = comparison_scene(made_run, open_cohort(made_cohort), image_id(1), "Edema", made_run.scores)
    assert encode_png(still(scene, scene.panels[1], 64)) == encode_png(still(scene, scene.panels[1], 64))

    def drawn(kind):
        figure = Figure(figsize=(2, 2))
        draw_panel(figure.add_subplot(), scene, scene.panels[1], longest_px=200)
        return encode_figure(figure, kind, dots_per_inch=50)

    for kind, start in {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}.items():
        assert drawn(kind) == drawn(kind)
        assert drawn(kind).startswith(start)
    with Image.open(BytesIO(drawn("png"))) as opened:
        assert opened.size == (100, 100)
