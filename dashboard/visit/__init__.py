"""A reader's visit: what they brought outlasts a change of page, a reload and a tab put to sleep, and then is erased.

The shelf of this server keeps it under a token. The session knows the token, and the browser keeps it for its tab, so
that a new session of the same tab finds it again; it stands in no address and no cookie.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit import runtime

from dashboard.component import component
from dashboard.sign_in import reader
from shamsul_core.upload.shelf import Shelf

if TYPE_CHECKING:
    from shamsul_core.upload.upload import Upload

_TOKEN, _BROUGHT, _STATE, _CHANGED = "visit token", "visit brought", "visit state", "visit changed"
_KEY = "visit"

_component = component("shamsul_visit", "visit", "visit.js")


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf[Upload]:
    """Return the one shelf of this server."""
    made: Shelf[Upload] = Shelf(_erase)
    made.sweep_for_ever(also=_end_closed_sessions)
    return made


def _erase(upload: Upload) -> None:
    """Erase what a reader brought, and what Streamlit and matplotlib hold of it beyond any use."""
    image_id = upload.image_id
    upload.erase()
    if runtime.exists():
        _remove_downloads(image_id)
    gc.collect()  # figures that were drawn hold themselves, and the pixels


def _remove_downloads(image_id: str) -> None:
    """Remove the downloads of a radiograph, made or to be made, which Streamlit 1.67 keeps as long as a closed session."""
    manager: Any = runtime.get_instance().media_file_mgr
    with manager._lock:
        files = manager._storage._files_by_id
        for file_id in [file_id for file_id, file in files.items() if image_id in (file.filename or "")]:
            files.pop(file_id, None)
        offered = manager._deferred_callables
        for file_id in [file_id for file_id, file in offered.items() if image_id in (file["filename"] or "")]:
            manager._drop_deferred_id(file_id)


def _end_closed_sessions() -> None:
    """Let go of sessions whose page was closed two minutes ago: Streamlit 1.67 does so only when the next page is closed."""
    if not runtime.exists():
        return
    manager: Any = runtime.get_instance()._session_mgr
    with manager._storage_lock:
        closed = manager._session_storage._cache.expire()
    if closed:
        del closed
        gc.collect()


def note_life() -> None:
    """Note that the reader is there; forget the token of what was erased since."""
    token = st.session_state.get(_TOKEN)
    if token is not None and not shelf().touch(token, reader()):
        del st.session_state[_TOKEN]
        st.session_state[_STATE] = "erased" if st.session_state.pop(_BROUGHT, 0) else ""


def uploads() -> tuple[Upload, ...]:
    """Return what the reader brought and has not removed."""
    token = st.session_state.get(_TOKEN)
    brought = () if token is None else shelf().items(token)
    st.session_state[_BROUGHT] = len(brought)
    return brought


def why_full() -> str:
    """Return why the reader can bring no more, a sentence; empty where they can."""
    return shelf().why_full(st.session_state.get(_TOKEN), reader())


def shelve(upload: Upload) -> None:
    """Keep what the reader brought."""
    token = st.session_state.get(_TOKEN)
    if token is None or not shelf().touch(token, reader()):
        token = st.session_state[_TOKEN] = shelf().open(reader())
    st.session_state[_STATE] = ""
    if not shelf().put(token, upload):
        upload.erase()


def remove(upload: Upload) -> None:
    """Erase what the reader brought, at once."""
    token = st.session_state.get(_TOKEN)
    if token is not None:
        shelf().remove(token, upload)


def was_erased() -> bool:
    """Return whether what the reader brought was erased because they were away for long."""
    return st.session_state.get(_STATE) == "erased"


@st.fragment
def stay_in_touch() -> None:
    """Let the browser keep the token for its tab and say that its reader is there; show the page anew if that tells more."""
    if st.session_state.pop(_CHANGED, False):
        st.rerun()
    token = st.session_state.get(_TOKEN) if uploads() else None
    is_forgotten = token is None and _STATE in st.session_state
    _component(
        key=_KEY,
        data={"token": token, "forget": is_forgotten},
        on_token_change=_come_back,
        on_alive_change=_show_life,
    )


def _come_back() -> None:
    """Take the token that the tab kept from a session before."""
    token = str(st.session_state[_KEY]["token"])
    if shelf().touch(token, reader()):
        st.session_state[_TOKEN] = token
        st.session_state[_STATE] = ""
    else:
        st.session_state[_STATE] = "erased"
    st.session_state[_CHANGED] = True


def _show_life() -> None:
    before = st.session_state.get(_TOKEN)
    note_life()
    st.session_state[_CHANGED] = before != st.session_state.get(_TOKEN)
