"""What the browser makes of a scene, against what Python says of the same heatmaps and masks."""

from __future__ import annotations

import base64
from dataclasses import replace
from itertools import combinations, product

import cv2
import numpy as np
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.display import HIGHEST_LEVEL, LARGEST_ZOOM, Display
from shamsul_core.figures.scene.overlay import encode_scene, map_for_screen, map_for_thresholds
from shamsul_core.figures.scene.relevance_colours import COLOUR_MAPS
from shamsul_core.figures.scene.score_grid import percent
from shamsul_core.localisation.boxes import best_of_each, boxes_around, iou_of_boxes
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import SegmentationSettings, grey_levels, segment
from shamsul_core.localisation.thresholds import LEVEL_THRESHOLDS
from tests.made import expert_rectangle, image_id

METHODS = ("lime", "shap", "gradcam", "lrp")
LEVELS = (0, 60, 127, 200, 254)


@pytest.fixture(scope="module")
def scene(made_run, made_cohort):
    return comparison_scene(made_run, open_cohort(made_cohort), image_id(2), "Edema", made_run.scores)


@pytest.fixture(scope="module")
def shape(scene):
    return scene.radiograph.height, scene.radiograph.width


@pytest.fixture(scope="module")
def picture(scene):
    return cv2.imdecode(np.frombuffer(scene.radiograph.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)


@pytest.fixture(scope="module")
def seen(scene, picture, script):
    height, width = picture.shape
    given = {
        "block": as_text(encode_scene(scene)),
        "jpeg": as_text(scene.radiograph.jpeg),
        "picture": {"width": width, "height": height, "grey": as_text(picture.tobytes())},
        "levels": LEVELS,
    }
    return script('import { read } from "./tests/scripts/read_scene.js";', "await read(given)", given)


@pytest.fixture(scope="module")
def masks(made_run, shape):
    """Each method's masks at `LEVELS`, made one by one as a threshold given to a run makes them."""

    def mask(method, level):
        settings = SegmentationSettings(thresholds={"Edema": float(LEVEL_THRESHOLDS[level])})
        return segment(made_run.heatmap(image_id(2), method, "Edema"), shape, settings).mask

    return {method: [mask(method, level) for level in LEVELS] for method in METHODS}


def as_text(content):
    return base64.b64encode(content).decode()


def array(text, dtype, *shape):
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)


def enclosed(rings, shape):
    """The pixels whose middle is within the rings, counting crossings to the left of it; no line is longer than a pixel."""
    lines = np.concatenate([np.hstack([ring, np.roll(ring, -1, axis=0)]) for ring in map(np.array, rings)])
    x, y, to_x, to_y = lines.T
    rows = np.ceil(np.minimum(y, to_y) - 0.5).astype(int)
    is_crossed = rows + 0.5 < np.maximum(y, to_y)
    rows, x, y, to_x, to_y = (values[is_crossed] for values in (rows, x, y, to_x, to_y))
    columns = np.ceil(x + (rows + 0.5 - y) / (to_y - y) * (to_x - x) - 0.5).astype(int)
    crossings = np.zeros((shape[0], shape[1] + 1), int)
    np.add.at(crossings, (rows, columns), 1)
    return crossings.cumsum(axis=1)[:, :-1] % 2 == 1


def test_the_radiograph_has_its_size_and_grey_levels(seen, picture, shape):
    assert (seen["size"]["height"], seen["size"]["width"]) == shape
    largest = seen["radiograph"][-1]
    np.testing.assert_array_equal(array(largest["grey"], np.uint8, largest["height"], -1), picture)


def test_contours_run_through_the_middles_of_the_masks_outermost_pixels(seen, scene, shape):
    (ring,) = seen["expert"]
    rectangle = expert_rectangle(2, shape)
    rows, columns = np.nonzero(rectangle)
    assert np.min(ring, axis=0).tolist() == [columns.min() + 0.5, rows.min() + 0.5]
    assert np.max(ring, axis=0).tolist() == [columns.max() + 0.5, rows.max() + 0.5]
    for panel in scene.panels[1:]:
        for ring, outline in zip(seen["panels"][panel.key]["outlines"], panel.outlines, strict=True):
            assert set(map(tuple, np.array(ring) - 0.5)) <= set(map(tuple, outline))
    assert max(len(panel.outlines) for panel in scene.panels) > 1


