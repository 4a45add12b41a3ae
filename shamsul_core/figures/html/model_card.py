"""What a model was trained on, as it stands on a page before any number."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from shamsul_core.classifier.model_card import NEVER_REAL, UNKNOWN
from shamsul_core.figures.colours import BLACK, FAINT, SURFACE, TEXT, WARNING, WARNING_SURFACE

if TYPE_CHECKING:
    from shamsul_core.classifier.model_card import ModelCard

_WARNING = (
    f"background:{WARNING};color:{BLACK};border-radius:0.25rem;padding:0.4rem 1rem;font-size:0.875rem;line-height:1.4;"
    "overflow-wrap:anywhere"
)
_NOTE = f"padding:4px 10px;color:{WARNING};border-left:3px solid {WARNING};background:{WARNING_SURFACE};overflow-wrap:anywhere"
_FACT = (
    f"padding:4px 10px;color:{TEXT};border-left:3px solid {FAINT};background:{SURFACE};overflow-wrap:anywhere"
)


def model_card_html(card: ModelCard | None, model: str) -> str:
    """Return HTML: what a model was trained on and what it is not for; a banner where it never saw a real radiograph.

    Parameters
    ----------
    card
        ``None`` where nothing is known.
    model
        What the model is called.
    """
    if card is None:
        return _framed(_NOTE, f"<b>{escape(model)}.</b> {UNKNOWN}")
    if not card.is_simulated:
        return _framed(_FACT, f"<b>{escape(model)}.</b> {_facts(card)}")
    return _framed(
        _WARNING,
        f'<span style="font-size:1.3rem;font-weight:700;padding-right:0.5rem">{NEVER_REAL}</span> '
        "Its output for a real one means nothing, however high the probability and however clear the heatmap."
        f"<div><b>{escape(model)}.</b> {_facts(card)}</div>",
    )


def _facts(card: ModelCard) -> str:
    facts = [f"Trained on: {card.trained_on}"] + ([f"Not for: {card.not_for}"] if card.not_for else [])
    return " ".join(f"{escape(fact.rstrip('.'))}." for fact in facts)


def _framed(style: str, content: str) -> str:
    return f'<div role="note" aria-label="Model card" style="{style}">{content}</div>'
