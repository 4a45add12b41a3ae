"""A reader explains a radiograph of their own in a real browser: the panels arrive, they draw, rate and come back."""

from __future__ import annotations

import io
import os
import signal
from dataclasses import replace

import psutil
import pytest
from playwright.sync_api import expect
from pydicom import dcmread

from shamsul_core.classifier.model_card import NEVER_REAL, ModelCard
from shamsul_core.reviews import Reviews
from shamsul_core.upload.shelf import MOST
from tests.imaging.radiographs import file_of, picture, radiograph, ramp
from tests.serving import served

METHODS = ("gradcam", "lrp", "lime", "shap")
SLOW = 240_000


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('reviews')}/reviews.sqlite"


@pytest.fixture(scope="module")
def carded_model(small_model, tmp_path_factory):
    """The small model with the card of one that never saw a real radiograph."""
    from shamsul_core.classifier.weights import load_classifier, save_classifier

    card = ModelCard(trained_on="40 simulated radiographs", not_for="any real radiograph", is_simulated=True)
    path = tmp_path_factory.mktemp("carded") / "carded.safetensors"
    save_classifier(replace(load_classifier(str(small_model)), card=card), path)
    return path


@pytest.fixture(scope="module")
def server(made_run, carded_model, reviews, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHAMSUL_MODEL", str(carded_model))
        patch.setenv("SHAMSUL_REVIEWS", reviews)
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
        with served(made_run.folder, log=tmp_path_factory.mktemp("log") / "log") as server:
            yield server


@pytest.fixture
def page(page):
    """A page whose reader removes what they brought, so that the worker is the next test's."""
    yield page
    remove_all(page)


def remove_all(page):
    remove = page.get_by_role("button", name="Remove this radiograph")
    headings = page.get_by_role("heading", level=2)
    nothing = page.get_by_text("Drop a frontal chest radiograph").or_(
        page.get_by_text("no radiograph can be explained")
    )
    expect(remove.or_(nothing).first).to_be_visible(timeout=SLOW)
    # A button that is away for the moment in which the page is drawn anew does not mean that all is removed
    while not nothing.first.is_visible():
        before = headings.first.inner_text()
        remove.click(timeout=SLOW)
        expect(headings.first).not_to_have_text(before, timeout=SLOW)
        expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible(timeout=SLOW)
        expect(remove.or_(nothing).first).to_be_visible(timeout=SLOW)


def dicom(**attributes):
    return {
        "name": "jane doe.dcm",
        "mimeType": "application/dicom",
        "buffer": file_of(radiograph(**attributes)),
    }


def bring(page, server, file):
    page.goto(f"{server.address}/upload")
    expect(page.get_by_text("Drop a frontal chest radiograph")).to_be_visible(timeout=SLOW)
    page.locator("input[type=file]").set_input_files(file)


def explained(page, method):
    """Where a method's map is there: how large its mask is."""
    return page.get_by_test_id(f"metric-{method}-area")


def shown(page):
    """The radiograph that the viewer shows."""
    return page.locator("[data-testid=viewer][data-image]")


def go_to(page, title):
    page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()


def wait_until_explained(page):
    expect(page.get_by_text("Rate these heatmaps")).to_be_visible(timeout=SLOW)


def rating(page):
    group = page.get_by_role("radiogroup", name="Grad-CAM: How medically significant")
    return group.get_by_role("radio", name="4")


def test_the_panels_arrive_and_a_contour_gets_its_iou_and_the_rating_is_found_again(
    page, browser, server, reviews
):
    bring(page, server, dicom())
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=SLOW)
    expect(explained(page, "gradcam")).to_be_visible(timeout=SLOW)
    wait_until_explained(page)
    for method in METHODS:
        expect(page.get_by_test_id(f"metric-{method}-area")).to_contain_text("%")
        expect(page.get_by_test_id(f"metric-{method}-iou")).to_have_text("–")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)

    page.get_by_test_id("draw").click()
    box = page.get_by_test_id("canvas-lrp").bounding_box()
    corners = [(0.3, 0.3), (0.6, 0.3), (0.6, 0.7), (0.3, 0.7), (0.3, 0.32)]
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=12)
    page.mouse.up()
    for method in METHODS:
        expect(page.get_by_test_id(f"metric-{method}-iou")).not_to_have_text("–")
    expect(page.get_by_text("1 region")).to_be_visible()
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("metric-lrp-iou")).to_have_text("–")

    page.get_by_text("Rate these heatmaps").click()
    page.get_by_role("textbox", name="Your name").fill("Ada")
    page.keyboard.press("Enter")
    rating(page).click()
    stored = Reviews(reviews)
    page.get_by_role("textbox", name="Comment").fill("seen")
    page.get_by_role("textbox", name="Comment").blur()
    expect(rating(page)).to_be_checked()

    again = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    bring(again, server, dicom(PatientName="Somebody^Else"))
    wait_until_explained(again)
    again.get_by_text("Rate these heatmaps").click()
    again.get_by_role("textbox", name="Your name").fill("Ada")
    again.keyboard.press("Enter")
    expect(rating(again)).to_be_checked()
    expect(again.get_by_role("textbox", name="Comment")).to_have_value("seen")
    remove_all(again)
    again.context.close()
    stored.close()


