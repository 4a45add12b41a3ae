"""What nobody foresaw is a sentence with a number that the log has too, wherever it happens; and no other host is asked."""

from __future__ import annotations

import re
import shutil
import socket
import urllib.error
import urllib.request
from contextlib import nullcontext

import pytest
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from shamsul_core.run import RunError
from tests.browser.crawling import READY
from tests.serving import ROOT, served

SLOW = 240_000
PLANTED = '''
"""The page methods, with faults planted in it."""

import streamlit as st

from dashboard.guard import enter
from shamsul_core.run import RunError

enter()


def fail():
    raise LookupError("planted")


def fail_foreseen():
    raise RunError("scores.parquet: a sentence for the reader")


@st.cache_data
def fail_in_cache():
    fail()


@st.fragment
def part():
    if st.button("in a fragment"):
        fail()


if "cold" in st.query_params:
    fail()
if st.button("in the body"):
    fail()
if st.button("in a cache"):
    fail_in_cache()
if st.button("foreseen"):
    fail_foreseen()
if st.button("stop"):
    st.stop()
if st.button("run again"):
    st.rerun()
st.button("in a callback", on_click=fail)
part()
st.download_button("in a download", fail, "a.txt", on_click="ignore")
st.download_button("foreseen in a download", fail_foreseen, "b.txt", on_click="ignore")
if st.button("another host"):
    st.html("<img alt='' src='https://elsewhere.invalid/image.png'>")
st.text("the end of the page")
'''


