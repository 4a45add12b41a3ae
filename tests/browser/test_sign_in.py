"""Sign-in with a real OpenID Connect provider: nothing without it, a name on each answer, leads and readers."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from shamsul_core.reviews import Case, Reviews, run_key
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


@pytest.fixture
def secrets(provider, tmp_path) -> Path:
    path = tmp_path / "secrets.toml"
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
        address = "sqlite:///{tmp_path}/reviews.sqlite"
        """,
        encoding="utf-8",
    )
    return path


@contextmanager
def protected(run, secrets):
    with served(run.folder, options=["--secrets.files", str(secrets)]) as server:
        yield server


def sign_in(page, server, who, path=""):
    page.goto(f"{server.address}/{path}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=who, exact=True).click()


def expect_nothing_but_sign_in(page):
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("For research, not for diagnosis")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    for data in ("patient0", "Cardiomegaly", "cohort/val", "IoU", "Grad-CAM"):
        assert data not in page.content()


@pytest.mark.parametrize("path", PAGES)
def test_a_fresh_server_shows_nothing_at_any_address_without_sign_in(page, made_run, secrets, path):
    received = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(data)))
    with protected(made_run, secrets) as server:
        page.goto(f"{server.address}/{path}?radiograph={image_id(1)}")
        expect_nothing_but_sign_in(page)
    sent = b"".join(one if isinstance(one, bytes) else one.encode() for one in received)
    for data in (image_id(2).encode(), b"Cardiomegaly", str(made_run.folder).encode()):
        assert data not in sent


def test_a_reader_signs_in_reviews_under_their_name_and_signs_out(page, made_run, secrets, tmp_path):
    stored = Reviews(f"sqlite:///{tmp_path}/reviews.sqlite")
    key = run_key(made_run.manifest)
    stored.answer(key, "bo@example.org", Case(image_id(1), "Edema"), "comment", "what Bo alone may know")
    with protected(made_run, secrets) as server:
        sign_in(page, server, "ada")
        expect(page.get_by_text("Signed in as ada@example.org")).to_be_visible(timeout=20_000)
        page.get_by_role("link", name="Review").click()
        expect(page.get_by_text("case 1 of")).to_be_visible(timeout=20_000)
        expect(page.get_by_role("textbox", name="Your name")).to_have_count(0)
        for lead_only in ("Results", "Assign"):
            expect(page.get_by_text(lead_only, exact=True)).to_have_count(0)
        assert "what Bo alone may know" not in page.content()
        page.get_by_text("4 · significant").nth(1).click()
        for _ in range(100):
            if stored.count(key) == 2:
                break
            page.wait_for_timeout(100)
        assert stored.answers(key, "ada@example.org")["value"].tolist() == ["4"]
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Yes").or_(page.get_by_role("button", name="Sign in")).first.click()
        page.goto(f"{server.address}/review")
        expect_nothing_but_sign_in(page)
    stored.close()


def test_a_lead_sees_the_results(page, made_run, secrets):
    with protected(made_run, secrets) as server:
        sign_in(page, server, "lead", "review")
        expect(page.get_by_text("Signed in as lead@example.org")).to_be_visible(timeout=20_000)
        page.get_by_role("link", name="Review").click()
        page.get_by_text("Results", exact=True).click()
        expect(page.get_by_text("Nobody has judged a case of this run yet.")).to_be_visible(timeout=20_000)


def test_an_email_that_the_provider_did_not_verify_makes_no_lead(page, made_run, secrets):
    with protected(made_run, secrets) as server:
        sign_in(page, server, "impostor")
        expect(page.get_by_text("Signed in as impostor")).to_be_visible(timeout=20_000)
        page.get_by_role("link", name="Review").click()
        expect(page.get_by_text("case 1 of")).to_be_visible(timeout=20_000)
        expect(page.get_by_text("Results", exact=True)).to_have_count(0)


def test_who_is_not_among_the_readers_sees_nothing(page, made_run, secrets):
    with protected(made_run, secrets) as server:
        sign_in(page, server, "stranger")
        expect(page.get_by_text("this dashboard is not open to you")).to_be_visible(timeout=20_000)
        expect(page.get_by_test_id("stSidebar")).to_have_count(0)
        assert "patient0" not in page.content()


def test_what_is_no_page_is_closed_too(page, made_run, secrets):
    with protected(made_run, secrets) as server:

        def status(path, method="GET", cookie=""):
            request = urllib.request.Request(  # noqa: S310 - an address of this machine
                f"{server.address}{path}", method=method, headers={"Cookie": cookie}
            )
            try:
                return urllib.request.urlopen(request).status  # noqa: S310
            except urllib.error.HTTPError as error:
                return error.code

        closed = ("/media/x.png", "/_stcore/metrics", "/_stcore/%75pload_file/a/b", "/media/%2e%2e/x.png")
        for path in closed:
            assert status(path) in {400, 401}, path
        assert status("/_stcore/upload_file/a/b", "PUT") == 401
        assert status("/media/x.png", cookie="_streamlit_user=forged") == 401
        assert status("/_stcore/health") == 200
        sign_in(page, server, "ada")
        expect(page.get_by_text("Signed in as ada@example.org")).to_be_visible(timeout=20_000)
        mine = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
        assert status("/media/x.png", cookie=mine) == 404
        assert status("/_stcore/metrics", cookie=mine) == 200


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("[auth\nclient_id = 1", "The secrets file cannot be read"),
        ('[roles]\nleads = ["a@b"]', "has [roles] but no [auth]"),
        ("[auth]", "Nobody can sign in"),
    ],
)
def test_a_secrets_file_that_does_not_say_who_may_enter_lets_nobody_in(page, made_run, tmp_path, written, words):
    path = tmp_path / "secrets.toml"
    path.write_text(written, encoding="utf-8")
    with protected(made_run, path) as server:
        page.goto(f"{server.address}/overview")
        if written == "[auth]":
            page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text(words)).to_be_visible(timeout=20_000)
        expect(page.get_by_test_id("stSidebar")).to_have_count(0)
        assert "cohort/val" not in page.content()