def test_a_heatmap_has_pythons_colours(seen, scene):
    for panel in scene.panels[1:]:
        sent = map_for_screen(panel.relevance, is_piecewise=panel.is_piecewise)
        shares = sent / np.abs(panel.relevance).max()
        relevance = array(seen["panels"][panel.key]["relevance"], np.int8, *sent.shape)
        np.testing.assert_allclose(relevance / 127, shares, atol=0.51 / 127)
        for colours, shown in zip(COLOUR_MAPS, seen["panels"][panel.key]["coloured"], strict=True):
            wanted = colours.table[relevance.astype(int) + 127]
            np.testing.assert_array_equal(array(shown, np.uint8, *sent.shape, 4), wanted)


def test_the_outline_at_a_threshold_encloses_the_mask_at_it(seen, masks, scene, shape):
    """To the pixel, but for those through whose middle the outline itself runs: there the map is the threshold."""
    for panel in scene.panels[1:]:
        for rings, mask, level in zip(
            seen["panels"][panel.key]["masks"], masks[panel.key], LEVELS, strict=True
        ):
            differs = enclosed(rings, shape) ^ mask
            assert set(panel.levels.map[differs]) <= {257 * (level + 1)}


def test_the_figures_at_a_threshold_are_those_of_the_mask_at_it(seen, masks, shape):
    expert = expert_rectangle(2, shape)
    for method in METHODS:
        for reading, mask, level in zip(
            seen["panels"][method]["readings"], masks[method], LEVELS, strict=True
        ):
            assert reading["iou"] == f"{iou(mask, expert):.2f}"
            assert reading["area"] == percent(mask.mean())
            assert reading["threshold"] == f"fixed {level / 255:.2f}"


def test_methods_agree_as_far_as_their_masks_do(seen, masks):
    pairs = list(combinations(METHODS, 2))
    assert [(pair["one"], pair["other"]) for pair in seen["agreements"]] == pairs
    for pair, (one, other) in zip(seen["agreements"], pairs, strict=True):
        wanted = [iou(*both) for both in zip(masks[one], masks[other], strict=True)]
        np.testing.assert_allclose(pair["levels"], wanted, rtol=1e-6)


def test_a_number_is_written_as_python_writes_it(script):
    """Eighths too, of which two decimals are as near on either side as below 1/8 = 0.125."""
    numbers = [
        *(np.arange(-17, 34) / 8).tolist(),
        *np.random.default_rng(4).random(200).tolist(),
        0.155,
        1.005,
    ]
    imports = 'import { decimalText } from "./dashboard/viewer/readings.js";'
    for places in (0, 1, 2):
        written = script(imports, f"given.map((number) => decimalText(number, {places}))", numbers)
        assert written == [f"{number:.{places}f}" for number in numbers]


def test_a_share_is_written_as_python_writes_it(script):
    shares = [
        0,
        0.005,
        0.125,
        0.135,
        *np.random.default_rng(3).random(200).tolist(),
        *np.linspace(1e-4, 0.12, 997).tolist(),
        1,
    ]
    imports = 'import { percentText } from "./dashboard/viewer/readings.js";'
    assert script(imports, "given.map(percentText)", shares) == [percent(share) for share in shares]


def test_the_window_is_that_of_the_files(script):
    windows = [(100, 100), (2, 0), (511, 255), (37.6, 19.2)]
    displays = [
        Display(width=width, centre=centre, is_inverted=is_inverted)
        for (width, centre), is_inverted in product(windows, (False, True))
    ]
    given = [{"width": one.width, "centre": one.centre, "isInverted": one.is_inverted} for one in displays]
    imports = 'import { shadesOf } from "./dashboard/viewer/windowing.js";'
    shades = script(imports, "given.map((one) => Array.from(shadesOf(one), (pixel) => pixel & 255))", given)
    greys = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(shades, [display.windowed(greys)[0] for display in displays])


