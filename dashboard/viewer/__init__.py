"""The radiograph viewer: our own component, without an iframe and without a build step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import streamlit as st

from shamsul_core.figures.overlay import encode_scene

if TYPE_CHECKING:
    from streamlit.components.v2.bidi_component import ComponentResult

    from shamsul_core.figures.overlay import Scene

_FOLDER = Path(__file__).parent
_SCRIPTS = ("scene.js", "view.js", "layers.js", "elements.js", "viewer.js")
"""One module to the browser: Streamlit takes one string, which cannot import its neighbours. The last one exports."""

_component = st.components.v2.component(
    "shamsul_viewer",
    js="\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    css=(_FOLDER / "viewer.css").read_text(encoding="utf-8"),
)

_encoded: WeakKeyDictionary[Scene, bytes] = WeakKeyDictionary()


def show(scene: Scene, *, key: str) -> ComponentResult:
    """Show a scene as wide as its container, as high as it needs.

    Zoom, window and choices live in the browser and outlast a rerun with the same `key`; nothing comes back.

    Parameters
    ----------
    scene
        Encoded once as long as the same object is shown again, so keep it in a cache.
    key
        The viewer's identity on the page.
    """
    if scene not in _encoded:
        _encoded[scene] = encode_scene(scene)
    return _component(key=key, data=_encoded[scene], width="stretch", height="content")
