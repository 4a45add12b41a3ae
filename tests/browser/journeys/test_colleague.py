"""A colleague gets a link, looks around in two tabs, and neither tab moves the other."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.journeys.visit import Visit


def test_a_link_shows_the_colleague_the_same_picture(visit, browser, demonstration, demonstration_run):
    page = visit.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.open("/?radiograph=patient60033_study1_view1_frontal&pathology=Edema&filter_label=positive")
    case = visit.sees("patient60033_study1_view1_frontal", "Edema")
    canvas = page.get_by_test_id("canvas-gradcam")
    canvas.hover()
    page.mouse.wheel(0, -400)
    page.get_by_test_id("level").fill("138")
    page.get_by_test_id("toggle-invert").click()
    page.get_by_test_id("enlarge-gradcam").click()
    expect(page.get_by_test_id("canvas-lrp")).to_be_hidden()
    page.get_by_test_id("link").click()
    expect(page.get_by_test_id("link")).to_have_text("Link copied")
    link = page.evaluate("() => navigator.clipboard.readText()")

    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    theirs = Visit(context.new_page(), demonstration.address)
    theirs.page.goto(link)
    theirs.sees(*case)
    for name, value in {
        "zoom": canvas.get_attribute("data-zoom"),
        "x": canvas.get_attribute("data-x"),
    }.items():
        if name == "zoom":
            expect(theirs.page.get_by_test_id("canvas-gradcam")).to_have_attribute(f"data-{name}", value)
    expect(theirs.page.get_by_test_id("level-text")).to_have_text("0.54")
    expect(theirs.page.get_by_test_id("toggle-invert")).to_be_checked()
    expect(theirs.page.get_by_test_id("canvas-lrp")).to_be_hidden()
    reading = page.get_by_test_id("metric-gradcam-iou").text_content()
    expect(theirs.page.get_by_test_id("metric-gradcam-iou")).to_have_text(reading)
    expect(theirs.page.get_by_test_id("case-list-count")).to_have_text(
        page.get_by_test_id("case-list-count").text_content()
    )

    # The file says and holds what the screen shows
    theirs.page.get_by_role("button", name="Download", exact=True).click()
    name, content = theirs.download("CSV")
    assert b"0.54" in content
    theirs.page.keyboard.press("Escape")

    # The colleague goes on, in a second tab too; the first reader's tab stays
    theirs.press("Escape")
    theirs.press("n")
    moved = theirs.sees()
    assert moved != case
    second = Visit(context.new_page(), demonstration.address)
    second.open("/")
    second.press("n")
    second.sees()
    theirs.sees(*moved)
    theirs.back()
    theirs.sees(*case)
    visit.sees(*case)
    assert theirs.complaints == second.complaints == []
    context.close()


def test_a_link_to_nothing_says_so_and_leads_on(visit):
    visit.open("/?radiograph=patient1&pathology=Edema")
    expect(visit.page.get_by_text("which is not in this run")).to_be_visible()
    case = visit.sees()
    visit.press("n")
    assert visit.sees() != case
    expect(visit.page.get_by_text("which is not in this run")).to_have_count(0)
