"""What is on the screen and what is in the file: computed directly here, from the formulas that the viewer follows."""

from __future__ import annotations

import csv
import io
import math
import re

import cv2
import highdicom
import matplotlib
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.print.comparison import KINDS, caption, numbers_csv, print_comparison
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.display import AS_AT_FIRST, Display, displayed_scene
from shamsul_core.figures.scene.relevance_colours import COLOUR_MAPS
from shamsul_core.figures.scene.scene import EXPERT
from shamsul_core.figures.scene.still import blended, still
from shamsul_core.interchange.dicom import case_as_dicom
from shamsul_core.localisation.overlap import iou
from shamsul_core.run.in_memory import RunInMemory
from tests.made import MARKED, TITLES, expert_rectangle, image_id

pytestmark = pytest.mark.slow

ID, PATHOLOGY, LEVEL = image_id(2), "Edema", 137
BEGINNING = {
    "image": ID,
    "pathology": PATHOLOGY,
    "level": None,
    "invert": False,
    "width": 256,
    "centre": 128,
    "enlarged": None,
    "heatmap": True,
    "mask": True,
    "expert": True,
    "opacity": 0.65,
    "colours": "blue-orange",
    "zoom": 1,
    "x": 50,
    "y": 60,
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def cohort(made_cohort):
    return open_cohort(made_cohort)


@pytest.fixture(scope="module")
def show(made_run, cohort):
    def make(**choices):
        display = Display(**choices)
        return displayed_scene(made_run, cohort, ID, PATHOLOGY, made_run.scores, display), display

    return make


def mask_at(run, method, level, pathology=PATHOLOGY):
    """The mask at a grey level, from the run's file: what is positive, scaled to 0..255 and cut off, above the level."""
    relevance = np.maximum(run.heatmap(ID, method, pathology).relevance, 0)
    full = cv2.resize(relevance, (100, 120), interpolation=cv2.INTER_LINEAR)
    scaled = (full - full.min()) / (full.max() - full.min())
    return (scaled * np.float32(255)).astype(np.uint8) > level


def shade(grey, width, centre, *, is_inverted):
    """One grey level as layers.js has it; Math.round rounds halves up."""
    share = min(1, max(0, (int(grey) - centre) / width + 0.5))
    return math.floor(255 * (1 - share if is_inverted else share) + 0.5)


def test_a_viewer_as_it_begins_gives_the_default():
    assert Display.from_browser(BEGINNING, ID) == AS_AT_FIRST


def test_what_the_browser_sends_is_taken():
    sent = BEGINNING | {
        "level": LEVEL,
        "invert": True,
        "width": 90.5,
        "centre": 140,
        "enlarged": "lrp",
        "heatmap": False,
        "mask": False,
        "expert": False,
        "opacity": 0.3,
        "colours": "towards",
        "zoom": 2.5,
        "x": 31.5,
        "y": 40,
    }
    assert Display.from_browser(sent, ID) == Display(
        level=LEVEL,
        is_inverted=True,
        width=90.5,
        centre=140,
        enlarged="lrp",
        has_heatmap=False,
        has_mask=False,
        has_contour=False,
        opacity=0.3,
        colours="towards",
        zoom=2.5,
        x=31.5,
        y=40,
    )
    assert Display.from_browser(sent, image_id(1)) == AS_AT_FIRST, "of another radiograph"


@settings(max_examples=300)
@given(st.one_of(ANYTHING, st.fixed_dictionaries({}, optional=dict.fromkeys(BEGINNING, ANYTHING))))
def test_anything_may_come(value):
    value = value | {"image": ID} if isinstance(value, dict) else value
    display = Display.from_browser(value, ID)
    assert display.level is None or display.level in range(255)
    assert 2 <= display.width <= 512
    assert 0 <= display.centre <= 255
    assert 0 <= display.opacity <= 1
    assert 1 <= display.zoom <= 24
    assert display.colours in {one.key for one in COLOUR_MAPS}
    rows, columns = display.shown_part((120, 100))
    assert 0 <= rows.start < rows.stop <= 120
    assert 0 <= columns.start < columns.stop <= 100
    display.words(TITLES)


@pytest.mark.parametrize("level", [0, LEVEL, 254])
@pytest.mark.parametrize("method", TITLES)
def test_at_a_level_mask_iou_and_area_are_those_of_the_thresholded_map(show, made_run, level, method):
    scene, _ = show(level=level)
    panel = next(panel for panel in scene.panels if panel.key == method)
    mask = mask_at(made_run, method, level)
    readings = {metric.name: metric.value for metric in panel.metrics}
    expected = iou(mask, expert_rectangle(2, (120, 100)))
    assert readings["IoU"] == ("–" if np.isnan(expected) else f"{expected:.2f}")
    assert readings["IoU"] == ("–" if np.isnan(panel.levels.iou[level]) else f"{panel.levels.iou[level]:.2f}")
    assert float(readings["Area"].removesuffix(" %")) == pytest.approx(100 * mask.mean(), abs=0.5)
    drawn = np.zeros((120, 100), np.uint8)
    cv2.drawContours(drawn, [outline[:, None] for outline in panel.outlines], -1, 1)
    padded = np.pad(mask, 1, mode="edge")
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    assert not (drawn.astype(bool) & ~mask).any(), "outlines run along the mask's own pixels"
    assert drawn[mask & ~inner].all()


def test_the_run_keeps_its_own_masks_without_a_level(show, made_run, cohort):
    scene, _ = show(is_inverted=True)
    own = comparison_scene(made_run, cohort, ID, PATHOLOGY, made_run.scores)
    for panel, other in zip(scene.panels, own.panels, strict=True):
        assert panel.metrics == other.metrics
        assert all(np.array_equal(*pair) for pair in zip(panel.outlines, other.outlines, strict=True))


@pytest.mark.parametrize("is_inverted", [False, True])
@pytest.mark.parametrize(("width", "centre"), [(256.0, 128.0), (80.0, 110.5), (2.0, 200.0)])
def test_window_and_inversion_are_the_viewers(show, cohort, width, centre, is_inverted):
    scene, display = show(width=width, centre=centre, is_inverted=is_inverted)
    pixels = cohort.radiographs[ID].pixels()
    as_at_first = (width, centre, is_inverted) == (256.0, 128.0, False)
    expected = (
        pixels
        if as_at_first
        else np.vectorize(lambda g: shade(g, width, centre, is_inverted=is_inverted))(pixels)
    )
    drawn = blended(scene, scene.panels[0], 120, display)
    np.testing.assert_array_equal(drawn, np.repeat(expected[..., None], 3, axis=2))


def picture(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def test_the_printed_radiograph_is_windowed(made_run, cohort):
    display = Display(is_inverted=True, width=150, centre=120, has_contour=False)
    page = picture(print_comparison(made_run, cohort, ID, PATHOLOGY, made_run.scores, "png", display))
    pixels = cohort.radiographs[ID].pixels()
    expected = np.vectorize(lambda grey: shade(grey, 150, 120, is_inverted=True))(pixels)
    # The first panel is 0.98 × 3 inches wide at 200 dots an inch, under a title of 0.42 inches
    left, top, scale = 6, 84, 588 / 100
    for row, column in ((30, 30), (60, 70), (90, 50)):
        seen = page[round(top + (row + 0.5) * scale), round(left + (column + 0.5) * scale)]
        around = expected[row - 1 : row + 2, column - 1 : column + 2]
        assert around.min() - 2 <= seen[0] <= around.max() + 2
        assert len(set(seen.tolist())) == 1


def test_the_part_on_the_screen_is_the_part_in_the_file(show, cohort):
    scene, display = show(zoom=2, x=40, y=80)
    rows, columns = display.shown_part((120, 100))
    assert (rows, columns) == (slice(50, 110), slice(15, 65))
    pixels = cohort.radiographs[ID].pixels()
    np.testing.assert_array_equal(blended(scene, scene.panels[0], 60, display)[..., 0], pixels[50:110, 15:65])
    for panel in scene.panels[1:]:
        whole = blended(scene, panel, 4 * 120, AS_AT_FIRST)[4 * 50 : 4 * 110, 4 * 15 : 4 * 65].astype(float)
        part = blended(scene, panel, 4 * 60, display)
        assert part.shape == whole.shape
        difference = np.abs(part - whole)
        assert np.median(difference) <= 1, panel.key
        assert np.quantile(difference, 0.9) < 20, "a border of superpixels may lie a pixel beside"


def test_a_zoomed_outline_lies_where_its_contour_does(show):
    scene, display = show(zoom=2, x=40, y=80, has_heatmap=False)
    bare, _ = show(zoom=2, x=40, y=80, has_heatmap=False, has_contour=False)
    drawn = (still(scene, scene.panels[0], 600, display) != still(bare, bare.panels[0], 600, display)).any(
        axis=2
    )
    # The experts' rectangle ends at row 72 and column 60 of the radiograph; the part begins at row 50, column 15
    rows, columns = np.nonzero(drawn)
    assert rows.max() == pytest.approx((71.5 - 50) * 10, abs=6)
    assert columns.max() == pytest.approx((59.5 - 15) * 10, abs=6)


@pytest.mark.parametrize("kind", KINDS)
def test_an_enlarged_panel_is_alone_and_large(made_run, cohort, show, kind):
    scene, display = show(enlarged="gradcam")
    assert [panel.key for panel in scene.panels] == ["gradcam"]
    assert "Grad-CAM alone" in caption(made_run, scene, columns=100, display=display)
    content = print_comparison(made_run, cohort, ID, PATHOLOGY, made_run.scores, kind, display)
    if kind == "png":
        assert picture(content).shape[1] == 1400, "7 inches, beside 3 for each of five"


def test_an_unknown_panel_leaves_all(show):
    scene, _ = show(enlarged="gone")
    assert len(scene.panels) == 5


def test_what_is_switched_off_is_not_drawn(show):
    scene, display = show(has_heatmap=False, has_mask=False, has_contour=False)
    grey = np.repeat(scene.pixels[..., None], 3, axis=2)
    for panel in scene.panels:
        np.testing.assert_array_equal(still(scene, panel, 120, display), grey)


def test_colours_and_opacity_are_the_chosen_ones(show):
    scene, display = show(colours="dark-light", opacity=0.4)
    panel = next(panel for panel in scene.panels if panel.key == "lrp")
    drawn = blended(scene, panel, 224, display)
    resized = cv2.resize(panel.relevance, drawn.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    level = np.rint(resized / np.abs(panel.relevance).max() * 127).astype(int)
    grey = cv2.resize(scene.pixels, drawn.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    colours = COLOUR_MAPS[1].table[level + 127].astype(float)
    share = 0.4 * colours[..., 3:] / 255
    assert drawn == pytest.approx(grey[..., None] * (1 - share) + colours[..., :3] * share, abs=0.6)


def test_the_caption_says_what_is_not_as_at_first(made_run, show):
    scene, display = show(level=LEVEL, is_inverted=True, zoom=2.0)
    words = caption(made_run, scene, columns=200, display=display)
    assert "masks at fixed threshold 0.54" in words
    assert "Shown as on the screen: fixed threshold 0.54, inverted, magnified 2.0×." in words
    assert "screen" not in caption(made_run, show()[0], columns=200)


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_the_same_for_the_same_display_only(made_run, cohort, kind):
    def drawn(display):
        return print_comparison(made_run, cohort, ID, PATHOLOGY, made_run.scores, kind, display)

    assert drawn(Display(level=LEVEL)) == drawn(Display(level=LEVEL)) != drawn(AS_AT_FIRST)


def test_the_numbers_are_of_the_threshold_that_they_name(made_run, cohort):
    rows = list(
        csv.DictReader(io.StringIO(numbers_csv(made_run, cohort, ID, made_run.scores, Display(level=LEVEL))))
    )
    assert len(rows) == 40
    for row in rows:
        assert float(row["threshold"]) == pytest.approx(137 / 255)
        assert row["threshold_rule"] == "fixed threshold 0.54"
        mask = mask_at(made_run, row["method"], LEVEL, row["pathology"])
        assert float(row["mask_area_px"]) == mask.sum()
        if row["pathology"] in MARKED:
            assert float(row["iou"]) == pytest.approx(iou(mask, expert_rectangle(2, (120, 100))))
    own = csv.DictReader(io.StringIO(numbers_csv(made_run, cohort, ID, made_run.scores)))
    assert {row["threshold_rule"] for row in own} == {"Otsu"}


def test_dicom_has_the_masks_and_the_look_of_the_screen(made_run, cohort):
    def made(display):
        files = case_as_dicom(made_run, cohort, ID, PATHOLOGY, made_run.scores, display=display)
        return files, {name: pydicom.dcmread(io.BytesIO(content)) for name, content in files.items()}

    (_, own), (files, shown) = made(AS_AT_FIRST), made(Display(level=LEVEL, is_inverted=True))
    assert "fixed threshold 0.54" in shown["masks.dcm"].SeriesDescription
    assert "Otsu" in own["masks.dcm"].SeriesDescription
    read = highdicom.seg.segread(io.BytesIO(files["masks.dcm"]))
    frames = read.get_pixels_by_source_instance([shown["radiograph.dcm"].SOPInstanceUID])
    methods = {title: name for name, title in TITLES.items()}
    for number in read.segment_numbers:
        title = read.get_segment_description(number).segment_label.partition(": ")[0]
        expected = (
            expert_rectangle(2, (120, 100))
            if title == "Experts"
            else mask_at(made_run, methods[title], LEVEL)
        )
        np.testing.assert_array_equal(frames[0, ..., number - 1].astype(bool), expected)
    # Another picture is another image; the radiograph itself stays as it was taken
    assert own["radiograph.dcm"] == shown["radiograph.dcm"]
    for name in ("masks.dcm", "lime.dcm"):
        assert own[name].SOPInstanceUID != shown[name].SOPInstanceUID
        assert own[name].SeriesInstanceUID != shown[name].SeriesInstanceUID
    assert "inverted" in shown["lime.dcm"].ImageComments
    assert made(Display(enlarged="lrp"))[1].keys() == {"radiograph.dcm", "lrp.dcm", "masks.dcm"}


class Yours:
    """A cohort whose contours are the reader's."""

    is_readers_own = True

    def __init__(self, cohort):
        self._cohort = cohort

    def __getattr__(self, name):
        return getattr(self._cohort, name)


def test_a_readers_own_contour_is_called_so(made_run, cohort, monkeypatch):
    held = RunInMemory(made_run.manifest, made_run.read(ID), Yours(cohort))
    scene = displayed_scene(held, Yours(cohort), ID, PATHOLOGY, held.scores, AS_AT_FIRST)
    words = caption(held, scene, columns=200)
    assert "nowhere" not in words
    assert "Run" not in words
    assert "Model made" in words
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    svg = print_comparison(held, Yours(cohort), ID, PATHOLOGY, held.scores, "svg").decode()
    text = " ".join(re.findall(r">([^<]+)<", svg))
    assert "your contour" in text
    assert "expert" not in text
    assert next(csv.DictReader(io.StringIO(numbers_csv(held, Yours(cohort), ID, held.scores))))["run"] == ""
    files = case_as_dicom(held, Yours(cohort), ID, PATHOLOGY, held.scores)
    capture = pydicom.dcmread(io.BytesIO(files["lime.dcm"]))
    assert "your contour" in capture.ImageComments
    assert EXPERT not in capture.ImageComments
