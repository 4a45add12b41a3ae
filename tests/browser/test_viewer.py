"""The viewer alone, on scenes made here, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.serving import ROOT, served_script

KEYS = ("expert", "lime", "shap", "gradcam", "lrp")
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
import numpy as np
import streamlit as st
from dashboard import viewer
from shamsul_core.figures.scene.score_grid import Metric
from shamsul_core.figures.scene.overlay import encode_scene, picture_of
from shamsul_core.figures.scene.scene import Panel, Scene

st.set_page_config(layout="wide")
number = st.radio("Radiograph", [1, 2], horizontal=True)
pathology = st.radio("Pathology", ["Edema", "Atelectasis", "<b>Oedema</b>"], horizontal=True)
st.session_state["there"] = st.toggle("There", True)

def build(number, pathology):
    rows, columns = np.mgrid[0:600, 0:700]
    pixels = (90 + 60 * np.sin(rows / 40 + number) * np.cos(columns / 50) + columns / 10).clip(0, 255).astype(np.uint8)
    generator = np.random.default_rng(len(pathology))
    square = np.array([[200, 200], [450, 200], [450, 400], [200, 400]])
    def panel(key, title, relevance, **more):
        return Panel(key=key, title=title, relevance=relevance.astype(np.float32), outlines=(square + 60,),
                     metrics=(Metric(name="IoU", value="0.37", help="overlap"), Metric(name="Hit", value="yes")), **more)
    blocks = generator.normal(size=(14, 14)).repeat(16, 0).repeat(16, 1)
    return Scene(image_id=str(number), pathology=pathology, radiograph=picture_of(pixels), expert_outlines=(square,),
                 banner="Untrained." if pathology == "Atelectasis" else None, panels=(
        Panel(key="expert", title="Radiograph"),
        panel("lime", "LIME", blocks, is_piecewise=True, uncertain=np.abs(blocks) < 0.3, note="Not converged."),
        Panel(key="shap", title="SHAP", note="Out of memory <i>here</i>.") if pathology == "Atelectasis"
        else panel("shap", "SHAP", -blocks, is_piecewise=True),
        panel("gradcam", "Grad-CAM", np.zeros((7, 7)) if pathology == "Atelectasis" else generator.random((7, 7)) + 0.1),
        panel("lrp", "LRP", generator.normal(size=(224, 224)))))

if st.session_state["there"]:
    viewer.show(encode_scene(build(number, pathology)), key="viewer")
"""
COLOURS = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""
PICTURE = "canvas => canvas.toDataURL()"
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    script = tmp_path_factory.mktemp("viewer") / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT)), encoding="utf-8")
    with served_script(script) as server:
        yield server.address


@pytest.fixture
def viewer(page, address):
    """The page with the viewer drawn; no error of its own may reach the browser's console."""
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    expect(canvas(page, "lrp")).to_have_attribute("data-zoom", "1.000")
    yield page
    assert errors == []


def canvas(page, key):
    return page.get_by_test_id(f"canvas-{key}")


def views(page):
    return {
        tuple(canvas(page, key).get_attribute(f"data-{name}") for name in ("zoom", "x", "y")) for key in KEYS
    }


def point_at(page, key, across=0.5, down=0.5):
    box = canvas(page, key).bounding_box()
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])


def drag(page, key, dx, dy, button="left"):
    point_at(page, key)
    box = canvas(page, key).bounding_box()
    page.mouse.down(button=button)
    page.mouse.move(box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 + dy, steps=4)
    page.mouse.up(button=button)


def picture(page, key):
    page.evaluate(DRAWN)
    return canvas(page, key).evaluate(PICTURE)


def choose(page, name):
    page.get_by_text(name, exact=True).click()


def test_five_pictures_with_captions(viewer):
    for key in KEYS:
        assert canvas(viewer, key).evaluate(COLOURS) > 50
    expect(viewer.get_by_test_id("metric-gradcam-iou")).to_have_text("0.37")
    expect(viewer.get_by_test_id("note-lime")).to_have_text("Not converged.")
    expect(canvas(viewer, "gradcam")).to_have_attribute("aria-label", "Grad-CAM, Edema, IoU 0.37, Hit yes")
    assert len({picture(viewer, key) for key in KEYS}) == 5


