"""The colours of relevance with their meaning in words."""

from __future__ import annotations

from shamsul_core.figures.scene.display import AS_AT_FIRST

_GREY = 89
"""Under the colours: that of a radiograph of middling brightness."""


def colour_bar() -> str:
    """Return HTML: the colours from against to towards, as they look over a grey radiograph."""
    table = AS_AT_FIRST.colour_map.table.astype(float)
    stops = []
    for *colour, alpha in table[::2]:
        share = AS_AT_FIRST.opacity * alpha / 255
        shades = (round(_GREY * (1 - share) + value * share) for value in colour)
        stops.append(f"rgb({','.join(map(str, shades))})")
    return (
        '<div role="img" aria-label="Colours of relevance: blue is evidence against the pathology, orange is evidence for it, no colour is no relevance" '
        'style="max-width:32rem;font-size:0.875rem">'
        f'<div style="height:14px;background:linear-gradient(90deg,{",".join(stops)})"></div>'
        '<div style="display:flex;justify-content:space-between"><span>against the pathology</span><span>no relevance</span>'
        "<span>for the pathology</span></div></div>"
    )
