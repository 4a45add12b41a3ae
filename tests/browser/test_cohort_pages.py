"""From the cohort's pages to a case, and downloaded files, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.made import TITLES


def case_in(page):
    """The radiograph and the pathology that compare shows, and that its address names."""
    expect(page.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", "1.000")
    query = parse_qs(urlsplit(page.url).query)
    return query["radiograph"][0], query["pathology"][0]


def test_a_click_on_a_point_opens_its_case(page, dashboard, made_run):
    page.goto(f"{dashboard.address}/distributions?methods=gradcam")
    points = page.locator(".scatterlayer .trace").first.locator(".points path")
    expect(points).to_have_count(4)
    best = made_run.scores.query("method == 'gradcam'").sort_values("iou").dropna(subset=["iou"]).iloc[-1]
    box = min((point.bounding_box() for point in points.all()), key=lambda box: box["y"])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".hoverlayer")).to_contain_text(f"IoU {best['iou']:.2f}")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert case_in(page) == (best["image_id"], best["pathology"])
    expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text(f"{best['iou']:.2f}")
    page.go_back()
    expect(points).to_have_count(4)


def test_choices_stand_in_the_address(page, dashboard):
    page.goto(f"{dashboard.address}/distributions")
    page.get_by_role("radio", name="Hit rate").click()
    expect(page.locator(".barlayer .trace")).to_have_count(4)
    page.wait_for_url("**figure=hit**")
    page.reload()
    expect(page.locator(".barlayer .trace")).to_have_count(4)


def test_a_card_opens_its_case_in_the_session_and_back_returns_to_it(page, dashboard, made_run):
    page.set_viewport_size({"width": 1100, "height": 420})
    page.goto(f"{dashboard.address}/selection?criterion=worst&method=shap")
    card = page.locator("article.case").filter(has_text="lowest IoU").filter(has_text="Edema")
    expect(card.locator("img")).to_have_count(1 + len(TITLES))
    for image in card.locator("img").all():
        assert image.evaluate("image => image.naturalWidth") > 250
        assert image.get_attribute("alt")
    ious = made_run.scores.query("method == 'shap' and pathology == 'Edema'").dropna(subset=["iou"])
    expect(card.locator("figure.chosen")).to_have_text(re.compile(f"SHAP, IoU {ious['iou'].min():.2f}"))
    page.evaluate("window.isSameVisit = true")
    scroller = page.get_by_test_id("stMain")
    card.scroll_into_view_if_needed()
    top = scroller.evaluate("main => main.scrollTop")
    assert top > 100
    card.click()
    assert case_in(page) == (ious.loc[ious["iou"].idxmin(), "image_id"], "Edema")
    page.go_back()
    link = card.get_by_role("link", name="Edema")
    expect(link).to_be_focused()
    page.wait_for_function(
        "top => Math.abs(document.querySelector('[data-testid=stMain]').scrollTop - top) < 3", arg=top
    )
    page.keyboard.press("Enter")
    assert case_in(page)[1] == "Edema"
    assert page.evaluate("window.isSameVisit"), "nothing was loaded anew"


def test_a_card_is_a_real_link_for_another_tab(page, dashboard):
    page.goto(f"{dashboard.address}/selection?criterion=best&method=lime")
    card = page.locator("article.case").filter(has_text="Edema")
    with page.context.expect_page() as waiting:
        card.click(modifiers=["ControlOrMeta"])
    assert case_in(waiting.value)[1] == "Edema"
    expect(card.locator("img")).to_have_count(1 + len(TITLES))
    assert "selection" in page.url


def test_downloaded_cases_are_files_that_say_what_they_hold(page, dashboard):
    page.goto(f"{dashboard.address}/selection?criterion=probability")
    expect(page.get_by_role("link", name="Cardiomegaly")).to_be_visible()

    def download(name):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        return waiting.value.suggested_filename, Path(waiting.value.path())

    name, path = download("Figure (PNG)")
    assert name == "best-probability_cardiomegaly-edema_figure.png"
    with Image.open(path) as figure:
        assert figure.width / figure.height == pytest.approx(297 / 210, rel=0.01), "A4"
    name, path = download("Slides (PDF)")
    assert name == "best-probability_cardiomegaly-edema_slides.pdf"
    assert path.read_bytes().count(b"/Type /Page ") == 2
    name, path = download("Slides (PNG)")
    assert name == "best-probability_cardiomegaly-edema_slide.zip"
    with ZipFile(path) as archive:
        assert archive.namelist() == [f"best-probability_cardiomegaly-edema_slide_{n}.png" for n in (1, 2)]
    page.goto(f"{dashboard.address}/selection?criterion=best&method=gradcam")
    page.get_by_role("combobox", name="Cases").click()
    page.get_by_role("option", name="Edema").click()
    expect(page.get_by_text("1 page of A4, 1 slide of 16:9")).to_be_visible()
    name, path = download("Slides (PNG)")
    assert name == "best-iou_grad-cam_edema_slide.png"
    with Image.open(path) as slide:
        assert slide.size == (1920, 1080)


def test_methods_shows_its_equations(page, dashboard):
    page.goto(f"{dashboard.address}/methods")
    expect(page.locator(".katex-display, .katex").first).to_be_visible()
    expect(page.locator(".katex-error")).to_have_count(0)
    expect(page.get_by_text("What not to conclude")).to_be_visible()
