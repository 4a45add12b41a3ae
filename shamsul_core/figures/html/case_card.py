"""A chosen case as a card on a page."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from shamsul_core.figures.scene.illustrated_case import panel_caption
from shamsul_core.figures.scene.scene import EXPERT
from shamsul_core.figures.scene.still import encode_jpeg, still

if TYPE_CHECKING:
    from shamsul_core.figures.scene.illustrated_case import IllustratedCase
    from shamsul_core.figures.scene.scene import Panel, Scene

CARD_PX = 340
"""Longer side of a card's pictures."""


def case_card(case: IllustratedCase, address: str) -> str:
    """Return a case as HTML: what it is and why, beside the radiograph and every method's picture.

    The heading is a link to the case; `dashboard.cards` makes the whole card lead where it does.
    """
    scene = case.scene
    pictures = "".join(
        _card_picture(scene, panel, is_chosen=panel.key in case.methods) for panel in scene.panels
    )
    location = f"<p>{escape(case.location)}</p>" if case.location else ""
    return (
        f'<article class="case" style="--panels:{len(scene.panels)}">'
        f'<div><h2><a href="{escape(address)}" title="Open in Compare">{escape(scene.pathology)}</a></h2>'
        f'<p>{escape(case.why)}</p><p>{case.prediction}</p>{location}<p class="faint">{escape(scene.image_id)}</p>'
        f'<p class="open" aria-hidden="true">Open in Compare →</p></div>{pictures}</article>'
    )


def _card_picture(scene: Scene, panel: Panel, *, is_chosen: bool) -> str:
    picture = still(scene, panel, CARD_PX)
    height, width = picture.shape[:2]
    data = b64encode(encode_jpeg(picture)).decode()
    spoken = panel.spoken(scene.pathology)
    if panel.key == EXPERT and scene.expert_outlines:
        spoken = f"Radiograph with {scene.contour}, {scene.pathology}"
    text = escape(spoken, quote=True)
    return (
        f'<figure class="{"chosen" if is_chosen else ""}"><img alt="{text}" width="{width}" height="{height}" '
        f'src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{escape(panel_caption(scene, panel))}</figcaption></figure>"
    )
