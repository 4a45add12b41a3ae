"""What a new user sees: the demonstration from a clean clone, with nothing downloaded and nothing computed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from shamsul_core.cohort import open_cohort
from shamsul_core.run import Run
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.serving import ROOT, clean_clone, served

DEMO = ROOT / "assets" / "demo"

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return clean_clone(tmp_path_factory.mktemp("clean") / "clone")


def test_the_first_page_is_filled_and_the_first_case_one_click_away(page, clone):
    with served(None, clone) as server:
        page.goto(server.address)
        expect(page.locator("[data-testid=canvas-lrp][data-zoom]")).to_be_visible(timeout=60_000)
        expect(page.locator("[data-testid^=canvas-][data-zoom]")).to_have_count(5)
        expect(page.get_by_text("Simulated from CT, not a patient").first).to_be_visible()
        expect(page.get_by_text("For research, not for diagnosis").first).to_be_visible()
        expect(page.get_by_test_id("case-list-count")).to_have_text("100 of 100")
        first = page.get_by_test_id("viewer").get_attribute("data-image")
        page.get_by_test_id("case-list").get_by_role("option").nth(1).click()
        expect(page.get_by_test_id("viewer")).not_to_have_attribute("data-image", first, timeout=60_000)
        expect(page.locator("[data-testid^=canvas-][data-zoom]")).to_have_count(5)
        for name, words in {
            "Distributions": "across pathologies",
            "Selection": "Open in Compare",
            "Overview": "Cardiomegaly",
            "Methods": "Grad-CAM",
        }.items():
            page.get_by_role("link", name=name).click()
            expect(page.get_by_text(words).first).to_be_visible()
            expect(page.get_by_text("Simulated from CT, not a patient").first).to_be_visible()


def test_what_is_in_the_box_is_whole():
    run = Run.open(DEMO / "run")
    cohort = open_cohort(run.cohort_folder, split=run.manifest.cohort["split"])
    assert len(cohort.radiographs) >= 100
    assert run.explained_ids() == sorted(cohort.radiographs)
    assert run.failures.empty
    assert run.manifest.model["is_trained"]
    assert list(run.manifest.methods) == ["lime", "shap", "gradcam", "lrp"]
    marked = run.scores[run.scores["expert_area_px"] > 0].drop_duplicates(["image_id", "pathology"])
    assert marked["pathology"].value_counts().reindex(LOCALISED_PATHOLOGIES).min() >= 10
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < 80e6
