"""To the page *Proof*, to a case's maps, on to *Compare* and back, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.made import image_id, make_cohort, make_proof, make_run
from tests.serving import served


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("proved")
    run = make_proof(make_run(folder / "run", make_cohort(folder / "cohort", count=12)))
    with served(run.folder) as server:
        yield server


def test_from_the_table_to_a_case_to_compare_and_back(page, proved):
    page.goto(f"{proved.address}/proof")
    table = page.get_by_role("region", name="What the tests say of each method")
    expect(table).to_contain_text("never saw the model")
    page.evaluate("window.isSameVisit = true")
    page.get_by_role("radio", name="A case").click()
    strip = page.get_by_role("region", name="Maps as the layers are randomised")
    expect(strip.locator("img")).to_have_count(6 * 5)
    page.get_by_role("link", name="Open this case in Compare").click()
    expect(page.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", "1.000")
    expect(page.get_by_test_id("note-lrp")).to_contain_text("Failed the proof: does not depend on the model.")
    page.get_by_role("link", name="These maps put to the proof").click()
    expect(strip.locator("img")).to_have_count(6 * 5)
    page.go_back()
    expect(page.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", "1.000")
    page.go_back()
    expect(strip.locator("img")).to_have_count(6 * 5)
    assert page.evaluate("window.isSameVisit"), "nothing was loaded anew"


def test_on_a_phone_the_table_stands_as_cards_and_nothing_is_cut_off(page, proved):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{proved.address}/proof?part_of_proof=case&proof_case={image_id(2)}")
    table = page.get_by_role("region", name="What the tests say of each method")
    expect(table).to_contain_text("never saw the model")
    assert table.evaluate("region => region.scrollWidth <= region.clientWidth + 1")
