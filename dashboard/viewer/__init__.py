"""The viewer: radiograph and heatmaps side by side, zoomed and panned together, all in the browser.

A component of our own on ``st.components.v2``; the server sends it one block of bytes per case and hears nothing back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from shamsul_core.figures.overlay import encode_scene

if TYPE_CHECKING:
    from shamsul_core.figures.overlay import Scene

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "shamsul_viewer",
    html='<div class="viewer"></div>',
    css=(_HERE / "viewer.css").read_text(encoding="utf-8"),
    js=(_HERE / "viewer.js").read_text(encoding="utf-8"),
)


def show(scene: Scene, *, key: str) -> None:
    """Show a scene; zoom, pan, window and overlays survive a change of scene on the same radiograph."""
    _component(data=encode_scene(scene), key=key)
