"""A reader explains a radiograph of their own in a real browser: the panels arrive, they draw, rate and come back."""

from __future__ import annotations

import io
import os
import signal

import psutil
import pytest
from playwright.sync_api import expect
from pydicom import dcmread

from shamsul_core.reviews import Reviews
from tests.serving import served
from tests.upload.radiographs import file_of, picture, radiograph, ramp

METHODS = ("gradcam", "lrp", "lime", "shap")
SLOW = 90_000


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('reviews')}/reviews.sqlite"


@pytest.fixture(scope="module")
def server(made_run, small_model, reviews, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHAMSUL_MODEL", str(small_model))
        patch.setenv("SHAMSUL_REVIEWS", reviews)
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
        with served(made_run.folder, log=tmp_path_factory.mktemp("log") / "log") as server:
            yield server


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


def panel(page, method):
    return page.locator(f"[data-testid='canvas-{method}'][data-zoom]")


def wait_until_explained(page):
    expect(page.get_by_text("Rate these maps")).to_be_visible(timeout=SLOW)


def rating(page):
    group = page.get_by_role("radiogroup", name="Grad-CAM: How medically significant")
    return group.get_by_role("radio", name="4")


def test_the_panels_arrive_and_a_contour_gets_its_iou_and_the_rating_is_found_again(
    page, browser, server, reviews
):
    bring(page, server, dicom())
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=SLOW)
    expect(panel(page, "gradcam")).to_be_visible(timeout=SLOW)
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
        expect(page.get_by_test_id(f"metric-{method}-iou")).not_to_have_text("–", timeout=20_000)
    expect(page.get_by_text("1 region")).to_be_visible()
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("metric-lrp-iou")).to_have_text("–", timeout=20_000)

    page.get_by_text("Rate these maps").click()
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
    again.get_by_text("Rate these maps").click()
    again.get_by_role("textbox", name="Your name").fill("Ada")
    again.keyboard.press("Enter")
    expect(rating(again)).to_be_checked(timeout=20_000)
    expect(again.get_by_role("textbox", name="Comment")).to_have_value("seen")
    again.context.close()
    stored.close()


def test_a_mask_is_compared_and_the_radiograph_is_saved_without_its_patient(page, server, tmp_path):
    bring(page, server, dicom())
    wait_until_explained(page)
    name = page.locator("[data-testid=viewer]").get_attribute("data-pathology")
    (tmp_path / "mask.png").write_bytes(picture((ramp(8) > 100).astype("uint8") * 255))
    page.locator("input[type=file]").nth(1).set_input_files(tmp_path / "mask.png")
    expect(page.get_by_test_id("metric-gradcam-iou")).not_to_have_text("–", timeout=20_000)
    assert page.get_by_text(f"Your mask of {name}").count() == 1
    with page.expect_download() as download:
        page.get_by_role("button", name="Radiograph without patient data").click()
    content = download.value.path().read_bytes()
    assert b"Doe" not in content
    assert dcmread(io.BytesIO(content)).PatientIdentityRemoved == "YES"


def test_the_real_radiograph_is_taken_too(page, server, sample):
    (path,) = sample.rglob("*.jpg")
    bring(page, server, str(path))
    expect(panel(page, "gradcam")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("does not say how the radiograph was taken")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. What was ready stays.")).to_be_visible(timeout=SLOW)
    wait_until_explained(page)  # until the page stands still: a click on what is being replaced is lost
    page.get_by_role("button", name="Explain again").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=SLOW)


def test_what_is_no_radiograph_is_a_sentence_and_the_next_is_taken(page, server):
    bring(page, server, dicom(Modality="CT"))
    expect(page.get_by_text("jane doe.dcm: it is a slice of a CT, not a radiograph.")).to_be_visible(
        timeout=SLOW
    )
    assert page.get_by_text("Traceback").count() == 0
    page.locator("input[type=file]").first.set_input_files(
        {"name": "*b* $x$.png", "mimeType": "image/png", "buffer": b"\x89PNG nothing"}
    )
    expect(page.get_by_text("*b* $x$.png: it is not a DICOM, PNG, JPEG or TIFF file.")).to_be_visible(
        timeout=SLOW
    )
    page.locator("input[type=file]").first.set_input_files(dicom())
    expect(panel(page, "gradcam")).to_be_visible(timeout=SLOW)


def test_a_worker_that_is_killed_is_a_sentence_and_the_reader_asks_again(page, server):
    bring(page, server, dicom())
    expect(panel(page, "gradcam")).to_be_visible(timeout=SLOW)
    (worker,) = [
        one
        for one in psutil.Process(server.process_id).children(recursive=True)
        if "shamsul_core.upload.worker" in one.cmdline()
    ]
    os.kill(worker.pid, signal.SIGKILL)
    expect(page.get_by_text("The program that explains was stopped.")).to_be_visible(timeout=SLOW)
    assert page.get_by_text("Traceback").count() == 0
    page.get_by_role("button", name="Explain again").click()
    expect(page.get_by_text("LIME is being computed")).to_be_visible(timeout=SLOW)


def test_a_reader_who_closes_the_page_leaves_the_worker_to_the_next(page, browser, server):
    gone = browser.new_context().new_page()
    bring(gone, server, dicom())
    expect(panel(gone, "gradcam")).to_be_visible(timeout=SLOW)
    gone.context.close()
    bring(page, server, dicom())
    expect(panel(page, "gradcam")).to_be_visible(timeout=SLOW)


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
        expect(page.get_by_text("of this run is not here, so nothing can be explained")).to_be_visible(
            timeout=SLOW
        )
        assert page.get_by_text("Traceback").count() == 0
