"""A reader explains radiographs of their own, looks elsewhere meanwhile, and takes everything away again."""

from __future__ import annotations

import shutil

import numpy as np
from playwright.sync_api import expect

from shamsul_core.classifier.novelty import first_maps, novelty_file, sum_up, write_training_features
from shamsul_core.classifier.weights import load_classifier
from tests.browser.journeys.visit import Visit
from tests.imaging.radiographs import file_of, radiograph
from tests.made import made_pixels
from tests.serving import served


def test_an_own_radiograph(page, made_run, small_model, tmp_path, monkeypatch):
    monkeypatch.setenv("SHAMSUL_MODEL", str(small_model))
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path}/reviews.sqlite")
    with served(made_run.folder) as server:
        visit = Visit(page, server.address)
        visit.open("/")
        case = visit.sees()
        visit.go_to("Upload")
        expect(page.get_by_text("Drop a frontal chest radiograph here")).to_be_visible()
        file = {"name": "own.dcm", "mimeType": "application/dicom", "buffer": file_of(radiograph())}
        page.locator("input[type=file]").set_input_files(file)
        viewer = page.get_by_test_id("viewer")
        expect(viewer).to_be_visible()
        own = viewer.get_attribute("data-image")

        # Looking elsewhere neither loses nor cancels it
        visit.go_to("Compare")
        visit.sees(*case)
        visit.go_to("Upload")
        expect(viewer).to_have_attribute("data-image", own)
        expect(page.get_by_text("Rate these heatmaps")).to_be_visible(timeout=240_000)
        for method in ("gradcam", "lrp", "lime", "shap"):
            expect(page.get_by_test_id(f"metric-{method}-area")).to_contain_text("%")
        chosen = "Pleural Effusion"
        page.get_by_role("radio", name=chosen).click()
        expect(viewer).to_have_attribute("data-pathology", chosen)

        # What leaves speaks of the reader's own, as the screen shows it
        page.get_by_test_id("toggle-invert").click()
        page.get_by_role("button", name="Download", exact=True).click()
        expect(page.get_by_text("As on the screen: inverted")).to_be_visible()
        name, svg = visit.download("SVG")
        assert "inverted" in name
        assert b"nowhere" not in svg
        assert b"expert" not in svg.lower()
        page.keyboard.press("Escape")

        # A second one beside it, and a reload, lose nothing; what is removed is gone
        # chosen while the page is being made anew, as a quick reader does
        page.get_by_test_id("toggle-invert").click()
        second = {
            "name": "other.dcm",
            "mimeType": "application/dicom",
            "buffer": file_of(radiograph(PhotometricInterpretation="MONOCHROME1")),
        }
        page.locator("input[type=file]").first.set_input_files(second)
        expect(viewer).not_to_have_attribute("data-image", own)
        page.reload()
        visit.settle()
        expect(viewer).to_be_visible()
        for _ in range(2):
            before = viewer.get_attribute("data-image")
            page.get_by_role("button", name="Remove this radiograph").click()
            page.wait_for_function(
                "before => !document.body.innerHTML.includes(before)", arg=before, timeout=60_000
            )
            visit.settle()
        expect(page.get_by_text("Drop a frontal chest radiograph here")).to_be_visible()
        visit.back()
        assert visit.complaints == []


def test_a_radiograph_unlike_those_of_the_training_is_told_before_any_number(
    page, made_run, small_model, tmp_path, monkeypatch
):
    """The model was trained on one picture, shifted; a reader brings another."""
    model = tmp_path / "model.safetensors"
    shutil.copy(small_model, model)
    classifier = load_classifier(str(model))
    with first_maps(classifier.network) as gathered:
        for shift in range(12):
            classifier.predict(np.roll(made_pixels(), shift, axis=1))
    features = np.concatenate(gathered)
    write_training_features(novelty_file(str(model)), sum_up(features, features), classifier.fingerprint)
    monkeypatch.setenv("SHAMSUL_MODEL", str(model))
    with served(made_run.folder) as server:
        visit = Visit(page, server.address)
        visit.open("/")
        visit.go_to("Upload")
        file = {"name": "own.dcm", "mimeType": "application/dicom", "buffer": file_of(radiograph())}
        page.locator("input[type=file]").set_input_files(file)
        told = page.get_by_text("unlike those that the model was trained on").first
        expect(told).to_be_visible(timeout=120_000)
        place, viewer = told.bounding_box(), page.get_by_test_id("viewer").bounding_box()
        assert place["y"] < viewer["y"] + viewer["height"] / 4
        assert visit.complaints == []
