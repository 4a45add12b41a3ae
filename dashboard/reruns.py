"""Nothing that a reader did or asked for is lost because their page is made anew meanwhile.

Streamlit 1.67 loses four things when a page's run begins. A widget's callback is broken off wherever it next touches
the session, if the reader has meanwhile done something else, and what it had in hand is gone. Answers that wait to be
sent (where to upload a file, where a download lies) go with the elements of the run before, and the browser waits
without a word. And a run that ends anywhere on the server takes away every file that no session shows at that moment,
another session's too, which only just begins to show it again. And a reader's way to another page is forgotten where
something of the page that they leave asks for a run before the other page's has begun.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from streamlit.runtime import app_session, runtime
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.scriptrunner_utils.script_requests import (
    RerunData,
    ScriptRequests,
    ScriptRequestType,
)
from streamlit.runtime.state.safe_session_state import SafeSessionState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from streamlit.runtime.media_file_storage import MediaFileStorage

_ANSWERS = {"backend_operation_response", "file_urls_response"}
UNUSED_S = 20.0
"""How long a file stays that no page shows: by far longer than a page takes to be made anew."""


def lose_nothing() -> None:
    """Let Streamlit's sessions and server use the classes below; call once, before the server answers."""
    for module, name, ours in (
        (script_runner, "SafeSessionState", UnbrokenCallbacks),
        (script_runner, "ScriptRequests", KeptWays),
        (app_session, "ForwardMsgQueue", AnsweringQueue),
        (runtime, "MediaFileManager", PatientFiles),
    ):
        setattr(module, name, ours)


class UnbrokenCallbacks(SafeSessionState):
    """A session's state, whose changes are answered by callbacks that run to their end before another run begins."""

    def on_script_will_rerun(self, *states: Any, **more: Any) -> None:
        """Take the widgets' new values and run their callbacks, also where another run waits: it brings its own alone."""
        may_break_off = self._yield_callback
        object.__setattr__(self, "_yield_callback", _go_on)
        try:
            super().on_script_will_rerun(*states, **more)
        finally:
            object.__setattr__(self, "_yield_callback", may_break_off)


def _go_on() -> None:
    """Let no other run begin here."""


class KeptWays(ScriptRequests):
    """The runs that a browser asked for, of which one that waits to show another page outlasts what the former page asks.

    Until that run begins the browser names the former page with all that it asks for. Back, Forward and our own links are
    told apart from these; Streamlit's menu is not.
    """

    def _request_rerun_locked(self, new_data: RerunData) -> bool:
        waiting = self._rerun_data if self._state == ScriptRequestType.RERUN else None
        is_taken: bool = super()._request_rerun_locked(new_data)
        if waiting is not None and waiting.is_history_navigation and not new_data.is_history_navigation:
            self._rerun_data = replace(
                self._rerun_data,
                query_string=waiting.query_string,
                page_script_hash=waiting.page_script_hash,
                page_name=waiting.page_name,
                is_history_navigation=True,
            )
        return is_taken


class AnsweringQueue(ForwardMsgQueue):
    """The messages on their way to a browser, of which a new run takes back the page's elements, but no answer."""

    def clear(
        self,
        retain_lifecycle_msgs: bool = False,  # noqa: FBT001, FBT002 - Streamlit's own signature
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        """Clear what the run before wanted to show."""
        waiting: list[ForwardMsg] = self._queue
        super().clear(retain_lifecycle_msgs, fragment_ids_this_run)
        if retain_lifecycle_msgs:
            kept = {id(message) for message in self._queue}
            self._queue += [
                message
                for message in waiting
                if message.WhichOneof("type") in _ANSWERS and id(message) not in kept
            ]


class PatientFiles(MediaFileManager):
    """The files that pages show and offer, each kept until no page has shown it for `UNUSED_S`."""

    def __init__(self, storage: MediaFileStorage) -> None:
        super().__init__(storage)
        self._unused_since: dict[str, float] = {}

    def remove_orphaned_files(self) -> None:
        """Remove what no page has shown for a while."""
        now = monotonic()
        with self._lock:
            unused = self._unused()
            since = {name: self._unused_since.get(name, now) for name in unused}
            old = {name for name in unused if now - since[name] >= UNUSED_S}
            self._unused_since = {name: begun for name, begun in since.items() if name not in old}
            for name in old & self._file_metadata.keys():
                self._delete_file(name)
            for name in old & self._deferred_callables.keys():
                self._drop_deferred_id(name)

    def _unused(self) -> set[str]:
        of_sessions: Iterable[dict[str, str]] = self._files_by_session_and_coord.values()
        every = self._file_metadata.keys() | self._deferred_callables.keys()
        return every.difference(*(files.values() for files in of_sessions))
