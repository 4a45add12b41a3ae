"""The outermost guard: what nobody foresaw is a plain sentence with a number that the server's log has too.

Streamlit hands every exception that a page, a widget's callback or a fragment lets through to one function, which the
server's entry gives it; what a download raises it keeps to itself, so its handler is replaced. Of both the log gets the
traceback, once, under the number that the reader sees.
"""

from __future__ import annotations

import asyncio
import logging
from secrets import randbelow
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, DeferredFileResponsePayload
from streamlit.runtime import app_session
from streamlit.runtime.backend_operation_handler import DeferredFileHandler

from shamsul_core.figures.html.foreign import as_markdown

if TYPE_CHECKING:
    from streamlit.proto.BackMsg_pb2 import BackendOperationRequest

_log = logging.getLogger("shamsul")


def tell_reader(error: Exception) -> bool:
    """Say on the page what went wrong, where it went wrong; return that nothing else need be shown."""
    words = in_words(error, "Something went wrong on this page. Reload it to try again.")
    st.error(as_markdown(words) if _is_foreseen(error) else words)
    return True


def in_words(error: Exception, what: str) -> str:
    """Return the sentence that a foreseen error carries, else `what` with the number under which the log has it."""
    if _is_foreseen(error):
        _log.warning("%s", error)
        return str(error)
    number = f"{randbelow(10**6):06d}"
    _log.error("Unforeseen error %s", number, exc_info=error)
    return (
        f"{what} If it happens again, quote the number **{number}** to whoever runs this server; "
        "the details are in its log."
    )


def take_over() -> None:
    """Let this module speak and log where Streamlit would; call once, before the server answers."""
    logging.getLogger("streamlit.error_util").addFilter(_is_not_a_traceback)
    app_session.DeferredFileHandler = _Downloads


class _Downloads(DeferredFileHandler):
    """Makes what a reader downloads; where that fails, a sentence stands under the button."""

    async def handle(
        self,
        request: BackendOperationRequest,
        session_id: str,
    ) -> BackendOperationResponse:
        """Make the file and return its address, or say why there is none."""
        try:
            make = self._get_media_file_mgr().execute_deferred
            url = await asyncio.to_thread(make, request.deferred_file.file_id)
        except Exception as error:  # noqa: BLE001 - the guard is for whatever nobody foresaw
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
            words = in_words(cause, "This file could not be created.").replace("**", "")
            return BackendOperationResponse(request_id=request.request_id, error_msg=words)
        payload = DeferredFileResponsePayload(url=url)
        return BackendOperationResponse(request_id=request.request_id, deferred_file=payload)


def _is_foreseen(error: Exception) -> bool:
    """Return whether an error's message is the sentence that its reader needs."""
    # Not at the top: a server starts without the database's library
    from dashboard.sign_in import SignInError
    from shamsul_core.cohort import CohortError
    from shamsul_core.reviews import ReviewsError
    from shamsul_core.run import RunError

    return isinstance(error, (CohortError, RunError, ReviewsError, SignInError))


def _is_not_a_traceback(record: logging.LogRecord) -> bool:
    """Keep what Streamlit logs but the exceptions that the guard logs itself."""
    return record.msg != "Uncaught app execution"
