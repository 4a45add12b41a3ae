"""The page *Upload* where what explains is not there, or not yet: it says so, and opens by itself when it is."""

from __future__ import annotations

import sys

import pytest
from streamlit.testing.v1 import AppTest

from shamsul_core import extras
from tests.serving import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def page(made_run, monkeypatch, tmp_path):
    """The page of a run whose model is there, and the file in which the installation is said to stand."""
    state = tmp_path / "state"
    monkeypatch.setenv("SHAMSUL_INSTALLING", str(state))
    monkeypatch.setenv("SHAMSUL_MODEL", "untrained")
    monkeypatch.setattr(sys, "argv", ["app.py", "--run", str(made_run.folder)])
    return AppTest.from_file(ROOT / "pages" / "upload.py", default_timeout=60), state


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("installing", "What explains radiographs is still being installed on this server"),
        ("failed", "tries again by stopping it and entering `make run`"),
    ],
)
def test_it_says_how_the_installation_stands_and_opens_when_it_is_done(page, word, says):
    app, state = page
    state.write_text(word, encoding="utf-8")
    app.run()
    assert not app.exception
    assert says in app.info[0].value
    assert not app.get("file_uploader")
    state.unlink()
    app.run()
    assert not app.info
    assert app.get("file_uploader")


def test_without_the_extra_it_names_the_command_that_installs_it(page, monkeypatch):
    app, _ = page
    find = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "torch" else find(name))
    app.run()
    assert "This server only shows finished runs" in app.info[0].value
    assert "pip install" in app.info[0].value
