"""What a session knows of what its reader brought: theirs alone, found again by its tab, and gone when they were away."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from shamsul_core.upload.shelf import KEPT_S, Shelf

pytestmark = pytest.mark.slow


class Brought:
    is_erased = False

    def erase(self):
        self.is_erased = True


def script():
    import streamlit as st

    from dashboard import visit

    visit.note_life()
    st.text(f"{len(visit.uploads())} {visit.was_erased()}")


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def shelf(clock, monkeypatch):
    from dashboard import visit

    made = Shelf(lambda one: one.erase(), clock=lambda: clock[0])
    monkeypatch.setattr(visit, "shelf", lambda: made)
    return made


def session(token):
    opened = AppTest.from_function(script)
    opened.session_state["visit token"] = token
    return opened


def test_every_page_is_a_sign_of_life_and_the_reader_is_told_what_was_erased(shelf, clock):
    token, brought = shelf.open(None), Brought()
    shelf.put(token, brought)
    reading = session(token)
    for _ in range(3):
        assert reading.run().text[0].value == "1 False"
        clock[0] += KEPT_S - 1
        shelf.sweep()
    clock[0] += 2
    shelf.sweep()
    assert brought.is_erased
    assert reading.run().text[0].value == "0 True"


def test_another_session_does_not_see_it(shelf):
    shelf.put(shelf.open(None), Brought())
    assert session("guess").run().text[0].value == "0 False"
    assert AppTest.from_function(script).run().text[0].value == "0 False"
