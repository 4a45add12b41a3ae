"""A researcher compares methods on two runs: figures, a threshold that holds everywhere, tables, and the run's own facts."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import expect

from tests.browser.journeys.visit import Visit
from tests.made import make_run
from tests.serving import served


@pytest.fixture
def visit(page, made_cohort, tmp_path, monkeypatch):
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path}/reviews.sqlite")
    make_run(tmp_path / "runs" / "first", made_cohort)
    make_run(tmp_path / "runs" / "second", made_cohort, trained=False)
    with served(tmp_path / "runs") as server:
        visit = Visit(page, server.address)
        yield visit
    assert visit.complaints == []


def test_a_day_of_comparing(visit):
    page = visit.page
    visit.open("/")
    case = visit.sees()

    # The other run is chosen once, for every page, in the address too
    page.get_by_role("combobox", name="Run").click()
    page.get_by_role("option", name="second").click()
    page.wait_for_url("**run=second**")
    expect(page.get_by_text("Untrained network").first).to_be_visible()
    assert visit.sees() == case
    for name in ("Distributions", "Selection", "Overview", "Methods", "Distributions"):
        visit.go_to(name)
        expect(page.get_by_text("Untrained network").first).to_be_visible()
        assert visit.query()["run"] == "second"

    # What was chosen of the figure holds through a case, a page and a reload
    page.get_by_role("radio", name="IoU by lesion").click()
    page.get_by_role("combobox", name="Lesion").click()
    page.get_by_role("option", name=re.compile("Elongation", re.IGNORECASE)).click()
    page.wait_for_url("**lesion=elongation**")
    page.get_by_role("link", name=re.compile(r"^\d\.\d\d$")).first.click()
    visit.sees()
    assert visit.query()["run"] == "second"
    visit.back()
    expect(page.get_by_role("radio", name="IoU by lesion")).to_be_checked()
    assert visit.query()["lesion"] == "elongation"
    visit.go_to("Overview")
    visit.go_to("Distributions")
    page.reload()
    visit.settle()
    expect(page.get_by_role("radio", name="IoU by lesion")).to_be_checked()
    page.get_by_role("radio", name="Method comparison").click()
    expect(page.get_by_text("Friedman's test", exact=False).first).to_be_visible()
    expect(page.get_by_role("radio", name="All methods")).to_have_count(0)
    page.get_by_role("radio", name="Hit rate").click()
    expect(page.get_by_role("radio", name="All methods")).to_be_checked()

    # One decision threshold, on overview, in the case's header and in the sidebar
    visit.go_to("Overview")
    page.get_by_role("radio", name="Youden").click()
    page.wait_for_url("**threshold=Youden**")
    visit.go_to("Compare")
    visit.sees()
    expect(page.get_by_role("radio", name="Youden")).to_be_checked()
    header = page.get_by_test_id("facts")
    expect(header).to_contain_text("Youden")
    is_correct = ", correct" in header.text_content()
    row = page.locator("tr", has=page.get_by_role("rowheader", name=visit.sees()[1])).last
    assert ("✓" in row.text_content()) == is_correct

    # The numbers leave as they stand
    page.get_by_role("button", name="Download", exact=True).click()
    _, content = visit.download("CSV")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    shown = page.get_by_test_id("metric-gradcam-iou").text_content()
    (row,) = [one for one in rows if one["pathology"] == visit.sees()[1] and one["method"] == "gradcam"]
    assert (f"{float(row['iou']):.2f}" if row["iou"] else "–") == shown
    page.keyboard.press("Escape")

    # The run's own facts
    visit.go_to("Overview")
    page.get_by_role("tab", name="Run").click()
    expect(page.get_by_text("made to fail").first).to_be_visible()
    visit.back()
    visit.back()
