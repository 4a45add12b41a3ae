"""A reader judges in a real browser, comes back and finds what they said; nothing on the page names a method."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from shamsul_core.reviews import Case, Reviews, run_key
from tests.made import image_id
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
        wait_for_answers(page, address, made_run, 2)
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


def test_an_answer_that_cannot_be_saved_is_said_and_what_was_saved_outlives_the_server(
    page, made_run, address
):
    path = Path(address.removeprefix("sqlite:///"))
    with served(made_run.folder) as server:
        sign(page, server, "Ada")
        page.get_by_text("4 · significant").nth(1).click()
        expect(page.get_by_role("radio", name="4 · significant").nth(1)).to_be_checked()
        wait_for_answers(page, address, made_run, 1)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("ALTER TABLE answer RENAME TO gone")
        page.get_by_text("5 · exactly what matters").nth(2).click()
        expect(page.get_by_text("no such table").first).to_be_visible(timeout=20_000)
        expect(page.get_by_text("Nothing that was saved is lost").first).to_be_visible()
        assert page.get_by_text("Traceback").count() == 0
        holder.execute("ALTER TABLE gone RENAME TO answer")
        holder.close()
        sign(page, server, "Ada")
        expect(page.get_by_role("radio", name="4 · significant").nth(1)).to_be_checked()
        page.get_by_text("5 · exactly what matters").nth(2).click()
        wait_for_answers(page, address, made_run, 2)
    with served(made_run.folder) as server:
        sign(page, server, "Ada")
        expect(page.get_by_role("radio", name="4 · significant").nth(1)).to_be_checked()
        expect(page.get_by_role("radio", name="5 · exactly what matters").nth(2)).to_be_checked()


def wait_for_answers(page, address, run, count):
    stored = Reviews(address)
    for _ in range(100):
        if stored.count(run_key(run.manifest)) == count:
            break
        page.wait_for_timeout(100)
    assert stored.count(run_key(run.manifest)) == count
    stored.close()


def test_what_readers_write_is_text_wherever_it_is_shown(page, made_run, address):
    written = "<img src=x onerror='window.hurt=1'><script>window.hurt=1</script> [x](javascript:window.hurt=1) **b**"
    stored, key = Reviews(address), run_key(made_run.manifest)
    case = Case(image_id(1), "Edema")
    stored.answer(key, written[:60], case, "significance", "3", method="lrp")
    stored.answer(key, written, case, "significance", "4", method="lrp")
    stored.assign(key, [written], [case], by=written)
    stored.close()
    with served(made_run.folder) as server:
        sign(page, server, written[:60])
        for part, there in (("Results", "2 readers, 2 ratings"), ("Assign", "Cases chosen")):
            page.get_by_text(part, exact=True).click()
            expect(page.get_by_text(there)).to_be_visible(timeout=15_000)
            expect(page.locator("[data-testid=stDataFrame] canvas").last).to_be_visible(timeout=15_000)
        page.get_by_role("combobox", name="Readers").click()
        expect(page.get_by_role("option", name=written, exact=True)).to_be_visible()
        page.get_by_role("option", name=written, exact=True).click()
        page.get_by_text("A list", exact=True).click()
        page.get_by_role("textbox", name="One case a line").fill(written)
        page.get_by_role("textbox", name="One case a line").blur()
        expect(page.get_by_text(f"Not explained in this run: {written}")).to_be_visible(timeout=15_000)
        page.goto(f"{server.address}/selection?criterion={quote(written)}")
        expect(page.get_by_text("The address asks for")).to_be_visible(timeout=15_000)
        assert page.evaluate("window.hurt") is None
        assert page.locator("img[src=x], a[href^=javascript]").count() == 0
