"""What a model was trained on, as it stands on a page before any number."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from shamsul_core.classifier.model_card import NEVER_REAL, UNKNOWN

if TYPE_CHECKING:
    from shamsul_core.classifier.model_card import ModelCard

_WARNING = (
    "background:#ffd166;color:#000;border-radius:0.25rem;padding:0.4rem 1rem;font-size:0.875rem;line-height:1.4;"
    "overflow-wrap:anywhere"
)
_NOTE = (
    "padding:4px 10px;color:#ffd166;border-left:3px solid #ffd166;background:#1d1808;overflow-wrap:anywhere"
)
_FACT = (
    "padding:4px 10px;color:#d7dce0;border-left:3px solid #55606a;background:#14171a;overflow-wrap:anywhere"
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