def test_python_understands_what_is_on_the_screen(script):
    imports = 'import { displayOf } from "./dashboard/viewer/display.js";'
    view = {"zoom": LARGEST_ZOOM, "x": 12.4, "y": 7}
    flags = {"heatmap": False, "mask": True, "expert": False, "invert": True}
    choices = flags | {"opacity": 0.25, "colours": "dark-light", "threshold": "fixed", "level": HIGHEST_LEVEL}
    given = {"view": view, "window": {"width": 99.7, "centre": 44}, "choices": choices, "enlarged": "lrp"}
    told = script(imports, "displayOf(given)", given | {"scene": {"id": "a", "pathology": "Edema"}})
    wanted = Display(level=254, is_inverted=True, width=100, centre=44, enlarged="lrp", opacity=0.25)
    wanted = replace(wanted, has_heatmap=False, has_contour=False, colours="dark-light", zoom=24, x=12, y=7)
    assert Display.from_browser(told, "a") == wanted


def test_the_viewer_begins_as_python_has_it(script):
    imports = """
import { FIRST_CHOICES } from "./dashboard/viewer/choices.js";
import { displayOf } from "./dashboard/viewer/display.js";
import { fitted } from "./dashboard/viewer/view.js";
import { FIRST_WINDOW } from "./dashboard/viewer/windowing.js";"""
    first = "{ ...given, view: fitted(given.scene.size), window: FIRST_WINDOW, choices: FIRST_CHOICES, enlarged: null }"
    scene = {"id": "a", "pathology": "Edema", "size": {"width": 800, "height": 600}}
    told = script(imports, f"displayOf({first})", {"scene": scene})
    assert Display.from_browser(told, "a") == Display()


@pytest.mark.parametrize("shape", [(60, 50), (900, 1100)], ids=["a cell a pixel", "larger than the map"])
def test_the_box_iou_at_a_threshold_is_that_of_the_files(script, shape):
    """To the pixel where the map travels whole, else as near as a cell of it allows."""
    marked = [np.array([[0.1, 0.2, 0.5, 0.7], [0.6, 0.5, 0.9, 0.8]]), np.array([[0.1, 0.2, 0.4, 0.5]])]
    readers = [boxes * np.tile(shape[::-1], 2) for boxes in marked]
    rows, columns = (np.indices(shape).T / shape).T
    peaks = [(0.4, 0.3, 1.0), (0.65, 0.75, 0.8), (0.2, 0.8, 0.6), (0.3, 0.22, 0.9)]  # y, x, height
    hills = [high * np.exp(-((rows - y) ** 2 + 2 * (columns - x) ** 2) / 0.01) for y, x, high in peaks]
    scaled = np.max(hills, axis=0).astype(np.float32)
    scaled = (scaled - scaled.min()) / (scaled.max() - scaled.min())
    levels = list(range(20, 250, 9))
    sent = map_for_thresholds(scaled)
    given = {
        "map": {"values": sent.ravel().tolist(), "width": sent.shape[1], "height": sent.shape[0]},
        "scene": {
            "size": {"width": shape[1], "height": shape[0]},
            "boxes": [one.tolist() for one in readers],
        },
        "levels": levels,
    }
    imports = 'import { boxIouAt } from "./dashboard/viewer/boxes.js";'
    shown = script(imports, "given.levels.map((level) => boxIouAt(given.map, level, given.scene))", given)
    wanted = [
        np.mean(
            [
                best_of_each(iou_of_boxes(boxes_around(grey_levels(scaled) > level), boxes)).mean()
                for boxes in readers
            ]
        )
        for level in levels
    ]
    assert len(set(wanted)) > 10
    np.testing.assert_allclose(shown, wanted, atol=1e-9 if shape[0] < 224 else 0.005)