def test_a_mask_is_compared_and_the_radiograph_is_saved_without_its_patient(page, server, tmp_path):
    bring(
        page, server, dicom(PatientOrientation=["R", "F"])
    )  # stored mirrored, so that the size does not tell
    expect(explained(page, "gradcam")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("The mask was drawn on")).to_be_visible()
    expect(page.get_by_role("radio", name="The file as stored")).to_be_checked()
    name = page.locator("[data-testid=viewer]").get_attribute("data-pathology")
    (tmp_path / "mask.png").write_bytes(picture((ramp(8) > 100).astype("uint8") * 255))
    page.locator("input[type=file]").nth(1).set_input_files(tmp_path / "mask.png")
    expect(page.get_by_test_id("metric-gradcam-iou")).not_to_have_text("–")
    expect(page.get_by_role("button", name=f"Remove the mask of {name}")).to_be_visible()
    wait_until_explained(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download de-identified radiograph").click()
    content = download.value.path().read_bytes()
    assert b"Doe" not in content
    assert dcmread(io.BytesIO(content)).PatientIdentityRemoved == "YES"


def test_the_real_radiograph_is_taken_too(page, server, sample):
    (path,) = sample.rglob("*.jpg")
    bring(page, server, str(path))
    expect(explained(page, "gradcam")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("does not record how the radiograph was taken")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. Heatmaps that were already finished are still shown.")).to_be_visible(
        timeout=SLOW
    )
    wait_until_explained(page)  # until the page stands still: a click on what is being replaced is lost
    page.get_by_role("button", name="Explain again").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=SLOW)


def test_what_is_no_radiograph_is_a_sentence_and_the_next_is_taken(page, server):
    bring(page, server, dicom(Modality="CT"))
    expect(page.get_by_text("jane doe.dcm: it is a CT slice, not a radiograph.")).to_be_visible(timeout=SLOW)
    assert page.get_by_text("Traceback").count() == 0
    page.locator("input[type=file]").first.set_input_files(
        {"name": "*b* $x$.png", "mimeType": "image/png", "buffer": b"\x89PNG nothing"}
    )
    expect(page.get_by_text("*b* $x$.png: it is not a DICOM, PNG, JPEG or TIFF file.")).to_be_visible(
        timeout=SLOW
    )
    page.locator("input[type=file]").first.set_input_files(dicom())
    expect(explained(page, "gradcam")).to_be_visible(timeout=SLOW)


def test_a_worker_that_is_killed_is_a_sentence_and_the_reader_asks_again(page, server):
    bring(page, server, dicom())
    expect(explained(page, "gradcam")).to_be_visible(timeout=SLOW)
    (worker,) = [
        one
        for one in psutil.Process(server.process_id).children(recursive=True)
        if "shamsul_core.upload.worker" in one.cmdline()
    ]
    os.kill(worker.pid, signal.SIGKILL)
    expect(page.get_by_text("The process computing the heatmaps stopped.")).to_be_visible(timeout=SLOW)
    assert page.get_by_text("Traceback").count() == 0
    page.get_by_role("button", name="Explain again").click()
    expect(page.get_by_text("Computing LIME")).to_be_visible(timeout=SLOW)


def test_what_the_model_never_saw_stands_above_all_that_it_says(page, server):
    page.goto(f"{server.address}/upload")
    card = page.get_by_role("note", name="Model card")
    expect(card).to_contain_text(NEVER_REAL, timeout=SLOW)
    expect(card).to_contain_text("Trained on: 40 simulated radiographs")
    drop = page.get_by_test_id("stFileUploaderDropzone")
    expect(drop).to_be_visible()
    box = drop.bounding_box()
    assert box["height"] > 400
    assert box["width"] > 800
    page.locator("input[type=file]").set_input_files(dicom())
    expect(shown(page)).to_be_visible(timeout=SLOW)
    assert card.bounding_box()["y"] < shown(page).bounding_box()["y"]
    assert page.get_by_text(NEVER_REAL).count() == 1


def test_the_picture_is_there_before_any_map_and_the_panels_wait(page, browser, server):
    before = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    bring(before, server, dicom())
    expect(shown(before)).to_be_visible(timeout=SLOW)
    bring(page, server, dicom(ViewPosition="AP"))
    expect(shown(page)).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("panel-shap")).to_contain_text("Waiting.", timeout=SLOW)
    remove_all(before)
    before.context.close()


