"""Which sign-ins were ended: their cookies, copied or not, open nothing any more, and pages that are open with them close.

Streamlit's sign-in is a signed cookie that is good for 30 days whatever its reader does; signing out only asks the browser
to forget it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.url_util import make_url_path
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from dashboard.sign_in import SignInError, is_on

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("shamsul")

_SIGN_OUT = "/auth/logout"
_AGAIN_S = 30.0
"""How long a database that was not there is not asked again."""

_LEAVING_S = 3.0
"""How long the page on which the reader signed out has to go to the provider by itself; nothing is heard of it or told to it."""


class SignedOutNowhere:
    """Takes the cookies of ended sign-ins from all requests, and ends the sign-in of whoever signs out.

    What ended is kept in memory and in the reviews' database, so that a restart does not forget it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._ended: set[str] = set()
        self._open: set[_Page] = set()
        self._is_read = False
        self._not_before = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, without the cookies of a sign-in that was ended."""
        marks = _marks(scope) if scope["type"] in ("http", "websocket") else frozenset()
        if marks:
            await self._read()
            if marks & self._ended:
                _take_cookies(scope)
                marks = frozenset()
        if marks and scope["type"] == "http" and scope["path"].endswith(_SIGN_OUT):
            await self._end(marks)
        if marks and scope["type"] == "websocket":
            page = _Page(marks, receive, send)
            self._open.add(page)
            try:
                await self._app(scope, page.receive, page.send)
            finally:
                self._open.discard(page)
        else:
            await self._app(scope, receive, send)

    async def _end(self, marks: frozenset[str]) -> None:
        self._ended |= marks
        for page in self._open:
            if page.marks & marks:
                page.is_ended.set()
        try:
            await asyncio.to_thread(_store, marks)
        except _unavailable() as error:
            _log.error("Who signed out is forgotten when the server restarts. %s", error)

    async def _read(self) -> None:
        """Read once what ended before this server was started."""
        if self._is_read or time.monotonic() < self._not_before:
            return
        try:
            self._ended |= await asyncio.to_thread(_stored)
            self._is_read = True
        except _unavailable() as error:
            self._not_before = time.monotonic() + _AGAIN_S
            _log.error("It is not known who signed out before the server was started. %s", error)


class _Page:
    """An open page's connection, which ends with its sign-in."""

    def __init__(self, marks: frozenset[str], receive: Receive, send: Send) -> None:
        self.marks = marks
        self.is_ended = asyncio.Event()
        self._receive, self._send = receive, send

    async def receive(self) -> Message:
        """Return what the browser says next, or that it is gone."""
        saying = asyncio.ensure_future(self._receive())
        ending = asyncio.ensure_future(self.is_ended.wait())
        try:
            await asyncio.wait({saying, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not self.is_ended.is_set():
                return saying.result()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LEAVING_S):
                    while (await saying)["type"] != "websocket.disconnect":
                        saying = asyncio.ensure_future(self._receive())
                    return saying.result()
            # Streamlit's page would reconnect and go on showing what it shows until it is touched
            await self._send({"type": "websocket.send", "bytes": _go_to_start()})
            await self._send({"type": "websocket.close", "code": 1008})
            return {"type": "websocket.disconnect", "code": 1008}
        finally:
            ending.cancel()
            saying.cancel()

    async def send(self, message: Message) -> None:
        """Send on, unless it ended: then as if the browser were gone."""
        if self.is_ended.is_set():
            raise OSError
        await self._send(message)


def _go_to_start() -> bytes:
    message = ForwardMsg()
    message.auth_redirect.url = make_url_path(config.get_option("server.baseUrlPath"), "")
    return bytes(message.SerializeToString())


def _marks(scope: Scope) -> frozenset[str]:
    """Return what is remembered of each cookie of a sign-in that this server signed.

    Of what is signed alone: a signature can be written in more than one way.
    """
    try:
        if not is_on():
            return frozenset()
    except SignInError:
        return frozenset()
    signed = {
        name: value.encode("latin-1", "replace")
        for name, value in HTTPConnection(scope).cookies.items()
        if name.startswith(USER_COOKIE_NAME)  # in one piece or several, and the provider's tokens
    }
    return frozenset(
        hashlib.sha256(name.encode() + b"=" + value.rpartition(b".")[0]).hexdigest()
        for name, value in signed.items()
        if decode_signed_value(get_cookie_secret(), name, value) is not None
    )


def _take_cookies(scope: Scope) -> None:
    headers = MutableHeaders(scope=scope)
    kept = [
        cookie
        for line in headers.getlist("cookie")
        for cookie in line.split(";")
        if not cookie.strip().startswith(USER_COOKIE_NAME)
    ]
    del headers["cookie"]
    if kept:
        headers["cookie"] = ";".join(kept)
    scope["headers"] = headers.raw


# In a thread, and not at the top: a server starts without the database's library


def _store(marks: frozenset[str]) -> None:
    from dashboard.readers import opened_reviews

    opened_reviews().end_sign_ins(marks)


def _stored() -> frozenset[str]:
    from dashboard.readers import opened_reviews

    return opened_reviews().ended_sign_ins()


def _unavailable() -> type[Exception]:
    from shamsul_core.reviews import ReviewsError

    return ReviewsError
