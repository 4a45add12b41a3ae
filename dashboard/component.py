"""Components of our own: a folder of small scripts and a style sheet, without an iframe and without a build step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).resolve().parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "(.+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)


def component(name: str, folder: str, script: str) -> ComponentRenderer:
    """Return the component that a script in a folder beside this file exports, with ``<folder>.css`` where it shows something."""
    place = _FOLDER / folder
    style = place / f"{folder}.css"
    return st.components.v2.component(
        name,
        js=joined(place / script),
        css=style.read_text(encoding="utf-8") if style.exists() else None,
    )


def joined(script: Path, joined_before: set[Path] | None = None) -> str:
    """Return a script and all that it imports as one module, each script once and after those that it imports.

    Streamlit takes one string, which cannot import its neighbours. The scripts share its scope: what they import keeps its
    name, and no two of them have a name in common.
    """
    joined_before = set() if joined_before is None else joined_before
    joined_before.add(script)
    text = script.read_text(encoding="utf-8")
    neighbours = [(script.parent / name).resolve() for name in _IMPORT.findall(text)]
    before = [joined(neighbour, joined_before) for neighbour in neighbours if neighbour not in joined_before]
    return "\n".join([*before, _EXPORT.sub("", _IMPORT.sub("", text))])


def hearing(key: str, name: str, act: Callable[[Any], None] | None) -> Callable[[], None]:
    """Return the callback that hands on what a reader chose in the component of this key, under this name.

    Streamlit may call it after the reader has left the page, with which it forgets the choice: then nothing is done.
    """

    def hear() -> None:
        chosen = st.session_state.get(key, {}).get(name)
        if act is not None and chosen is not None:
            act(chosen)

    return hear
