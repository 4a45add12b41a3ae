"""What decides what a page shows, the address or the reader's own choice, run by run."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard.address import read_interval

LETTERS = ("a", "b", "c")


def page():
    import streamlit as st

    from dashboard import address

    address.begin()
    case = address.choice("case", ("a", "b", "c"), "a", is_step=True)
    kind = address.choice("kind", ("all", "some"), "all")
    search = address.text("search")
    low, high = address.interval("range", 0.0, 1.0)
    st.radio("Kind", ("all", "some"), key="kind")
    st.text_input("Search", key="search")
    st.button("b", on_click=lambda: address.choose(case="b"))
    st.button("clear", on_click=lambda: address.forget("kind", "search", "range"))
    address.write_address()
    st.text(f"{case} {kind} {search} {low:g} {high:g}")


@pytest.fixture
def opened():
    def open_page(**query):
        app = AppTest.from_function(page)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return open_page


def said(app):
    assert not app.exception
    return app.text[0].value


def written(app):
    """What the page tells the browser to name in the address."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def test_the_address_decides_at_first_and_the_reader_after_it(opened):
    app = opened(case="c", kind="some", search="x", range="0.2-0.5")
    assert said(app) == "c some x 0.2 0.5"
    app.button[0].click().run()
    assert said(app) == "b some x 0.2 0.5", "the address of this run is older than the choice"
    app.radio[0].set_value("all").run()
    assert said(app) == "b all x 0.2 0.5"
    data = written(app)
    assert data["choices"] == {"case": "b", "kind": None, "search": "x", "range": "0.2-0.5"}
    assert data["steps"] == ["case"]
    assert not data["isEntering"]


def test_defaults_return_and_need_no_name_but_a_case_does(opened):
    app = opened(kind="some", search="x", range="0-0.5")
    assert written(app)["isEntering"]
    app.button[1].click().run()
    assert said(app) == "a all  0 1"
    assert written(app)["choices"] == {"case": "a", "kind": None, "search": None, "range": None}
    app.radio[0].set_value("some").run()
    assert said(app) == "a some  0 1", "what was cleared is not revived by the next choice"


@given(
    st.one_of(
        st.text(max_size=30), st.sampled_from(["0.9-0.1", "nan-1", "0-inf", "-1-1", "1e9-2e9", "0-0.5-1"])
    )
)
def test_an_address_names_an_interval_within_the_bounds_or_none(asked):
    read = read_interval(asked, 0.0, 1.0)
    assert read is None or 0 <= read[0] <= read[1] <= 1


@given(st.floats(0, 1), st.floats(0, 1))
def test_an_interval_is_read_as_it_is_written(one, other):
    low, high = sorted(float(f"{end:g}") for end in (one, other))
    written = f"{low:g}-{high:g}"
    assert read_interval(written, 0.0, 1.0) == ((low, high) if written.count("-") == 1 else None)


def test_a_name_that_is_not_there_is_said_once_and_stays_text(opened):
    app = opened(case="`*<b>")
    (warning,) = app.warning
    assert warning.value == "The link asks for `*<b>`, which is not in this run."
    app.button[0].click().run()
    assert not app.warning
    assert said(app).startswith("b ")
