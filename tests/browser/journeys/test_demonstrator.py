"""Somebody shows the demonstration to stakeholders: chosen cases, back to the same card, a slide, the methods, home."""

from __future__ import annotations

import io
import re

from PIL import Image
from playwright.sync_api import expect

_SCROLLED = "() => document.querySelector('[data-testid=stMain]').scrollTop"


def test_an_afternoon_of_showing(visit, demonstration_run):
    page, scores = visit.page, demonstration_run.scores
    visit.open("/")
    home = visit.sees()
    visit.go_to("Selection")
    expect(page.get_by_text("Simulated from CT, not a patient").first).to_be_visible()
    cards = page.get_by_role("link", name=re.compile("."), exact=False).and_(page.locator("h2 a"))
    expect(cards).to_have_count(10)
    page.get_by_role("radio", name="Grad-CAM").click()
    page.wait_for_url("**method=gradcam**")
    visit.settle()

    # A card far down opens its case in the same tab; Back returns to the same place
    edema = page.locator("h2 a", has_text="Edema")
    edema.scroll_into_view_if_needed()
    place = page.evaluate(_SCROLLED)
    tabs = len(page.context.pages)
    edema.click()
    best = scores[(scores["pathology"] == "Edema") & (scores["method"] == "gradcam")].sort_values(
        ["iou", "image_id"], ascending=[False, True]
    )
    visit.sees(best["image_id"].iloc[0], "Edema", is_listed=False)
    expect(page.get_by_test_id("metric-gradcam-iou")).to_have_text(f"{best['iou'].iloc[0]:.2f}")
    assert len(page.context.pages) == tabs
    visit.back()
    expect(edema).to_be_visible()
    page.wait_for_function(f"place => Math.abs(({_SCROLLED})() - place) < 3", arg=place)
    assert visit.query()["method"] == "gradcam"

    # The choice outlasts another page and a reload; a slide says what it is of
    visit.go_to("Methods")
    expect(page.get_by_text("Known limits").first).to_be_visible()
    visit.go_to("Selection")
    expect(page.get_by_role("radio", name="Grad-CAM")).to_be_checked()
    page.reload()
    visit.settle()
    expect(page.get_by_role("radio", name="Grad-CAM")).to_be_checked()
    page.get_by_role("combobox", name="Cases").click()
    page.get_by_role("option", name=re.compile("^Pneumothorax")).click()
    visit.settle()
    name, content = visit.download("Slides (PNG)")
    assert "grad-cam" in name.lower()
    assert "pneumothorax" in name.lower()
    with Image.open(io.BytesIO(content)) as slide:
        assert slide.size == (1920, 1080)

    # Home again: the reload was a new visit, which begins where every visit does
    visit.go_to("Compare")
    assert visit.sees() == home
