"""The page compare as a reader uses it, in a real browser."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from shamsul_core.cohort import open_cohort
from shamsul_core.engine.rescoring import score_run
from shamsul_core.interchange.importing import import_folder
from shamsul_core.localisation.overlap import iou
from shamsul_core.localisation.segmentation import PRESETS, SegmentationSettings, segment
from shamsul_core.localisation.thresholds import LEVEL_THRESHOLDS
from shamsul_core.run import FAILURE_COLUMNS, RadiographResult, Run
from shamsul_core.run.removal import Removal
from tests.made import expert_rectangle, image_id, make_cohort, make_run, simulated
from tests.serving import served

METHODS = ("lime", "shap", "gradcam", "lrp")
PANELS = ("expert", *METHODS)
# How many different colours the canvas shows: a blank one shows one
COLOURS = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


def open_case(page, address, number=1, pathology="Cardiomegaly", path="/"):
    page.goto(f"{address}{path}?radiograph={image_id(number)}&pathology={pathology.replace(' ', '+')}")
    expect(page.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", "1.000")


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
    page.get_by_role("button", name="Reset").click()
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
    expect(page.get_by_test_id("toggle-heatmap")).not_to_be_checked()


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
        assert page.get_by_test_id("stSidebarNavLink").count() == 8, "no pages that main.py does not declare"
        expect(page.get_by_role("dialog")).to_have_count(
            0
        )  # in which Streamlit says that a page was not found


def test_an_address_that_names_nothing_is_said_and_its_text_stays_text(page, dashboard):
    page.goto(f"{dashboard.address}/?radiograph=%60%3Cimg%20src%3Dx%3E&pathology=Edema")
    expect(page.get_by_text("which is not in this run")).to_be_visible()
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
        expect(page.get_by_text("no run here")).to_be_visible()
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
        expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text("0.37")
        expect(page.get_by_test_id("metric-gradcam-hit")).to_have_text("yes")
        page.get_by_role("radio", name="Enlarged Cardiomediastinum").click()
        expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text("0.46")


# ---- The case list


def shown(page):
    return page.get_by_test_id("viewer").get_attribute("data-image")


def expect_case(page, number, pathology=None):
    expect(page.get_by_test_id("viewer")).to_have_attribute("data-image", image_id(number))
    if pathology is not None:
        expect(page.get_by_test_id("viewer")).to_have_attribute("data-pathology", pathology)


def choose_filter(page, label, option):
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_keys_go_through_the_case_list_and_one_click_chooses(page, dashboard):
    open_case(page, dashboard.address)
    for key, number in (("n", 2), ("PageDown", 3), ("n", 1), ("p", 3), ("PageUp", 2)):
        page.keyboard.press(key)
        expect_case(page, number)
    page.get_by_role("option", name="patient00001 s1 v1").click()
    expect_case(page, 1)
    page.wait_for_url(f"**radiograph={image_id(1)}**")
    expect(page.get_by_test_id("case-list").get_by_role("option", selected=True)).to_have_text(
        "patient00001 s1 v1"
    )
    page.get_by_test_id("case-list").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect_case(page, 3)


def test_filters_narrow_the_case_list_and_are_cleared(page, dashboard, made_run):
    open_case(page, dashboard.address)
    count = page.get_by_test_id("case-list-count")
    expect(count).to_have_text("3 of 3")
    page.get_by_placeholder("Search radiographs").fill("00003")
    expect(count).to_have_text("1 of 3")
    page.keyboard.press("n")  # a letter in a field is a letter
    expect(count).to_have_text("0 of 3")
    expect(page.get_by_text("No radiograph matches these filters.")).to_be_visible()
    page.get_by_placeholder("Search radiographs").fill("")
    expect(count).to_have_text("3 of 3")
    page.get_by_role("button", name="Filter and sort").click()
    choose_filter(page, "Expert contour", "yes")
    expect(count).to_have_text("2 of 3")
    choose_filter(page, "Pathology", "Edema")
    choose_filter(page, "IoU of", "Grad-CAM")
    choose_filter(page, "Sort by", "highest IoU")
    ious = made_run.scores.query("pathology == 'Edema' and method == 'gradcam'").dropna(subset=["iou"])
    best = ious.sort_values("iou", ascending=False)
    rows = page.get_by_test_id("case-list").get_by_role("option")
    expect(rows).to_have_count(2)
    for row, (name, value) in zip(rows.all(), zip(best["image_id"], best["iou"], strict=True), strict=True):
        expect(row).to_have_attribute("title", name)
        expect(row).to_contain_text(f"IoU {value:.2f}")
    page.get_by_role("button", name="Clear filters").click()
    expect(count).to_have_text("3 of 3")


def test_a_case_of_a_finding_opens_with_its_pathology(page, dashboard):
    open_case(page, dashboard.address, number=3, pathology="Atelectasis")
    page.get_by_role("button", name="Filter and sort").click()
    choose_filter(page, "Pathology", "Edema")
    page.keyboard.press("Escape")
    # The list before the filter names no pathology
    page.wait_for_url("**=Edema**")
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.get_by_test_id("case-list").get_by_role("option").nth(1).click()
    expect_case(page, 2, "Edema")
    page.wait_for_url("**pathology=Edema**")


# ---- Threshold, grid, colours


@pytest.mark.parametrize(("width", "height", "least"), [(1920, 1080, 400), (1366, 768, 260)])
def test_the_screen_is_used_and_nothing_lies_below_it(page, dashboard, width, height, least):
    page.set_viewport_size({"width": width, "height": height})
    open_case(page, dashboard.address)
    boxes = [page.get_by_test_id(f"canvas-{key}").bounding_box() for key in PANELS]
    assert min(box["height"] for box in boxes) >= least
    for name in (*(f"panel-{key}" for key in PANELS), "findings"):
        box = page.get_by_test_id(name).bounding_box()
        assert box["y"] + box["height"] <= height
        assert box["x"] + box["width"] <= width


def settle(page):
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    )


def test_a_threshold_of_ones_own_moves_mask_and_iou_without_the_server(
    page, dashboard, made_run, made_cohort
):
    open_case(page, dashboard.address, number=2, pathology="Edema")
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(data)))
    canvas = page.get_by_test_id("canvas-gradcam")
    expert = expert_rectangle(2, (120, 100))
    seen = {canvas.evaluate("canvas => canvas.toDataURL()")}
    for level in (60, 130, 200):
        page.get_by_test_id("level").fill(str(level))
        settle(page)
        expect(page.get_by_test_id("level-text")).to_have_text(f"{level / 255:.2f}")
        masks = {}
        for method in METHODS:
            settings = SegmentationSettings(thresholds={"Edema": float(LEVEL_THRESHOLDS[level])})
            masks[method] = segment(made_run.heatmap(image_id(2), method, "Edema"), (120, 100), settings).mask
            score = iou(masks[method], expert)
            text = "–" if np.isnan(score) else f"{score:.2f}"
            expect(page.get_by_test_id(f"metric-{method}-iou")).to_have_text(text)
        agreement = iou(masks["lime"], masks["gradcam"])
        expect(page.get_by_test_id("agreement-lime-gradcam")).to_have_text(f"{agreement:.2f}")
        seen.add(canvas.evaluate("canvas => canvas.toDataURL()"))
    assert len(seen) == 4
    assert sent == []
    page.get_by_test_id("threshold").select_option("Otsu")
    settle(page)
    score = made_run.scores.query(
        f"image_id == '{image_id(2)}' and pathology == 'Edema' and method == 'gradcam'"
    )["iou"].iloc[0]
    expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text(f"{score:.2f}")
    expect(page.get_by_test_id("curve-gradcam")).to_have_attribute("aria-label", re.compile("Otsu 0"))


def test_the_grid_shows_every_score_and_chooses_the_pathology(page, dashboard, made_run):
    open_case(page, dashboard.address)
    scores = made_run.scores.query(f"image_id == '{image_id(1)}'").set_index(["pathology", "method"])
    for pathology in ("Cardiomegaly", "Edema"):
        cells = page.locator(f"tr[data-pathology='{pathology}'] td")
        for at, method in enumerate(METHODS, start=1):
            score = scores.loc[(pathology, method), "iou"]
            expect(cells.nth(at)).to_contain_text("–" if score != score else f"{score:.2f}")
    cell = page.locator("tr[data-pathology='Edema'] td").nth(2)
    expect(cell).to_have_attribute("title", "SHAP: made to fail")
    cell.click()
    expect_case(page, 1, "Edema")
    page.get_by_role("radio", name="Edema").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect_case(page, 1, "Lung Opacity")


def test_colours_are_chosen_and_remembered(page, dashboard):
    open_case(page, dashboard.address)
    canvas = page.get_by_test_id("canvas-lrp")
    seen = {canvas.evaluate("canvas => canvas.toDataURL()")}
    for colours in ("dark-light", "towards"):
        page.get_by_test_id("colours").select_option(colours)
        settle(page)
        seen.add(canvas.evaluate("canvas => canvas.toDataURL()"))
    assert len(seen) == 3
    page.reload()
    expect(page.get_by_test_id("colours")).to_have_value("towards")


# ---- What a reader takes along


def test_a_copied_link_opens_this_very_view_elsewhere(page, browser, dashboard):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_case(page, dashboard.address, number=2, pathology="Edema")
    page.get_by_test_id("canvas-lime").hover()
    page.mouse.wheel(0, -500)
    page.get_by_test_id("level").fill("99")
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_test_id("link")).to_have_text("Link copied")
    link = page.evaluate("() => navigator.clipboard.readText()")
    zoom = page.get_by_test_id("canvas-lrp").get_attribute("data-zoom")
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    other = context.new_page()
    other.goto(link)
    expect(other.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", zoom)
    expect_case(other, 2, "Edema")
    expect(other.get_by_test_id("level-text")).to_have_text("0.39")
    context.close()


def test_figure_and_numbers_are_downloaded(page, dashboard, made_run):
    open_case(page, dashboard.address, number=2, pathology="Edema")
    page.get_by_role("button", name="Download", exact=True).click()
    files = {}
    for kind, ending in {"PNG": ".png", "SVG": ".svg", "PDF": ".pdf", "CSV": ".csv", "DICOM": ".zip"}.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=kind, exact=True).click()
        files[kind] = Path(download.value.path()).read_bytes()
        assert download.value.suggested_filename.endswith(ending)
    assert cv2.imdecode(np.frombuffer(files["PNG"], np.uint8), cv2.IMREAD_COLOR).shape[1] == 5 * 3 * 200
    assert b"<svg" in files["SVG"]
    assert files["PDF"].startswith(b"%PDF")
    assert f"{image_id(2)}/masks.dcm" in ZipFile(BytesIO(files["DICOM"])).namelist()
    scores = pd.read_csv(BytesIO(files["CSV"]))
    expected = made_run.scores[made_run.scores["image_id"] == image_id(2)]
    np.testing.assert_allclose(scores["iou"], expected["iou"].astype(float))


# ---- Several runs, and runs with little in them


def test_runs_are_chosen_in_the_sidebar_and_by_the_address(page, made_run, made_cohort, tmp_path):
    other = make_run(tmp_path / "runs" / "other", made_cohort, trained=False)
    bare = Run.create_or_resume(
        tmp_path / "runs" / "bare", replace(made_run.manifest, cohort=other.manifest.cohort)
    )
    with served(tmp_path / "runs") as server:
        page.goto(f"{server.address}/?run=other&radiograph={image_id(2)}")
        expect_case(page, 2)
        expect(page.get_by_text("Untrained network")).to_be_visible()
        page.get_by_role("combobox", name="Run").click()
        page.get_by_role("option", name="bare").click()
        expect(page.get_by_text("No radiograph of this run has been explained yet")).to_be_visible()
        page.wait_for_url("**run=bare**")
        # The engine has done its first radiograph, without any method yet; tables come later.
        bare.write(RadiographResult(image_id(1), (120, 100), {"Edema": 0.9}, ()))
        bare.write_failures(
            [
                dict(
                    zip(
                        FAILURE_COLUMNS,
                        (image_id(2), "read", None, None, "the image file is missing"),
                        strict=True,
                    )
                )
            ]
        )
        page.reload()
        expect_case(page, 1)
        expect(page.get_by_test_id("note-lrp")).to_have_text("Not explained.")
        expect(page.get_by_test_id("case-list-count")).to_have_text("1 of 1")
        expect(page.get_by_text("1 could not be explained.")).to_be_visible()
        page.goto(f"{server.address}/?run=nowhere")
        expect(page.get_by_text("which is not among the runs shown here")).to_be_visible()


def test_one_method_a_lateral_view_and_no_contours(page, made_cohort, tmp_path):
    bare = shutil.copytree(made_cohort, tmp_path / "bare")
    shutil.rmtree(bare / "CheXlocalize")
    labels = bare / "CheXpert" / "val_labels.csv"
    labels.write_text(labels.read_text().replace("Frontal,AP", "Lateral,", 1))
    run = make_run(tmp_path / "made", bare)
    methods = {"gradcam": run.manifest.methods["gradcam"]}
    one = Run.create_or_resume(tmp_path / "run", replace(run.manifest, methods=methods))
    for name in run.explained_ids():
        one.write(run.read(name))
    score_run(one, open_cohort(bare), PRESETS["default"])
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with served(one.folder) as server:
        page.goto(server.address)
        expect(page.get_by_test_id("canvas-gradcam")).to_be_visible()
        expect(page.get_by_test_id("note-expert")).to_have_text("There is no contour to compare with.")
        expect(page.get_by_test_id("note-gradcam")).to_have_text("There is no contour to compare with.")
        page.get_by_test_id("level").fill("50")
        expect(page.get_by_test_id("metric-gradcam-threshold")).to_have_text("fixed 0.20")
        expect(page.get_by_test_id("curve-gradcam")).to_be_hidden()
        expect(page.get_by_text("Agreement between masks")).to_be_hidden()
        first = page.locator(".marker.left").first
        lateral = page.locator("[data-testid=viewer]").get_attribute("data-image") == image_id(1)
        expect(first).to_have_text("" if lateral else "R")
    assert errors == []


def test_a_key_flicks_between_the_radiograph_and_the_same_patient_without_the_finding(page, tmp_path):
    square = np.zeros((120, 100))
    square[20:60, 30:70] = 60
    cohort = simulated(make_cohort(tmp_path / "cohort"), {(1, "Edema"): square})
    run = make_run(tmp_path / "run", cohort, removals={(1, "Edema"): Removal(2.0, -2.0)})
    with served(run.folder) as server:
        page.goto(f"{server.address}/?radiograph={image_id(1)}&pathology=Edema")
        expect_case(page, 1)
        expect(page.get_by_test_id("facts")).to_contain_text("0.88 → 0.12")
        panel, message = page.get_by_test_id("canvas-lrp"), page.locator(".message").last
        panel.hover()
        before = panel.screenshot()
        page.keyboard.press("f")
        expect(message).to_have_text("Without Edema: probability 0.12")
        expect(page.get_by_test_id("toggle-without")).to_have_attribute("aria-checked", "true")
        assert panel.screenshot() != before
        page.keyboard.press("f")
        expect(message).to_have_text("")
        assert panel.screenshot() == before
        # A question of the moment: another pathology begins with the radiograph
        page.keyboard.press("f")
        page.get_by_role("radio", name="Cardiomegaly").click()
        expect(page.get_by_test_id("toggle-without")).to_be_hidden()
        expect(message).to_have_text("")
