"""A reader judges in a real browser, comes back and finds what they said; nothing on the page names a method."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from shamsul_core.reviews import Reviews, run_key
from tests.serving import served


@pytest.fixture
def address(tmp_path, monkeypatch):
    address = f"sqlite:///{tmp_path}/reviews.sqlite"
    monkeypatch.setenv("SHAMSUL_REVIEWS", address)
    return address


def sign(page, server, name):
    page.goto(f"{server.address}/review")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text("case 1 of")).to_be_visible(timeout=15_000)
    expect(page.locator("[data-testid='canvas-Map D'][data-zoom]")).to_be_visible(timeout=15_000)


def test_a_reader_rates_comes_back_and_finds_the_rating(page, browser, made_run, address):
    with served(made_run.folder) as server:
        sign(page, server, "Dr <b>Ada</b>")
        page.get_by_text("4 · significant").nth(1).click()
        page.get_by_role("textbox", name="Comment").fill("<script>alert(1)</script> **bold** $x$")
        page.get_by_role("textbox", name="Comment").blur()
        stored = Reviews(address)
        key = run_key(made_run.manifest)
        page.wait_for_function("() => true")
        expect(page.get_by_role("textbox", name="Comment")).to_have_value(
            "<script>alert(1)</script> **bold** $x$"
        )
        for _ in range(100):
            if stored.count(key) == 2:
                break
            page.wait_for_timeout(100)
        assert sorted(stored.answers(key)["value"]) == ["4", "<script>alert(1)</script> **bold** $x$"]
        stored.close()
        content = page.content().lower()
        for told in ("lime", "shap", "grad-cam", "gradcam", "lrp"):
            assert told not in content.replace("shamsul", ""), told
        again = browser.new_context().new_page()
        sign(again, server, "Dr <b>Ada</b>")
        expect(again.get_by_role("radio", name="4 · significant").nth(1)).to_be_checked()
        expect(again.get_by_role("textbox", name="Comment")).to_have_value(
            "<script>alert(1)</script> **bold** $x$"
        )
        again.get_by_text("Results", exact=True).click()
        expect(again.get_by_text("1 reader, 1 ratings of maps")).to_be_visible(timeout=15_000)
        again.context.close()


def test_a_database_that_cannot_be_used_is_a_sentence(page, made_run, monkeypatch):
    monkeypatch.setenv("SHAMSUL_REVIEWS", "sqlite:////proc/none/reviews.sqlite")
    with served(made_run.folder) as server:
        page.goto(f"{server.address}/review")
        expect(page.get_by_text("cannot be used")).to_be_visible(timeout=15_000)
        expect(page.get_by_text("Traceback")).to_have_count(0)
