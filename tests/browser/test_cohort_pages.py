"""From the cohort's pages to a case, and files taken along, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.made import TITLES

pytestmark = pytest.mark.browser


def case_in(page):
    """The radiograph and the pathology that compare shows, and that its address names."""
    expect(page.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", "1.000", timeout=30_000)
    query = parse_qs(urlsplit(page.url).query)
    return query["radiograph"][0], query["pathology"][0]


def test_a_click_on_a_point_opens_its_case(page, dashboard, made_run):
    page.goto(f"{dashboard.address}/distributions?method=gradcam")
    points = page.locator(".scatterlayer .trace").first.locator(".points path")
    expect(points).to_have_count(4, timeout=30_000)
    best = made_run.scores.query("method == 'gradcam'").sort_values("iou").dropna(subset=["iou"]).iloc[-1]
    box = min((point.bounding_box() for point in points.all()), key=lambda box: box["y"])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".hoverlayer")).to_contain_text(f"IoU {best['iou']:.2f}")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert case_in(page) == (best["image_id"], best["pathology"])
    expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text(f"{best['iou']:.2f}")
    page.go_back()
    expect(points).to_have_count(4, timeout=30_000)


def test_choices_stand_in_the_address(page, dashboard):
    page.goto(f"{dashboard.address}/distributions")
    page.get_by_role("radio", name="Hit rate").click()
    expect(page.locator(".barlayer .trace")).to_have_count(4, timeout=30_000)
    page.wait_for_url("**figure=hit**")
    page.reload()
    expect(page.locator(".barlayer .trace")).to_have_count(4, timeout=30_000)


def test_a_card_opens_its_case_by_mouse_and_by_key(page, dashboard, made_run):
    page.goto(f"{dashboard.address}/selection?criterion=worst&method=shap")
    best = made_run.scores.query("method == 'shap' and pathology == 'Edema'").dropna(subset=["iou"])
    card = page.get_by_role("link", name="Edema").filter(has_text="Lowest IoU")
    expect(card.locator("img")).to_have_count(len(TITLES), timeout=30_000)
    for image in card.locator("img").all():
        assert image.evaluate("image => image.naturalWidth") > 250
    expect(card.locator("figure.chosen")).to_have_text(re.compile(f"SHAP, IoU {best['iou'].min():.2f}"))
    card.click()
    assert case_in(page) == (best.loc[best["iou"].idxmin(), "image_id"], "Edema")
    page.go_back()
    card.focus()
    page.keyboard.press("Enter")
    assert case_in(page)[1] == "Edema"


def test_cases_taken_along_are_files_that_open(page, dashboard):
    page.goto(f"{dashboard.address}/selection?criterion=probability")
    expect(page.get_by_role("link", name="Cardiomegaly")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Slide, PNG")).to_be_disabled()

    def download(name):
        with page.expect_download(timeout=30_000) as waiting:
            page.get_by_role("button", name=name).click()
        return waiting.value.suggested_filename, Path(waiting.value.path())

    name, path = download("Figure, PNG")
    assert name == "Cardiomegaly-Edema-figure.png"
    with Image.open(path) as figure:
        assert figure.width > 2000
    name, path = download("Slides, PDF")
    assert name == "Cardiomegaly-Edema-slides.pdf"
    assert path.read_bytes().count(b"/Type /Page ") == 2
    page.get_by_role("combobox", name="Cases").click()
    page.get_by_role("option", name="Edema").click()
    expect(page.get_by_role("button", name="Slide, PNG")).to_be_enabled()
    _, path = download("Slide, PNG")
    with Image.open(path) as slide:
        assert slide.size == (1920, 1080)


def test_methods_shows_its_equations(page, dashboard):
    page.goto(f"{dashboard.address}/methods")
    expect(page.locator(".katex-display, .katex").first).to_be_visible(timeout=30_000)
    expect(page.locator(".katex-error")).to_have_count(0)
    expect(page.get_by_text("What nobody may conclude")).to_be_visible()
