"""Cards of cases, each with a link to its case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.component import component

if TYPE_CHECKING:
    from collections.abc import Sequence

_component = component("shamsul_cards", "cards", "cards.js")


def show(cards: Sequence[str], *, key: str) -> None:
    """Show cards one below another; their links open in the session, as all within the dashboard (`dashboard.address`).

    Parameters
    ----------
    cards
        What `shamsul_core.figures.html.case_card.case_card` returned.
    """
    _component(key=key, data=list(cards))
