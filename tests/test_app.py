"""The server's entry: an upload as Streamlit takes it is never written to the disk."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.applications import Starlette
from starlette.formparsers import MultiPartParser
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit import net_util
from streamlit.web.server.server_util import is_url_from_allowed_origins

_AS_IT_COMES = net_util.get_external_ip
_opened: list[str] | None = None  # an audit hook cannot be taken away again


def _audit(event, arguments):
    if event == "open" and _opened is not None and isinstance(arguments[2], int) and arguments[2] & 3:
        _opened.append(str(arguments[0]))


@pytest.mark.parametrize("is_ours", [True, False])
def test_an_upload_stays_in_memory(monkeypatch, is_ours):
    """Ours, and Starlette as it comes, which shows that the test can tell."""
    global _opened
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1024 * 1024)
    if is_ours:
        sys.modules.pop("app", None)
        import app  # noqa: F401
    sizes = []

    async def take(request):
        async with request.form() as form:
            sizes.append(len(await form["file"].read()))
        return PlainTextResponse("")

    async def put():
        transport = httpx.ASGITransport(Starlette(routes=[Route("/", take, methods=["PUT"])]))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            await client.put("/", files={"file": ("a.png", bytes(8_000_000))})

    sys.addaudithook(_audit)
    _opened = []
    with ThreadPoolExecutor(1) as pool:  # this thread may have a loop already, a browser's
        pool.submit(asyncio.run, put()).result()
    written, _opened = _opened, None
    assert sizes == [8_000_000]
    assert bool(written) != is_ours


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_page_of_another_origin_lets_the_server_ask_nobody(monkeypatch, is_ours):
    """Streamlit as it comes asks a server of Amazon's for this one's address, which shows that the test can tell."""
    asked = []
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda address, **_: asked.append(address))
    monkeypatch.setattr(net_util, "_external_ip", None)
    if is_ours:
        sys.modules.pop("app", None)
        import app  # noqa: F401
    else:
        monkeypatch.setattr(net_util, "get_external_ip", _AS_IT_COMES)
    assert not is_url_from_allowed_origins("https://elsewhere.example")
    assert bool(asked) != is_ours