def test_a_reader_who_leaves_the_page_and_reloads_it_finds_their_radiograph(page, server):
    bring(page, server, dicom())
    expect(shown(page)).to_be_visible(timeout=SLOW)
    image = shown(page).get_attribute("data-image")
    go_to(page, "Methods")
    expect(page.get_by_text("Your own radiograph")).to_have_count(0)
    expect(page.get_by_role("heading", name="jane doe.dcm")).to_have_count(0, timeout=SLOW)
    go_to(page, "Upload")
    expect(shown(page)).to_have_attribute("data-image", image, timeout=SLOW)
    expect(page.get_by_text("Cancelled.")).to_have_count(0)
    expect(explained(page, "gradcam")).to_be_visible(timeout=SLOW)
    page.reload()
    expect(shown(page)).to_have_attribute("data-image", image, timeout=SLOW)
    expect(page.get_by_role("heading", name="jane doe.dcm")).to_be_visible()
    assert "token" not in page.url


def test_a_second_file_queues_and_each_is_removed_on_request(page, server):
    bring(page, server, dicom())
    expect(shown(page)).to_be_visible(timeout=SLOW)
    first = shown(page).get_attribute("data-image")
    second = dicom(PhotometricInterpretation="MONOCHROME1") | {"name": "second.dcm"}
    page.locator("input[type=file]").first.set_input_files(second)
    expect(page.get_by_role("heading", name="second.dcm")).to_be_visible(timeout=SLOW)
    expect(shown(page)).not_to_have_attribute("data-image", first, timeout=SLOW)
    page.get_by_role("radiogroup", name="Your radiographs").get_by_text("jane doe.dcm").click()
    expect(shown(page)).to_have_attribute("data-image", first, timeout=SLOW)
    expect(page.get_by_text("Cancelled.")).to_have_count(0)
    page.get_by_role("button", name="Remove this radiograph").click()
    expect(page.get_by_role("heading", name="second.dcm")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Remove this radiograph").click()
    expect(page.get_by_text("Drop a frontal chest radiograph")).to_be_visible(timeout=SLOW)
    page.reload()
    expect(page.get_by_text("Drop a frontal chest radiograph")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("was erased after 15 minutes")).to_have_count(0)


def test_who_brings_more_than_there_is_room_for_is_told_so(page, server):
    bring(page, server, [dicom() | {"name": f"{number}.dcm"} for number in range(MOST + 1)])
    expect(page.get_by_text("Up to 5 radiographs can be kept at a time.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("radiogroup", name="Your radiographs").get_by_role("radio")).to_have_count(MOST)


def test_an_example_is_explained_with_one_click(page, server):
    page.goto(f"{server.address}/upload")
    page.get_by_role("button", name="Cardiomegaly", exact=True).click(timeout=SLOW)
    expect(page.get_by_role("heading", name="Example: Cardiomegaly")).to_be_visible(timeout=SLOW)
    expect(shown(page)).to_have_attribute("data-pathology", "Cardiomegaly", timeout=SLOW)


def test_dark_bones_are_inverted_before_the_radiograph_is_explained(page, server):
    bring(page, server, dicom())
    expect(shown(page)).to_be_visible(timeout=SLOW)
    image = shown(page).get_attribute("data-image")
    page.get_by_text("Bones are dark: invert").click()
    expect(shown(page)).not_to_have_attribute("data-image", image, timeout=SLOW)
    expect(explained(page, "gradcam")).to_be_visible(timeout=SLOW)
    page.get_by_text("Bones are dark: invert").click()
    expect(shown(page)).to_have_attribute("data-image", image, timeout=SLOW)


def test_the_radiograph_of_a_reader_who_closed_the_page_keeps_nobody_waiting_for_ever(page, browser, server):
    gone = browser.new_context().new_page()
    bring(gone, server, dicom())
    expect(explained(gone, "gradcam")).to_be_visible(timeout=SLOW)
    gone.context.close()
    bring(page, server, dicom())
    expect(explained(page, "gradcam")).to_be_visible(timeout=SLOW)


def test_nothing_of_an_upload_is_on_the_disk_or_in_the_log(server, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    written = [path for path in base.rglob("*") if path.is_file() and path.stat().st_size < 10_000_000]
    for path in (*base.glob("log*/log"), *(one for one in written if "temporary" in str(one))):
        assert b"Doe" not in path.read_bytes(), path
        assert b"jane" not in path.read_bytes(), path
    assert not [one for one in written if "temporary" in str(one)]


def test_a_model_that_is_missing_is_a_sentence(page, made_run, monkeypatch, tmp_path):
    monkeypatch.delenv("SHAMSUL_MODEL", raising=False)
    with served(made_run.folder) as server:
        page.goto(f"{server.address}/upload")
        expect(
            page.get_by_text("of this run is not on this server, so no radiograph can be explained")
        ).to_be_visible(timeout=SLOW)
        assert page.get_by_text("Traceback").count() == 0
