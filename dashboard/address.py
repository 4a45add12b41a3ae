"""The view lives in the browser's address, so that it can be sent to a colleague."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Sequence


def choice_in_address(key: str, options: Sequence[str], otherwise: str, among: str = "in this run") -> None:
    """Prepare a widget's state from the address; call before the widget, which takes the same `key`.

    What the reader chose stays; on the first visit the address decides, and where it names nothing that is there,
    one sentence says so and `otherwise` is shown.
    """
    if st.session_state.get(key) in options:
        return
    asked = st.query_params.get(key)
    if asked is not None and asked not in options:
        st.warning(
            f"The address asks for `{_plain(asked)}`, which is not {among}. Showing {otherwise} instead."
        )
    st.session_state[key] = asked if asked in options else otherwise


def write_to_address(*keys: str) -> None:
    """Bring the chosen values to the address; call after the widgets."""
    for key in keys:
        if st.query_params.get(key) != st.session_state[key]:
            st.query_params[key] = st.session_state[key]


def _plain(text: str) -> str:
    """Return foreign text so that it cannot leave the backticks it stands in."""
    return text.replace("`", "").replace("\n", " ")[:80]