@pytest.mark.parametrize(("width", "height", "rows"), [(1920, 1080, 1), (1366, 768, 1), (420, 800, 5)])
def test_the_panels_fill_the_width_there_is(viewer, width, height, rows):
    viewer.set_viewport_size({"width": width, "height": height})
    tops = "canvases => new Set(canvases.map(one => Math.round(one.getBoundingClientRect().top))).size"
    all_canvases = viewer.locator(".stage canvas")
    for _ in range(50):
        if all_canvases.evaluate_all(tops) == rows:
            break
        viewer.evaluate(DRAWN)
    assert all_canvases.evaluate_all(tops) == rows
    boxes = [canvas(viewer, key).bounding_box() for key in KEYS]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    assert all(box["width"] >= 220 for box in boxes)


def pixel_under(page, key, across, down):
    """Return the radiograph's pixel at a share of the picture's width and height, by the view that it tells."""
    box = canvas(page, key).bounding_box()
    zoom, x, y = (float(canvas(page, key).get_attribute(f"data-{name}")) for name in ("zoom", "x", "y"))
    scale = zoom * min(box["width"] / 700, box["height"] / 600)
    return x + (across - 0.5) * box["width"] / scale, y + (down - 0.5) * box["height"] / scale


def test_the_wheel_zooms_all_panels_and_what_is_under_it_stays(viewer):
    before = pixel_under(viewer, "lime", 0.7, 0.4)
    point_at(viewer, "lime", 0.7, 0.4)
    viewer.mouse.wheel(0, -800)
    expect(canvas(viewer, "lrp")).not_to_have_attribute("data-zoom", "1.000")
    assert len(views(viewer)) == 1
    assert pixel_under(viewer, "lime", 0.7, 0.4) == pytest.approx(before, abs=1.5)


def test_the_cursor_is_shown_in_the_other_panels_and_read_out_in_words(viewer):
    point_at(viewer, "lime", 0.7, 0.4)
    for key in ("lime", "shap", "gradcam", "lrp"):
        pattern = re.compile(r"^([+−]0\.\d\d of max, (for|against)|relevance 0)$")
        expect(viewer.get_by_test_id(f"readout-{key}")).to_have_text(pattern)
    expect(viewer.get_by_test_id("readout-expert")).to_have_text("")
    lines = viewer.locator(".cross:not([hidden])")
    expect(lines).to_have_count(2 * 4)
    viewer.mouse.move(0, 0)
    expect(lines).to_have_count(0)


def test_dragging_moves_all_panels_and_never_beyond_the_radiograph(viewer):
    point_at(viewer, "lime")
    viewer.mouse.wheel(0, -1000)
    expect(canvas(viewer, "lrp")).not_to_have_attribute("data-zoom", "1.000")
    ((_, x, _),) = views(viewer)
    drag(viewer, "gradcam", 60, 0)
    viewer.evaluate(DRAWN)
    ((_, moved, _),) = views(viewer)
    assert float(moved) < float(x)
    for _ in range(8):
        drag(viewer, "gradcam", 170, 0)
    viewer.evaluate(DRAWN)
    assert (
        viewer.get_by_test_id("canvas-expert").evaluate("c => Number(c.dataset.x) * Number(c.dataset.zoom)")
        >= 300
    )


def test_the_right_button_changes_the_window_of_all_and_reset_brings_it_back(viewer):
    before = picture(viewer, "expert"), picture(viewer, "lrp")
    drag(viewer, "lime", -80, 20, button="right")
    expect(viewer.get_by_test_id("view-status")).not_to_contain_text("W 256")
    assert picture(viewer, "expert") != before[0]
    assert picture(viewer, "lrp") != before[1]
    viewer.get_by_role("button", name="Reset").click()
    viewer.mouse.move(0, 0)
    assert (picture(viewer, "expert"), picture(viewer, "lrp")) == before


def test_each_choice_changes_the_picture_and_outlasts_a_reload(viewer):
    seen = [picture(viewer, "lime")]
    for name in ("heatmap", "mask", "expert", "invert"):
        viewer.get_by_test_id(f"toggle-{name}").click()
        seen.append(picture(viewer, "lime"))
    assert len(set(seen)) == 5
    viewer.get_by_test_id("opacity").fill("30")
    viewer.reload()
    expect(viewer.get_by_test_id("toggle-heatmap")).not_to_be_checked()
    expect(viewer.get_by_test_id("opacity")).to_have_value("30")


