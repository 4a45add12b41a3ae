"""A reader of a study judges on two days: first the radiograph alone, then the maps; comes back to where they were."""

from __future__ import annotations

from playwright.sync_api import expect

from shamsul_core.reviews import Reviews, run_key
from tests.browser.journeys.visit import Visit
from tests.serving import served


def case_in(visit):
    visit.settle()
    viewer = visit.page.get_by_test_id("viewer")
    expect(viewer).to_have_attribute("aria-busy", "false")
    case = viewer.get_attribute("data-image"), viewer.get_attribute("data-pathology")
    query = visit.query()
    assert (query["radiograph"], query["pathology"]) == case
    return case


def read_alone(visit, words):
    page = visit.page
    expect(page.locator("[data-testid=canvas-expert][data-zoom]")).to_be_visible()
    assert page.locator("[data-testid^='canvas-Map']").count() == 0
    page.get_by_text(words).click()
    page.get_by_role("button", name="Save and show the heatmaps").click()
    expect(page.locator("[data-testid='canvas-Map D'][data-zoom]")).to_be_visible()


def test_two_days_of_a_study(browser, made_run, tmp_path, monkeypatch):
    address = f"sqlite:///{tmp_path}/reviews.sqlite"
    monkeypatch.setenv("SHAMSUL_REVIEWS", address)
    key = run_key(made_run.manifest)
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    with served(made_run.folder) as server:
        visit = Visit(context.new_page(), server.address)
        page = visit.page
        visit.open("/")
        visit.sees()
        visit.go_to("Review")
        page.get_by_role("textbox", name="Your name").fill("Ada")
        visit.press("Enter")
        first = case_in(visit)
        read_alone(visit, "2 · a little")
        ratings = page.get_by_role("radiogroup")
        for letter in "ABCD":
            group = ratings.filter(has=page.get_by_role("radio", name="3")).and_(
                page.get_by_role("radiogroup", name=f"Map {letter}: How medically significant", exact=False)
            )
            group.get_by_role("radio", name="3").click()
            visit.settle()
        visit.press("Escape")
        page.locator("body").press("n")
        page.wait_for_function(
            "first => !location.search.includes(first)", arg=f"{first[0]}&pathology={first[1]}"
        )
        second = case_in(visit)
        assert second != first
        read_alone(visit, "4 · largely")

        # Another page and back, Back through the cases, and nothing is asked twice
        visit.go_to("Methods")
        visit.go_to("Review")
        assert case_in(visit) == second
        expect(page.locator("[data-testid='canvas-Map D'][data-zoom]")).to_be_visible()
        link = page.url
        visit.back()
        visit.back()
        assert case_in(visit) == second
        storage = context.storage_state()
        assert "Ada" not in link
    context.close()

    # The next day: the server was restarted, the browser knows the name, the link opens its case
    reviews = Reviews(address)
    history = reviews.history(key, "Ada")
    assert list(history.query("question == 'trust_before'")["value"]) == ["2", "4"]
    assert len(history.query("question == 'significance'")) == 4
    assert set(history.query("question == 'significance'")["is_blinded"]) == {True}
    reviews.close()
    port = int(link.split(":")[2].split("/")[0])
    with served(made_run.folder, port=port) as server:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, storage_state=storage)
        visit = Visit(context.new_page(), server.address)
        page = visit.page
        page.goto(link)
        assert case_in(visit) == second
        expect(page.get_by_role("textbox", name="Your name")).to_have_value("Ada")
        expect(page.get_by_text("4 · largely")).to_be_visible()
        expect(page.get_by_role("radio", name="2 · a little")).to_have_count(0)
        page.reload()
        assert case_in(visit) == second
        stranger = Visit(browser.new_context().new_page(), server.address)
        stranger.page.goto(link)
        expect(stranger.page.get_by_role("textbox", name="Your name")).to_have_value("")
        expect(stranger.page.get_by_text("Enter your name in the sidebar")).to_be_visible()
        stranger.page.context.close()
        assert visit.complaints == stranger.complaints == []
        context.close()
