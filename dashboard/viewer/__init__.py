"""The radiograph viewer: our own component, without an iframe and without a build step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.component import component, hearing
from shamsul_core.figures.scene.display import Display

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.components.v2.bidi_component import ComponentResult

_component = component("shamsul_viewer", "viewer", "viewer.js")


def show(
    block: bytes,
    *,
    key: str,
    on_pathology: Callable[[str], None] | None = None,
    on_contour: Callable[[dict[str, Any]], None] | None = None,
) -> ComponentResult:
    """Show a scene as wide as its container, as high as it needs.

    Zoom, window, threshold and choices live in the browser and outlast a rerun with the same `key`.

    Parameters
    ----------
    block
        What `encode_scene` returned.
    key
        The viewer's identity on the page.
    on_pathology
        Called with the pathology that the reader chose.
    on_contour
        Called when the reader drew a contour, where the scene lets them, with ``{"pathology": ..., "points": [x, y, x, y,
        ...]}`` in pixels of the radiograph, points ``None`` to take the last one back.
    """
    return _component(
        key=key,
        data=block,
        width="stretch",
        height="content",
        on_pathology_change=hearing(key, "pathology", on_pathology),
        on_contour_change=hearing(key, "contour", on_contour),
        on_display_change=lambda: None,
    )


def display(key: str, image_id: str) -> Display:
    """Return how the viewer of this key shows a radiograph, as far as the browser has said."""
    return Display.from_browser(st.session_state.get(key, {}).get("display"), image_id)
