"""A laptop on the ward, and a tablet: the sidebar folds by key and the panels grow; two fingers zoom, one moves the window."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.journeys.visit import Visit


@pytest.fixture
def small(browser, demonstration):
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    visit = Visit(context.new_page(), demonstration.address)
    yield visit
    assert visit.complaints == []
    context.close()


def test_a_laptop(small):
    page = small.page
    small.open("/")
    case = small.sees()
    canvas = page.get_by_test_id("canvas-gradcam")
    before = canvas.bounding_box()["width"]
    small.press("s")
    page.wait_for_function(
        "before => [...document.querySelectorAll('*')].some(node => node.shadowRoot?.querySelector("
        "'[data-testid=canvas-gradcam]')?.getBoundingClientRect().width > before + 30)",
        arg=before,
    )
    small.press("n")
    after = small.sees()
    assert after != case
    small.press("s")
    expect(page.get_by_test_id("case-list")).to_be_visible()
    small.back()
    small.sees(*case)
    for name in ("Distributions", "Selection", "Upload", "Review", "Overview", "Methods", "Compare"):
        small.go_to(name)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth + 1"), name
    small.sees(*case)

    # At 200 % zoom (half the width) nothing runs off the side
    page.set_viewport_size({"width": 683, "height": 384})
    for name in ("", "distributions", "selection", "overview", "methods"):
        small.open(f"/{name}")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth + 1"), name


def test_a_tablet(browser, demonstration):
    context = browser.new_context(viewport={"width": 1180, "height": 820}, has_touch=True)
    visit = Visit(context.new_page(), demonstration.address)
    page = visit.page
    visit.open("/")
    case = visit.sees()
    canvas = page.get_by_test_id("canvas-expert")
    box = canvas.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    touch = context.new_cdp_session(page)

    def fingers(kind, *points):
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]},
        )

    def spread(apart):
        return [(middle[0] - apart, middle[1]), (middle[0] + apart, middle[1])]

    fingers("touchStart", *spread(20))
    for apart in (30, 40, 50, 60):
        fingers("touchMove", *spread(apart))
    fingers("touchEnd")
    # It is drawn with the next frame, which may be that of a finger's earlier step
    expect(canvas).to_have_attribute("data-zoom", re.compile(r"^[23]\."))
    status = page.get_by_test_id("view-status")
    expect(status).to_contain_text("W 256")
    page.get_by_test_id("window").tap()
    fingers("touchStart", middle)
    for step in (10, 20, 30):
        fingers("touchMove", (middle[0] + step, middle[1] - step))
    # A finger that rests before it leaves flings nothing, which the next tap would only stop
    page.evaluate("() => new Promise(rested => setTimeout(rested, 200))")
    fingers("touchMove", (middle[0] + 30, middle[1] - 31))
    fingers("touchEnd")
    expect(status).not_to_contain_text("W 256")
    expect(status).not_to_contain_text("L 128")
    page.get_by_role("button", name="Next").tap()
    expect(page.get_by_test_id("viewer")).not_to_have_attribute("data-image", case[0])
    assert visit.sees() != case
    expect(canvas).to_have_attribute("data-zoom", "1.000")
    assert visit.complaints == []
    context.close()
