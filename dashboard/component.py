"""Components of our own: a folder of small scripts and a style sheet, without an iframe and without a build step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).parent


def component(name: str, folder: str, *scripts: str) -> ComponentRenderer:
    """Return the component whose scripts, and ``<folder>.css`` where it shows something, lie in a folder beside this file.

    The scripts become one module, in this order: Streamlit takes one string, which cannot import its neighbours. The
    last one exports.
    """
    place = _FOLDER / folder
    style = place / f"{folder}.css"
    return st.components.v2.component(
        name,
        js="\n".join((place / script).read_text(encoding="utf-8") for script in scripts),
        css=style.read_text(encoding="utf-8") if style.exists() else None,
    )


def hearing(key: str, name: str, act: Callable[[Any], None] | None) -> Callable[[], None]:
    """Return the callback that hands on what a reader chose in the component of this key, under this name.

    Streamlit may call it after the reader has left the page, with which it forgets the choice: then nothing is done.
    """

    def hear() -> None:
        chosen = st.session_state.get(key, {}).get(name)
        if act is not None and chosen is not None:
            act(chosen)

    return hear
