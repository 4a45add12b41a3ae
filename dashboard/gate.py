"""What the server answers before any page runs, and what it says of its own openness when it starts."""

from __future__ import annotations

import json
import logging
import socket
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from streamlit import config, net_util
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from dashboard.sign_in import OPEN, SignInError, identity, is_on, is_open, settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("shamsul")

_CLOSED = ("/media/", "/_stcore/upload_file/", "/_stcore/metrics")
"""What Streamlit 1.67 serves to whoever asks: pictures and downloads by their hash, uploads, and the server's figures."""

_POLICY = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
}
"""Content Security Policy Level 3: Streamlit needs scripts and styles inside the page, nothing needs another host, and no
page of another site may hold ours in a frame."""

_HEALTH = "/_stcore/health"


class OwnNamesOnly:
    """Answers only who asks for this server by a name of its own, and opens websockets only to its own pages.

    A site whose name leads to this machine for a moment (DNS rebinding) could otherwise read everything here in its
    visitors' browsers. An address in numbers is nobody's name, so it is always answered. The server's names are
    ``localhost``, the machine's own, ``browser.serverAddress``, and where readers sign in the one that the provider sends
    them back to.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] != _HEALTH and not _asks_for_us(scope):
            refusal = "This server is not known by that name; see docs/deploying.md, Behind a reverse proxy."
            await PlainTextResponse(refusal, status_code=421)(scope, receive, send)
        elif scope["type"] == "websocket" and not (_asks_for_us(scope) and _comes_from_us(scope)):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)


class OwnHostOnly:
    """Forbids every page to ask another host for anything, whatever stands on it, and to be part of another's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on and add the policy to its answer."""

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_POLICY)
            await send(message)

        await self._app(scope, receive, send_with_policy)


class SignedInOnly:
    """Keeps these addresses from whoever did not sign in, where readers must; pages have their own guard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if (
            scope["type"] == "http"
            and any(part in scope["path"] for part in _CLOSED)
            and not _may_pass(scope)
        ):
            await PlainTextResponse("Sign in first.", status_code=401)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def ask_no_other_host() -> None:
    """Keep Streamlit from asking a server of Amazon's under which address this one is known; call before it answers."""
    net_util.get_external_ip = lambda: None


def tell_openness() -> None:
    """Say in the server's log where others may enter without sign-in, or nobody can."""
    try:
        if not is_on() and is_open():
            _log.warning(OPEN)
    except SignInError as error:
        _log.error(error)


def _asks_for_us(scope: Scope) -> bool:
    return _is_own(_hostname(Headers(scope=scope).get("host", "")))


def _comes_from_us(scope: Scope) -> bool:
    """Whether a websocket is opened by a page of this server, or by a program, which names no origin."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None:
        return True
    place = origin.partition("://")[2]
    return place == headers.get("host") or _hostname(place) in _names()


def _hostname(place: str) -> str:
    try:
        return urlsplit(f"//{place}").hostname or ""
    except ValueError:
        return ""


def _is_own(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return name in _names()
    return True


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    named = [config.get_option("browser.serverAddress"), socket.gethostname(), socket.getfqdn()]
    with suppress(SignInError):
        named.append(_hostname(str(settings().get("auth", {}).get("redirect_uri", "")).partition("://")[2]))
    return frozenset({"localhost", *(str(name).lower() for name in named if name)})


def _may_pass(scope: Scope) -> bool:
    try:
        return not is_on() or reader_of(HTTPConnection(scope).cookies) is not None
    except SignInError:
        return False


def reader_of(cookies: dict[str, str]) -> str | None:
    """Return who signed in, by the cookie that Streamlit's sign-in leaves and signs."""

    def signed(name: str) -> bytes | None:
        value = cookies.get(name, "").encode("latin-1", "replace")
        return decode_signed_value(get_cookie_secret(), name, value)

    claims = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    return None if claims is None else identity(json.loads(claims))
