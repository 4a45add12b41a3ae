"""Who may enter, who leads, and that a secrets file which does not say so lets nobody in."""

from __future__ import annotations

import sys

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboard import sign_in
from tests.serving import ROOT

pytestmark = pytest.mark.slow

ROLES = """
[auth]
cookie_secret = "a secret of this test and of nothing else"

[roles]
leads = ["Lead@Example.org", "uniqueSub"]
readers = ["ada@example.org"]
"""


@pytest.fixture
def secrets(tmp_path):
    """Write the secrets file, which is none before."""
    path, before = tmp_path / "secrets.toml", config.get_option("secrets.files")
    config.set_option("secrets.files", [str(path)])
    st.secrets._reset()
    sign_in.settings.cache_clear()
    yield lambda text: path.write_text(text, encoding="utf-8") and sign_in.settings.cache_clear()
    config.set_option("secrets.files", before)
    st.secrets._reset()
    sign_in.settings.cache_clear()


def person(**claims):
    return sign_in.identity({"is_logged_in": True, **claims})


def test_without_a_secrets_file_nobody_signs_in_and_who_started_the_server_says_who_leads(
    secrets, monkeypatch
):
    assert not sign_in.is_on()
    assert sign_in.may_enter()
    for started, does_lead in ((["app.py"], False), (["app.py", "--run", "a", "b", "--lead"], True)):
        monkeypatch.setattr(sys, "argv", started)
        assert sign_in.is_lead() is does_lead
    assert sign_in.known_as(" Ada@Home ") == "Ada@Home"


def test_an_identity_is_a_verified_email_else_the_subject(secrets):
    secrets("[auth]")
    assert person(sub="7", email="Ada@X.org", email_verified=True) == "ada@x.org"
    assert person(sub="7", email=" Ada@X.org") == "ada@x.org"
    for unverified in (False, "false", "False", None):
        assert person(sub="aB7", email="lead@x.org", email_verified=unverified) == "aB7"
    assert person(sub="7", email="Ada@X.org", email_verified="true") == "ada@x.org"
    assert person() is None
    assert person(sub=" ") is None
    for claims in ({}, {"is_logged_in": False, "sub": "7"}, {"is_logged_in": "yes", "sub": "7"}):
        assert sign_in.identity(claims) is None


def test_only_those_named_enter(secrets, monkeypatch):
    secrets(ROLES)
    assert person(sub="1", email="ADA@example.org") == "ada@example.org"
    assert person(sub="1", email="lead@example.org") == "lead@example.org"
    assert person(sub="uniqueSub") == "uniqueSub"
    assert person(sub="uniquesub") is None
    assert person(sub="1", email="eve@example.org") is None
    assert person(sub="1", email="ada@example.org", email_verified=False) is None
    assert not sign_in.may_enter()
    monkeypatch.setattr(sys, "argv", ["app.py", "--lead"])
    assert not sign_in.is_lead(), "the roles say who leads"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("[auth\nclient_id = 1", "The secrets file cannot be read"),
        ('[roles]\nleads = ["a@b"]', "has [roles] but no [auth]"),
        ('[auth]\ncookie_secret = "..."', "is shorter than 32 characters or a placeholder"),
        ('[auth]\ncookie_secret = "hospital2026"', "cookie_secret in the secrets file is shorter"),
        (f'[auth]\ncookie_secret = "{"x" * 64}"', "or a placeholder"),
        ("[auth]", "For research, not for diagnosis."),
    ],
)
def test_a_secrets_file_that_does_not_say_who_may_enter_lets_nobody_in(
    secrets, made_run, monkeypatch, written, words
):
    secrets(written)
    monkeypatch.setattr(sys, "argv", ["app.py", "--run", str(made_run.folder)])
    for page in (ROOT / "pages").glob("*.py"):
        shown = AppTest.from_file(page, default_timeout=60).run()
        said = [one.value for kind in (shown.error, shown.markdown) for one in kind]
        assert len(said) == 1
        assert words in said[0]
        assert not shown.exception
        assert not shown.sidebar.children
        assert [button.label for button in shown.button] == ["Sign in"] * (written == "[auth]")


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        *[(one, False) for one in ("127.0.0.1", "127.8.0.1", "::1", "localhost", "unix:///run/s")],
        *[(one, True) for one in (None, "", "0.0.0.0", "::", "10.0.0.5", "example.org")],  # noqa: S104
    ],
)
def test_an_address_that_others_reach_is_open(monkeypatch, address, is_open):
    monkeypatch.setattr(sign_in.st, "get_option", lambda _: address)
    assert sign_in.is_open() == is_open