@pytest.fixture(scope="module")
def planted(tmp_path_factory, made_run):
    """A server of our dashboard whose page methods fails in every way, and its log."""
    folder = tmp_path_factory.mktemp("planted")
    for name in ("dashboard", "pages", ".streamlit"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("app.py", "main.py"):  # copied too: Streamlit would follow a link to our own pages
        shutil.copy(ROOT / name, folder / name)
    for name in ("shamsul_core", "assets"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "pages" / "methods.py").write_text(PLANTED, encoding="utf-8")
    log = folder / "log"
    with served(made_run.folder, folder, log=log) as server:
        yield server, log


def number_in(text):
    return re.search(r"quote the number (\d{6}) to whoever runs this server", text)[1]


def assert_logged_once(log, number):
    """The log has the traceback, once, under the number that the reader saw."""
    told = log.read_text(encoding="utf-8").split(f"Unforeseen error {number}\n")
    assert len(told) == 2
    assert told[1].startswith("Traceback (most recent call last)")
    assert told[1].split("Unforeseen error")[0].count("LookupError: planted\n") == 1


def test_a_cold_link_to_a_page_that_fails_is_a_sentence_and_the_navigation_works(page, planted):
    """First of the module: the server is fresh, and Streamlit runs the page without main.py."""
    server, log = planted
    page.goto(f"{server.address}/methods?cold=1")
    alert = page.get_by_test_id("stAlert").filter(has_text="Something went wrong on this page.")
    alert.wait_for(timeout=SLOW)
    assert_logged_once(log, number_in(alert.inner_text()))
    assert page.get_by_test_id("stException").count() == 0
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible(timeout=SLOW)


def test_every_place_where_a_page_can_fail(page, planted):
    server, log = planted
    page.goto(f"{server.address}/methods")
    end = page.get_by_text("the end of the page")
    end.wait_for(timeout=SLOW)
    numbers = set()
    for place in ("in the body", "in a cache", "in a callback", "in a fragment"):
        page.get_by_role("button", name=place, exact=True).click()
        alert = page.get_by_test_id("stAlert").filter(has_text="Something went wrong on this page.")
        alert.wait_for(timeout=SLOW)
        number = number_in(alert.inner_text())
        assert_logged_once(log, number)
        assert page.get_by_test_id("stException").count() == 0, place
        assert number not in numbers
        numbers.add(number)
        page.reload()
        end.wait_for(timeout=SLOW)


def test_a_download_that_fails(page, planted):
    server, log = planted
    page.goto(f"{server.address}/methods")
    page.get_by_role("button", name="in a download", exact=True).click(timeout=SLOW)
    told = page.get_by_text("This file could not be created.")
    told.wait_for(timeout=SLOW)
    assert_logged_once(log, number_in(told.inner_text()))
    page.get_by_role("button", name="foreseen in a download").click()
    page.get_by_text("scores.parquet: a sentence for the reader").wait_for(timeout=SLOW)


def test_what_was_foreseen_is_its_own_sentence_and_control_flow_is_no_fault(page, planted):
    server, log = planted
    page.goto(f"{server.address}/methods")
    end = page.get_by_text("the end of the page")
    end.wait_for(timeout=SLOW)
    before = log.read_text(encoding="utf-8")
    page.get_by_role("button", name="foreseen", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_have_text(
        "scores.parquet: a sentence for the reader", timeout=SLOW
    )
    page.reload()
    end.wait_for(timeout=SLOW)
    page.get_by_role("button", name="run again").click()
    expect(page.get_by_test_id("stAlert")).to_have_count(0, timeout=SLOW)
    end.wait_for()
    page.get_by_role("button", name="stop").click()
    expect(end).to_have_count(0, timeout=SLOW)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    logged = log.read_text(encoding="utf-8").removeprefix(before)
    assert "Traceback" not in logged
    assert RunError.__name__ not in logged


def test_the_browser_keeps_a_page_from_asking_another_host(page, planted):
    server, _ = planted
    refused = []
    page.on("console", lambda said: refused.append(said.text))
    page.goto(f"{server.address}/methods")
    page.get_by_role("button", name="another host").click(timeout=SLOW)
    page.locator("img[src*='elsewhere.invalid']").wait_for(state="attached", timeout=SLOW)
    page.wait_for_selector(READY, state="attached")
    assert any("violates the following Content Security Policy" in text for text in refused)


@pytest.mark.parametrize("path", ["", "methods", "_stcore/health", "favicon.png", "nothing/here"])
def test_every_answer_carries_the_policy(planted, path):
    server, _ = planted
    try:
        answer = urllib.request.urlopen(f"{server.address}/{path}")  # noqa: S310 - an address of this machine
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self' ")
        assert policy.endswith("frame-ancestors 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def asked(server, path, **headers):
    """Return the status of an answer to a request with these headers."""
    request = urllib.request.Request(f"{server.address}/{path}", headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - an address of this machine
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("path", ["", "methods", "_stcore/host-config", "media/x.png", "app/static/x"])
def test_nobody_is_answered_who_asks_for_another_name(planted, path):
    """DNS rebinding: a stranger's name leads to this machine, and the browser takes the server for the stranger's."""
    server, _ = planted
    port = server.address.rpartition(":")[2]
    for name in (f"rebound.example:{port}", "127.0.0.1.example", "", "localhost.example", "[::1"):
        assert asked(server, path, Host=name) == 421
    for name in (f"localhost:{port}", "127.0.0.1", f"[::1]:{port}", "192.0.2.7", socket.gethostname()):
        assert asked(server, path, Host=name) != 421
    assert asked(server, "_stcore/health", Host="container:8501") == 200


@pytest.mark.parametrize(
    ("origin", "host", "is_let_in"),
    [
        ("OWN", "OWN", True),
        (None, "OWN", True),
        ("https://elsewhere.example", "OWN", False),
        ("null", "OWN", False),
        ("http://127.0.0.1:1", "OWN", False),
        ("http://rebound.example", "rebound.example", False),
    ],
)
def test_a_websocket_is_opened_to_pages_of_this_server_only(planted, origin, host, is_let_in):
    server, _ = planted
    place = server.address.removeprefix("http://")
    origin = f"http://{place}" if origin == "OWN" else origin
    name = place if host == "OWN" else host
    with (
        nullcontext() if is_let_in else pytest.raises(InvalidStatus, match="403"),
        connect(
            f"ws://{name}/_stcore/stream",
            sock=socket.create_connection(("127.0.0.1", int(place.rpartition(":")[2]))),
            origin=origin,
            subprotocols=["streamlit"],
        ),
    ):
        pass


def test_the_icon_is_a_file_of_ours(page, planted):
    server, _ = planted
    page.goto(f"{server.address}/overview")
    page.get_by_test_id("stMetricValue").first.wait_for(timeout=SLOW)
    icon = page.locator("link[rel*=icon]").get_attribute("href")
    assert icon.startswith("data:image/svg+xml;base64,")
