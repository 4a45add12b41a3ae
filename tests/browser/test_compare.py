"""The page compare as a reader uses it, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from shamsul_core.cohort import open_cohort
from shamsul_core.engine import score_run
from shamsul_core.importing import import_folder
from shamsul_core.segmentation import PRESETS
from tests.made import image_id, make_run
from tests.serving import served

pytestmark = pytest.mark.browser

METHODS = ("lime", "shap", "gradcam", "lrp")
PANELS = ("expert", *METHODS)
# How many different colours the canvas shows: a blank one shows one
COLOURS = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


def open_case(page, address, number=1, pathology="Cardiomegaly", path="/"):
    page.goto(f"{address}{path}?radiograph={image_id(number)}&pathology={pathology.replace(' ', '+')}")
    expect(page.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", "1.000", timeout=30_000)


def zooms(page):
    return {page.get_by_test_id(f"canvas-{key}").get_attribute("data-zoom") for key in PANELS}


def test_five_pictures_with_their_scores(page, dashboard, made_run):
    open_case(page, dashboard.address)
    scores = made_run.scores.query(f"image_id == '{image_id(1)}' and pathology == 'Cardiomegaly'").set_index(
        "method"
    )
    for key in PANELS:
        canvas = page.get_by_test_id(f"canvas-{key}")
        assert canvas.evaluate(COLOURS) > 50
        assert canvas.bounding_box()["height"] > 350
    for method in METHODS:
        expect(page.get_by_test_id(f"metric-{method}-iou")).to_have_text(f"{scores.loc[method, 'iou']:.2f}")
        expect(page.get_by_test_id(f"metric-{method}-hit")).to_have_text(
            "yes" if scores.loc[method, "hit"] else "no"
        )
        expect(page.get_by_test_id(f"metric-{method}-area")).to_contain_text("%")
    expect(page.get_by_text("For research, not for diagnosis")).to_be_visible()
    expect(page.get_by_text("Untrained network")).to_be_hidden()


def test_another_pathology_changes_pictures_scores_and_address(page, dashboard, made_run):
    open_case(page, dashboard.address)
    before = page.get_by_test_id("canvas-gradcam").evaluate("canvas => canvas.toDataURL()")
    page.get_by_test_id("canvas-expert").hover()
    page.mouse.wheel(0, -600)
    page.get_by_role("radio", name="Edema").click()
    scores = made_run.scores.query(f"image_id == '{image_id(1)}' and pathology == 'Edema'").set_index(
        "method"
    )
    expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text(f"{scores.loc['gradcam', 'iou']:.2f}")
    assert page.get_by_test_id("canvas-gradcam").evaluate("canvas => canvas.toDataURL()") != before
    assert zooms(page) != {"1.000"}, "the same radiograph keeps its zoom"
    page.wait_for_url("**pathology=Edema**")
    # SHAP failed here: its panel says so and shows no figure
    expect(page.get_by_test_id("note-shap")).to_have_text("Made to fail.")
    expect(page.get_by_test_id("metric-shap-iou")).to_have_count(0)


def test_nothing_marked_is_said(page, dashboard):
    open_case(page, dashboard.address, pathology="Pneumothorax")
    expect(page.get_by_test_id("note-expert")).to_have_text("The experts marked nothing here.")
    expect(page.get_by_test_id("metric-lime-iou")).to_have_text("–")
    expect(page.get_by_test_id("note-lime")).to_have_text("The experts marked nothing.")


def test_zoom_and_pan_are_linked(page, dashboard):
    open_case(page, dashboard.address)
    page.get_by_test_id("canvas-lime").hover()
    page.mouse.wheel(0, -500)
    expect(page.get_by_test_id("canvas-lrp")).not_to_have_attribute("data-zoom", "1.000")
    assert len(zooms(page)) == 1
    before = page.get_by_test_id("canvas-lrp").get_attribute("data-x")
    box = page.get_by_test_id("canvas-gradcam").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 150, steps=4)
    page.mouse.up()
    expect(page.get_by_test_id("canvas-lrp")).not_to_have_attribute("data-x", before)
    assert len({page.get_by_test_id(f"canvas-{key}").get_attribute("data-x") for key in PANELS}) == 1
    page.get_by_role("button", name="Reset view").click()
    expect(page.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", "1.000")


def test_overlays_change_the_pictures_and_never_the_address(page, dashboard):
    open_case(page, dashboard.address)
    canvas = page.get_by_test_id("canvas-gradcam")
    seen = {canvas.evaluate("canvas => canvas.toDataURL()")}
    for name in ("heatmap", "mask", "expert"):
        page.get_by_test_id(f"toggle-{name}").click()
        page.wait_for_function(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        )
        seen.add(canvas.evaluate("canvas => canvas.toDataURL()"))
    assert len(seen) == 4
    page.reload()
    expect(page.get_by_test_id("toggle-heatmap")).not_to_be_checked(timeout=30_000)


def test_keys_and_double_click(page, dashboard):
    open_case(page, dashboard.address)
    canvas = page.get_by_test_id("canvas-lime")
    before = canvas.bounding_box()["width"]
    canvas.dblclick()
    expect(page.get_by_test_id("canvas-lrp")).to_be_hidden()
    assert canvas.bounding_box()["width"] > 1.5 * before
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("canvas-lrp")).to_be_visible()
    page.keyboard.press("+")
    expect(canvas).to_have_attribute("data-zoom", "1.250")
    page.keyboard.press("0")
    expect(canvas).to_have_attribute("data-zoom", "1.000")


def test_next_goes_to_the_next_radiograph_and_the_address_names_it(page, dashboard):
    open_case(page, dashboard.address)
    page.get_by_role("button", name="Next").click()
    page.wait_for_url(f"**radiograph={image_id(2)}**")
    page.get_by_role("button", name="Previous").click()
    page.wait_for_url(f"**radiograph={image_id(1)}**")


@pytest.mark.parametrize("path", ["/", "/compare"])
def test_a_link_opens_its_case_on_a_freshly_started_server(page, made_run, path):
    with served(made_run.folder) as server:
        open_case(page, server.address, number=2, pathology="Edema", path=path)
        expect(page.get_by_role("radio", name="Edema")).to_have_attribute("aria-checked", "true")
        assert image_id(2) in page.url
        expect(page.get_by_text("For research, not for diagnosis")).to_be_visible()
        assert page.get_by_test_id("stSidebarNavLink").count() == 0, "no pages that app.py does not declare"


def test_an_address_that_names_nothing_is_said_and_its_text_stays_text(page, dashboard):
    page.goto(f"{dashboard.address}/?radiograph=%60%3Cimg%20src%3Dx%3E&pathology=Edema")
    expect(page.get_by_text("which is not in this run")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("canvas-lrp")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_an_untrained_network_is_labelled(page, made_cohort, tmp_path):
    run = make_run(tmp_path / "untrained", made_cohort, trained=False)
    with served(run.folder) as server:
        open_case(page, server.address)
        expect(
            page.get_by_text("Untrained network: its predictions and heatmaps mean nothing.")
        ).to_be_visible()


def test_without_a_run_the_page_says_how_to_make_one(page, tmp_path):
    with served(tmp_path) as server:
        page.goto(server.address)
        expect(page.get_by_text("no run here")).to_be_visible(timeout=30_000)
        expect(page.get_by_text("python -m shamsul_core explain --cohort")).to_be_visible()


def test_the_server_never_loads_torch(page, dashboard):
    open_case(page, dashboard.address)
    maps = Path(f"/proc/{dashboard.process_id}/maps")
    if not maps.exists():
        pytest.skip("only Linux tells which libraries a process has loaded")
    loaded = maps.read_text()
    assert "numpy" in loaded
    assert "libtorch" not in loaded


def test_the_real_radiograph(page, sample, tmp_path):
    """CheXlocalize's own heatmap over the real radiograph, with its published score."""
    cohort = open_cohort(sample)
    run, problems = import_folder(
        sample / "CheXlocalize" / "gradcam_maps_val",
        cohort,
        tmp_path / "run",
        name="gradcam",
        title="Grad-CAM",
    )
    assert problems == []
    score_run(run, cohort, PRESETS["paper"])
    with served(run.folder) as server:
        page.goto(f"{server.address}/?pathology=Cardiomegaly")
        expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text("0.37", timeout=30_000)
        expect(page.get_by_test_id("metric-gradcam-hit")).to_have_text("yes")
        page.get_by_role("radio", name="Enlarged Cardiomediastinum").click()
        expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text("0.46")