def test_opacity_is_the_heatmaps_alone(viewer):
    heat, plain = picture(viewer, "lime"), picture(viewer, "expert")
    viewer.get_by_test_id("opacity").fill("10")
    assert picture(viewer, "lime") != heat
    assert picture(viewer, "expert") == plain


def test_another_pathology_keeps_zoom_and_window_and_another_radiograph_does_not(viewer):
    viewer.get_by_test_id("toggle-mask").click()
    viewer.get_by_test_id("colours").select_option("dark-light")
    point_at(viewer, "lime", 0.6, 0.5)
    viewer.mouse.wheel(0, -600)
    expect(canvas(viewer, "lrp")).not_to_have_attribute("data-zoom", "1.000")
    before = views(viewer)
    choose(viewer, "Atelectasis")
    expect(canvas(viewer, "lrp")).to_have_attribute("aria-label", re.compile("Atelectasis"))
    viewer.evaluate(DRAWN)
    assert views(viewer) == before
    expect(viewer.get_by_test_id("colours")).to_have_value("dark-light")
    viewer.get_by_text("2", exact=True).click()
    expect(canvas(viewer, "lrp")).to_have_attribute("data-zoom", "1.000")
    expect(viewer.get_by_test_id("toggle-mask")).not_to_be_checked()


def test_what_is_missing_says_why(viewer):
    choose(viewer, "Atelectasis")
    expect(viewer.get_by_test_id("note-shap")).to_have_text("Out of memory <i>here</i>.")
    expect(viewer.get_by_test_id("metric-shap-iou")).to_have_count(0)
    expect(viewer.get_by_test_id("message-gradcam")).to_have_text("The heatmap is zero everywhere.")
    expect(viewer.get_by_test_id("viewer-banner")).to_have_text("Untrained.")
    choose(viewer, "Edema")
    expect(viewer.get_by_test_id("metric-shap-iou")).to_have_text("0.37")
    expect(viewer.get_by_test_id("viewer-banner")).to_be_hidden()
    expect(viewer.get_by_text("Out of memory")).to_be_hidden()


def test_keys(viewer):
    first = canvas(viewer, "lime")
    first.focus()
    viewer.keyboard.press("ArrowLeft")
    viewer.keyboard.press("+")
    expect(first).to_have_attribute("data-zoom", "1.250")
    for _ in range(2):  # until the picture is wider than its panel and there is something to move to
        viewer.keyboard.press("+")
    expect(first).to_have_attribute("data-zoom", "1.953")
    before = first.get_attribute("data-x")
    viewer.keyboard.press("ArrowLeft")
    expect(first).not_to_have_attribute("data-x", before)
    viewer.keyboard.press("i")
    expect(viewer.get_by_test_id("toggle-invert")).to_be_checked()
    viewer.keyboard.press("0")
    expect(first).to_have_attribute("data-zoom", "1.000")
    viewer.keyboard.press("Enter")
    expect(canvas(viewer, "lrp")).to_be_hidden()
    viewer.keyboard.press("Escape")
    expect(canvas(viewer, "lrp")).to_be_visible()


def test_a_double_click_enlarges_one_panel_and_another_returns(viewer):
    before = canvas(viewer, "gradcam").bounding_box()["width"]
    canvas(viewer, "gradcam").dblclick()
    expect(canvas(viewer, "lrp")).to_be_hidden()
    assert canvas(viewer, "gradcam").bounding_box()["width"] > 2 * before
    canvas(viewer, "gradcam").dblclick()
    expect(canvas(viewer, "lrp")).to_be_visible()


def test_it_goes_and_comes_without_leaving_anything_behind(viewer):
    tools = viewer.context.new_cdp_session(viewer)

    def listeners():
        tools.send("HeapProfiler.collectGarbage")
        return tools.send("Memory.getDOMCounters")["jsEventListeners"]

    def go_and_come():
        viewer.get_by_text("There", exact=True).click()
        expect(viewer.get_by_test_id("viewer")).to_have_count(0)
        viewer.get_by_text("There", exact=True).click()
        expect(canvas(viewer, "lrp")).to_have_attribute("data-zoom", "1.000")

    go_and_come()
    before = listeners()
    for _ in range(3):
        go_and_come()
    assert listeners() - before < 20, "a viewer has more than thirty listeners"
    expect(viewer.get_by_test_id("viewer")).to_have_count(1)
