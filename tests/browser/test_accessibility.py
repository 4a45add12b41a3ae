"""axe-core finds nothing in what is ours, and the keyboard alone reaches everything and shows where it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.crawling import READY
from tests.serving import ROOT, served

FOLDER = Path(__file__).parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SLOW = 240_000
MOST_TABS = 200

STREAMLITS_OWN: dict[str, tuple[str, ...]] = {}
"""By axe's rule, selectors of what is Streamlit's own and not ours to mend, each with why."""

PLACES = {
    "compare": ("", "[data-testid=canvas-lrp][data-zoom]"),
    "compare's filters": ("", "[data-testid=canvas-lrp][data-zoom]"),
    "distributions": ("distributions", ".linked a"),
    "methods compared": ("distributions?figure=methods", "[data-testid=stDataFrame] canvas"),
    "selection": ("selection", "article figure"),
    "selection of two": ("selection?criterion=multilabel", "[data-testid=stSelectbox]"),
    "upload": ("upload", "[data-testid=stMain] [data-testid=stAlert]"),
    "review": ("review", "[data-testid=viewer]"),
    "review's maps": ("review", "[data-testid=viewer]"),
    "review's results": ("review", "[data-testid=viewer]"),
    "review's assigning": ("review", "[data-testid=viewer]"),
    "overview": ("overview", "[data-testid=stImage] img"),
    "the cohort": ("overview?part=Cohort", "[data-testid=stImage] img"),
    "the run": ("overview?part=Run", "table[aria-label=Failures]"),
    "proof": ("proof", "[data-testid=stMain] [data-testid=stAlert]"),
    "methods": ("methods", ".katex"),
}


@pytest.fixture(scope="module")
def server(made_run, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path_factory.mktemp('reviews')}/reviews.sqlite")
        with served(made_run.folder, arguments=["--lead"]) as server:
            yield server


@pytest.fixture(scope="module")
def page(browser):
    """One page for all tests, which each load an address of their own."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(SLOW)
    page.set_default_navigation_timeout(SLOW)
    yield page
    context.close()


def bring_to(page, server, place):
    """Open a place and wait until it is filled."""
    path, ready = PLACES[place]
    page.context.clear_cookies()  # the browser keeps the name of who reviewed last
    page.goto(f"{server.address}/{path}")
    if path == "review":
        page.get_by_role("textbox", name="Your name").fill("Bea" if place == "review's maps" else "Ada")
        page.keyboard.press("Enter")
    page.locator(ready).first.wait_for()
    if place == "compare's filters":
        page.get_by_role("button", name="Filter and sort").click()
        page.get_by_test_id("stPopoverBody").get_by_test_id("stSelectbox").first.wait_for()
    elif place == "review's maps":
        first, comment = page.get_by_text("3 · somewhat").first, page.get_by_role("textbox", name="Comment")
        first.or_(comment).first.wait_for()
        page.wait_for_selector(READY, state="attached")
        if first.is_visible() and not comment.is_visible():
            first.click()
            page.get_by_role("button", name="Save and show the heatmaps").click()
        comment.wait_for()
    elif place.startswith("review's"):
        part = {"review's results": "Results", "review's assigning": "Assign"}[place]
        page.get_by_role("radio", name=part, exact=True).click()
        expect(page.get_by_test_id("viewer")).to_have_count(0)
    page.wait_for_selector(READY, state="attached")


def found_by_axe(page):
    """Return what axe finds that is not Streamlit's own, as rule, selector and markup."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        (rule["id"], str(node["target"]), node["html"][:200])
        for rule in found["violations"]
        for node in rule["nodes"]
        if not any(own in str(node["target"]) for own in STREAMLITS_OWN.get(rule["id"], ()))
    ]


def test_axe_is_here():
    how = "axe-core is not installed: npm ci"
    if not AXE.is_file() and "CI" not in os.environ:
        pytest.skip(how)
    assert AXE.is_file(), how


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed")
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_in_what_is_ours(page, server, place):
    bring_to(page, server, place)
    assert found_by_axe(page) == []


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed")
def test_axe_would_find_it(page, server):
    bring_to(page, server, "methods")
    page.evaluate("document.querySelector('.stHtml').insertAdjacentHTML('beforeend', '<img src=\"data:,\">')")
    assert [rule for rule, _, _ in found_by_axe(page)] == ["image-alt"]


def walk(page):
    """Press Tab until the keyboard left the page; return what it reached, and what of ours did not show it."""
    # From the page's first link on, wherever the last click was
    page.evaluate("document.querySelector('a[href], button').focus()")
    page.evaluate((FOLDER / "focus.js").read_text(encoding="utf-8"))
    expected = page.evaluate("keyboard.expected()")
    reached, unseen = [], []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        step = page.evaluate("keyboard.step()")
        if step["before"] and step["before"]["isOwn"] and not step["before"]["isSeen"]:
            unseen.append(step["before"]["name"])
        if step["name"] is None and reached:
            break
        reached.append(step["name"])
    return reached, [name for name in expected if name not in reached], unseen


@pytest.mark.parametrize("place", ["compare", "review", "review's maps", "selection"])
def test_the_keyboard_reaches_all_that_is_ours_and_is_seen(page, server, place):
    bring_to(page, server, place)
    reached, missed, unseen = walk(page)
    assert missed == []
    assert unseen == []
    if place == "compare":
        assert {"case-list", "toggle-heatmap", "opacity", "colours", "threshold", "canvas-lrp"} <= set(
            reached
        )
        assert any("Filter and sort" in name for name in reached if name)
    if place == "review's maps":
        assert "toggle-heatmap" in reached
    if place.startswith("review"):
        assert "canvas-expert" in reached
        assert any("Next" in name for name in reached if name)


def test_a_case_is_chosen_by_keyboard_alone(page, server):
    bring_to(page, server, "compare")
    viewer = page.get_by_test_id("viewer")
    first = viewer.get_attribute("data-image")
    page.get_by_test_id("case-list").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(viewer).not_to_have_attribute("data-image", first, timeout=SLOW)
