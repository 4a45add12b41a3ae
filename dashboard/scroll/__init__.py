"""Where a page was scrolled to, kept by the browser's tab, so that coming back to it shows the same place."""

from __future__ import annotations

from dashboard.component import component

_component = component("shamsul_scroll", "scroll", "scroll.js")


def remember(*view: str) -> None:
    """Remember how far the page is scrolled, and scroll there again when its reader comes back; call last on a page.

    Parameters
    ----------
    view
        What the page shows, such as the values of its choices: each view has a place of its own.
    """
    _component(key="scroll", data=list(view))
