"""Sign-in with a real OpenID Connect provider: nothing without it, a name on each answer, leads and readers."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard.limits import PAGES_OF_A_READER
from shamsul_core.reviews import Case, Circumstances, Reviews, run_key
from tests.made import image_id
from tests.serving import ROOT, free_port, served, started

PAGES = ["", *sorted(path.stem for path in (ROOT / "pages").glob("*.py"))]
PEOPLE = {
    "lead": {"sub": "1", "email": "Lead@Example.org", "email_verified": True, "name": "A Lead"},
    "ada": {"sub": "2", "email": "ada@example.org", "email_verified": True, "name": "<b>Ada</b>"},
    "impostor": {"sub": "3", "email": "lead@example.org", "email_verified": False},
    "stranger": {"sub": "4", "email": "stranger@example.org", "email_verified": True},
}


@pytest.fixture(scope="module")
def provider():
    """The address of an OpenID Connect provider that knows `PEOPLE` by their keys here."""
    port = free_port()
    people = [f"--user-claims={json.dumps({**claims, 'sub': name})}" for name, claims in PEOPLE.items()]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), *people]
    address = f"http://127.0.0.1:{port}"
    with started(command, f"{address}/.well-known/openid-configuration"):
        yield address


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """The database of these tests, and its address."""
    address = f"sqlite:///{tmp_path_factory.mktemp('reviews')}/reviews.sqlite"
    opened = Reviews(address)
    yield opened, address
    opened.close()


@pytest.fixture(scope="module")
def secrets(provider, reviews, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("secrets") / "secrets.toml"
    path.write_text(
        f"""
        [auth]
        redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
        cookie_secret = "a secret of this test and of nothing else"
        client_id = "shamsul"
        client_secret = "any"
        server_metadata_url = "{provider}/.well-known/openid-configuration"

        [roles]
        leads = ["lead@example.org"]
        readers = ["Ada@example.org", "impostor"]

        [reviews]
        address = "{reviews[1]}"
        """,
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def server(made_run, secrets):
    with served(made_run.folder, options=["--secrets.files", str(secrets)]) as server:
        yield server


def sign_in(page, server, who, path=""):
    page.goto(f"{server.address}/{path}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=who, exact=True).click()


def expect_nothing_but_sign_in(page):
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_text("For research, not for diagnosis")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    for data in ("patient0", "Cardiomegaly", "cohort/val", "IoU", "Grad-CAM"):
        assert data not in page.content()


@pytest.fixture(scope="module")
def fresh(made_run, secrets):
    """A server at which nobody has signed in."""
    with served(made_run.folder, options=["--secrets.files", str(secrets)]) as server:
        yield server


@pytest.mark.parametrize("path", PAGES)
def test_a_fresh_server_shows_nothing_at_any_address_without_sign_in(page, made_run, fresh, path):
    received = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(data)))
    page.goto(f"{fresh.address}/{path}?radiograph={image_id(1)}")
    expect_nothing_but_sign_in(page)
    sent = b"".join(one if isinstance(one, bytes) else one.encode() for one in received)
    assert len(sent) > 100
    for data in (image_id(2).encode(), b"Cardiomegaly", str(made_run.folder).encode()):
        assert data not in sent


def test_a_lead_assigns_a_reader_rates_and_only_the_lead_sees_it(page, browser, server, made_run, reviews):
    stored, key = reviews[0], run_key(made_run.manifest)
    sign_in(page, server, "lead")
    expect(page.get_by_text("Signed in as lead@example.org")).to_be_visible()
    page.get_by_role("link", name="Review").click()
    page.get_by_text("Assign", exact=True).click()
    readers = page.get_by_role("combobox", name="Readers")
    readers.click()
    page.get_by_role("option", name="ada@example.org").click()
    page.keyboard.press("Escape")
    page.get_by_text("From a list", exact=True).click()
    listed = page.get_by_role("textbox", name="One case per line")
    listed.fill(f"{image_id(2)}, Edema\n../../secret, Edema\n{image_id(1)}; Cardiomegaly")
    listed.blur()
    expect(page.get_by_text("Not explained in this run: ../../secret, Edema")).to_be_visible()
    page.get_by_role("button", name="Assign 2 cases to 1 reader").click()
    expect(page.get_by_text("Assigned 2 cases to 1 reader")).to_be_visible()
    assigned = [Case(image_id(2), "Edema"), Case(image_id(1), "Cardiomegaly")]
    assert stored.assigned(key, "ada@example.org") == assigned
    assert stored.worklists(key)["assigned_by"].tolist() == ["lead@example.org"]

    seen = Circumstances(model="made", order=("lime", "shap", "gradcam", "lrp"), is_blinded=True)
    stored.answer(key, "bo@example.org", assigned[0], "comment", "what Bo alone may know", seen)
    ada = browser.new_context().new_page()
    sign_in(ada, server, "ada")
    expect(ada.get_by_text("Signed in as ada@example.org")).to_be_visible()
    ada.get_by_role("link", name="Review").click()
    expect(ada.get_by_text("0 of 2 assigned cases rated")).to_be_visible()
    expect(ada.get_by_text("Edema · assigned case 1 of 2")).to_be_visible()
    expect(ada.locator("[data-testid=canvas-expert][data-zoom]")).to_be_visible()
    expect(ada.get_by_role("textbox", name="Your name")).to_have_count(0)
    for lead_only in ("Results", "Assign", "what Bo alone may know"):
        expect(ada.get_by_text(lead_only, exact=True)).to_have_count(0)
    ada.get_by_text("3 · somewhat").click()
    ada.get_by_role("button", name="Save and show the heatmaps").click()
    for letter in "ABCD":
        rating = ada.get_by_role("radiogroup", name=f"Map {letter}: How medically significant")
        rating.get_by_role("radio", name="4").click()
    expect(ada.get_by_text("1 of 2 assigned cases rated")).to_be_visible()
    assert stored.answers(key, "ada@example.org")["value"].tolist() == ["3", *["4"] * 4]

    page.get_by_text("Results", exact=True).click()
    expect(page.get_by_text("2 readers, 4 heatmap ratings, 4 of them with")).to_be_visible()
    ada.get_by_role("button", name="Sign out").click()
    ada.get_by_role("button", name="End session").click()
    ada.goto(f"{server.address}/review")
    expect_nothing_but_sign_in(ada)
    ada.context.close()


def cookies_of(context):
    return "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())


def test_who_signs_out_is_out_in_every_tab_and_so_is_a_copy_of_the_cookie(
    browser, server, made_run, secrets, reviews
):
    ada, other_browser, copy = (browser.new_context() for _ in range(3))
    page = ada.new_page()
    sign_in(page, server, "ada")
    expect(page.get_by_text("Signed in as ada@example.org")).to_be_visible()
    second = ada.new_page()
    second.goto(f"{server.address}/methods")
    expect(second.get_by_text("Signed in as ada@example.org")).to_be_visible()
    elsewhere = other_browser.new_page()
    sign_in(elsewhere, server, "ada")
    expect(elsewhere.get_by_text("Signed in as ada@example.org")).to_be_visible()
    copied, header = ada.cookies(), cookies_of(ada)
    assert status(server, "/_stcore/metrics", cookie=header) == 200

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect_nothing_but_sign_in(second)
    assert status(server, "/_stcore/metrics", cookie=header) == 401
    copy.add_cookies(copied)
    stranger = copy.new_page()
    stranger.goto(f"{server.address}/methods")
    expect_nothing_but_sign_in(stranger)
    elsewhere.reload()
    expect(elsewhere.get_by_text("Signed in as ada@example.org")).to_be_visible()
    with served(made_run.folder, options=["--secrets.files", str(secrets)]) as restarted:
        assert status(restarted, "/_stcore/metrics", cookie=header) == 401
        assert status(restarted, "/_stcore/metrics", cookie=cookies_of(other_browser)) == 200
    assert len(reviews[0].ended_sign_ins()) >= 1

    sign_in(page, server, "ada")
    expect(page.get_by_text("Signed in as ada@example.org")).to_be_visible()
    for context in (ada, other_browser, copy):
        context.close()


def test_a_reader_with_too_many_pages_is_told_so_and_others_are_served(browser, server):
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, server, "ada")
    expect(page.get_by_text("Signed in as ada@example.org")).to_be_visible()
    page.evaluate(
        """(count) => Promise.all(Array.from({ length: count }, () => new Promise((opened) => {
            const socket = new WebSocket(`ws://${location.host}/_stcore/stream`, ["streamlit"]);
            socket.onopen = opened;
        })))""",
        PAGES_OF_A_READER - 1,
    )
    another = context.new_page()
    another.goto(f"{server.address}/methods")
    expect(
        another.get_by_text("You have 20 pages of this dashboard open. Close one, then reload")
    ).to_be_visible()
    bo = browser.new_context()
    other = bo.new_page()
    other.goto(server.address)
    expect_nothing_but_sign_in(other)
    bo.close()
    context.close()


def test_an_email_that_the_provider_did_not_verify_makes_no_lead(page, server):
    sign_in(page, server, "impostor")
    expect(page.get_by_text("Signed in as impostor")).to_be_visible()
    page.get_by_role("link", name="Review").click()
    expect(page.locator("[data-testid=canvas-expert][data-zoom]")).to_be_visible()
    expect(page.get_by_text("Results", exact=True)).to_have_count(0)


def test_who_is_not_among_the_readers_sees_nothing(page, server):
    sign_in(page, server, "stranger")
    expect(page.get_by_text("you do not have access to this dashboard")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    assert "patient0" not in page.content()


def status(server, path, method="GET", cookie=""):
    request = urllib.request.Request(  # noqa: S310 - an address of this machine
        f"{server.address}{path}", method=method, headers={"Cookie": cookie}
    )
    try:
        return urllib.request.urlopen(request).status  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_what_is_no_page_is_closed_too(page, server):
    for path in ("/media/x.png", "/_stcore/metrics", "/%6dedia/x.png"):
        assert status(server, path) == 401, path
    assert status(server, "/media/%2e%2e/x.png") in {400, 401}
    assert status(server, "/_stcore/%75pload_file/a/b", "PUT") == 401
    assert status(server, "/media/x.png", cookie="_streamlit_user=forged") == 401
    assert status(server, "/_stcore/health") == 200
    sign_in(page, server, "ada")
    expect(page.get_by_text("Signed in as ada@example.org")).to_be_visible()
    mine = cookies_of(page.context)
    assert status(server, "/media/x.png", cookie=mine) == 404
    assert status(server, "/_stcore/metrics", cookie=mine) == 200


def test_a_server_that_others_reach_says_that_sign_in_is_off(page, made_run, tmp_path, monkeypatch):
    monkeypatch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path}/reviews.sqlite")
    log, said = tmp_path / "log", "Sign-in is off and this server can be reached by others"
    with served(made_run.folder, options=["--server.address", "0.0.0.0"], log=log) as server:  # noqa: S104
        assert said in log.read_text(encoding="utf-8")
        page.goto(f"{server.address}/methods")
        expect(page.get_by_role("note").filter(has_text=said)).to_be_visible()
