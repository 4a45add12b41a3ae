"""What the page *review* needs of the browser: our own small components, without an iframe and without a build step."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import streamlit as st

from dashboard.component import component, hearing

if TYPE_CHECKING:
    from collections.abc import Callable

_COOKIE = "shamsul_reader"
_name = component("shamsul_name", "review", "name.js")
_sight = component("shamsul_sight", "review", "sight.js")
_hand = component("shamsul_hand", "review", "hand.js")
_cases = component("shamsul_cases", "review", "cases.js")


def name_in_browser() -> str:
    """Return the name that this browser kept when the page was loaded; empty where it kept none."""
    return unquote(st.context.cookies.get(_COOKIE, ""))


def keep_name(name: str) -> None:
    """Let the browser keep a reader's name for 90 days; an empty one is forgotten."""
    _name(key="name", data={"cookie": _COOKIE, "name": name})


def watch_sight(on_change: Callable[[str], None]) -> None:
    """Watch whether the browser shows the page; `on_change` is called with ``hidden`` or ``visible``."""
    _sight(key="sight", on_sight_change=hearing("sight", "sight", on_change))


def let_go() -> None:
    """Take the keyboard away from what was chosen with the mouse, so that no key pressed later changes it."""
    _hand(key="hand")


def show_steps(
    place: int, count: int, *, is_answered: bool, key: str, on_place: Callable[[int], None]
) -> None:
    """Show *previous* and *next*, which N, P, Page Down and Page Up are too.

    Parameters
    ----------
    place, count
        Of the case shown, from 0, and the number of cases.
    is_answered
        Whether the case is done, so that *next* is what is likely to follow.
    on_place
        Called when the reader goes to another case, with its place. Presses in quick succession are one step to the last.
    """
    _cases(
        key=key,
        data={"place": place, "count": count, "is_answered": is_answered},
        on_place_change=hearing(key, "place", on_place),
    )
