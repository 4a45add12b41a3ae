"""Cards of cases: real links, of which a plain click opens the case in the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.component import component

if TYPE_CHECKING:
    from collections.abc import Sequence

_component = component("shamsul_cards", "cards", "../scroll/place.js", "cards.js")


def show(cards: Sequence[str], *, key: str) -> int | None:
    """Show cards one below another; return the place of the one that the reader just opened, ``None`` where none.

    Parameters
    ----------
    cards
        What `shamsul_core.figures.cases.case_card` returned.
    """
    opened = _component(key=key, data=list(cards), on_open_change=lambda: None).open
    is_place = isinstance(opened, int) and not isinstance(opened, bool) and 0 <= opened < len(cards)
    return opened if is_place else None
