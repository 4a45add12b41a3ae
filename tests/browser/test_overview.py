"""The page overview as a reader uses it, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.summary import cohort_table
from shamsul_core.statistics.prediction.assessment import assess
from shamsul_core.statistics.prediction.decisions import decision_thresholds
from tests.made import image_id
from tests.serving import served


def test_a_link_to_it_answers_on_a_freshly_started_server(page, made_run, made_cohort):
    weighted = assess(made_run.predictions, cohort_table(open_cohort(made_cohort))).performance.weighted
    asked = []
    page.on("request", lambda request: asked.append(request.url.lower()))
    with served(made_run.folder) as server:
        page.goto(f"{server.address}/overview")
        metrics = page.get_by_test_id("stMetricValue")
        expect(metrics).to_have_text([f"{one:.2f}" for one in weighted["value"]])
        rings = page.get_by_role("img", name="Rings showing")
        rings.wait_for()
        page.wait_for_function(
            "() => [...document.images].every(one => one.complete && one.naturalWidth > 600)"
        )
        assert rings.bounding_box()["width"] > 300
        table = page.get_by_role("table", name="Prediction of each observation")
        expect(table.get_by_role("rowheader")).to_have_count(14)
        expect(page.get_by_text("For research, not for diagnosis")).to_be_visible()
        assert not [url for url in asked if "plotly" in url]


def test_nothing_lies_over_its_heading(page, dashboard):
    page.goto(f"{dashboard.address}/overview")
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible()
    # Both at one moment: what is loaded above them moves them
    heading_ends, next_begins = page.get_by_test_id("stHeading").first.evaluate(
        """heading => [heading.getBoundingClientRect().bottom,
            heading.closest('[data-testid=stElementContainer]').nextElementSibling.getBoundingClientRect().top]"""
    )
    assert heading_ends <= next_begins


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1366, 768)])
def test_its_table_fits_beside_the_rings(page, dashboard, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{dashboard.address}/overview")
    table = page.get_by_role("table", name="Prediction of each observation")
    box = table.bounding_box()
    room = table.locator("xpath=ancestor::*[@data-testid='stColumn'][1]").bounding_box()
    assert box["x"] + box["width"] <= room["x"] + room["width"] + 1
    assert box["y"] + box["height"] <= height, "seen without scrolling"


def test_the_threshold_changes_table_and_address_and_holds_on_compare(page, dashboard, made_run, made_cohort):
    page.goto(f"{dashboard.address}/overview")
    row = page.get_by_role("table", name="Prediction of each observation").get_by_role("row", name="Edema")
    expect(row.get_by_role("cell").nth(7)).to_have_text("0.50")
    page.get_by_role("radio", name="Youden").click()
    labels = cohort_table(open_cohort(made_cohort))
    thresholds = decision_thresholds(made_run.predictions, labels, "Youden")
    assessment = assess(made_run.predictions, labels, thresholds)
    expect(row.get_by_role("cell").nth(7)).to_have_text(f"{assessment.rates.loc['Edema', 'threshold']:.2f}")
    page.wait_for_url("**threshold=Youden**")
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_test_id("canvas-lrp")).to_be_visible()
    expect(page.get_by_role("radio", name="Youden")).to_have_attribute("aria-checked", "true")
    decisions = assessment.decisions.set_index(["image_id", "observation"])["decision"]
    predicted = page.get_by_role("table", name="Predicted probabilities")
    for name in ("Edema", "Pneumonia", "Fracture"):
        decision = decisions[(image_id(1), name)]
        sign = {"TP": "✓", "TN": "✓", "FP": "✗", "FN": "✗"}.get(decision, "")
        expect(predicted.get_by_role("row", name=name).get_by_role("cell").last).to_have_text(sign)
    # Header, grid and filter follow the same thresholds as the sidebar
    probabilities = made_run.read_record(image_id(1)).probabilities
    words = thresholds.in_words("Edema", probabilities["Edema"])
    page.get_by_test_id("findings").get_by_role("radio", name="Edema").click()
    expect(page.get_by_test_id("facts")).to_contain_text(f"{probabilities['Edema']:.2f}, {words}")
    right = decisions[(image_id(1), "Edema")] in {"TP", "TN"}
    expect(page.get_by_test_id("facts")).to_contain_text(", correct" if right else ", incorrect")
    grid = page.get_by_role("table", name="IoU by pathology and method")
    for name in made_run.manifest.pathologies:
        bold = "predicted" if thresholds.is_predicted(name, probabilities[name]) else ""
        cell = grid.get_by_role("row", name=name).get_by_role("cell").first
        expect(cell).to_have_class(re.compile(bold) if bold else re.compile("^$|null"))
    expect(grid.get_by_role("columnheader", name="Prob.")).to_have_attribute("title", re.compile("Youden"))
    page.get_by_role("button", name="Filter and sort").click()
    expect(page.get_by_text("Predicted (threshold: Youden)")).to_be_visible()


def test_parts_open_and_the_run_says_what_failed(page, dashboard):
    page.goto(f"{dashboard.address}/overview")
    page.get_by_role("tab", name="Run").click()
    failures = page.get_by_role("table", name="Failures")
    expect(failures.get_by_role("row").nth(1)).to_contain_text("made to fail")
    expect(page.get_by_role("table", name="Model and cohort")).to_contain_text("fingerprint")
    page.wait_for_url("**part=Run**")
    page.reload()
    expect(failures).to_be_visible()
    page.get_by_role("tab", name="Cohort").click()
    expect(page.get_by_role("img", name="Table 1")).to_be_visible()
