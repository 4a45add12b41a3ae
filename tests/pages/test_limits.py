"""How much a reader, a page and all together may take of the server, and what is said to who wants more."""

from __future__ import annotations

import asyncio

import pytest

from dashboard import limits
from dashboard.limits import FILES_IN_ALL, PAGES_IN_ALL, PAGES_OF_A_READER, NotTooMany


class Server:
    """An application whose requests last until the test lets them end."""

    def __init__(self, monkeypatch):
        self.end, self.reached = asyncio.Event(), 0
        self.gate = NotTooMany(
            self.app, pages_in_all=5, pages_of_a_reader=2, files_of_a_page=3, files_in_all=4
        )
        self.running = []
        monkeypatch.setattr(limits, "_reader", lambda scope: scope["reader"])

    async def app(self, scope, receive, send):
        self.reached += 1
        await self.end.wait()

    async def ask(self, **scope):
        """Ask, and return what was answered; nothing where the request goes on."""
        sent = []

        async def send(message):
            sent.append(message)

        asked = {"reader": None, "headers": [], "path": "/", "method": "GET", **scope}
        self.running.append(asyncio.ensure_future(self.gate(asked, None, send)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return [one.get("status") or one.get("code") or one["body"].decode() for one in sent]

    async def page(self, reader=None):
        return await self.ask(type="websocket", path="/_stcore/stream", reader=reader)

    async def html(self, reader=None):
        return await self.ask(type="http", reader=reader, headers=[(b"accept", b"text/html,*/*;q=0.8")])

    async def file(self, page):
        return await self.ask(type="http", method="PUT", path=f"/_stcore/upload_file/{page}/1")


def test_a_hospital_behind_one_address_is_served():
    assert PAGES_IN_ALL >= 50 * 5
    assert PAGES_OF_A_READER >= 10
    assert FILES_IN_ALL >= 20


def test_a_signed_in_reader_has_so_many_pages_and_others_theirs(monkeypatch):
    async def story():
        server = Server(monkeypatch)
        assert await server.page("ada") == await server.page("ada") == []
        assert await server.page("ada") == [1013]
        assert await server.html("ada") == [
            503,
            "You have 2 pages of this dashboard open. Close one, then reload this page.",
        ]
        assert await server.page("bo") == []
        server.end.set()
        await asyncio.gather(*server.running)
        server.end.clear()
        assert await server.page("ada") == [], "what was closed counts no more"
        server.end.set()

    asyncio.run(story())


def test_who_is_not_signed_in_shares_what_there_is_in_all(monkeypatch):
    async def story():
        server = Server(monkeypatch)
        assert [await server.page() for _ in range(6)] == [[]] * 5 + [[1013]]
        status, words = await server.html()
        assert status == 503
        assert (
            words == "Too many pages of this dashboard are open on this server. Try again in a few minutes."
        )
        assert await server.ask(type="http", path="/_stcore/health") == [], "what is no page is answered"
        server.end.set()

    asyncio.run(story())


def test_a_page_sends_so_many_files_and_all_pages_so_many(monkeypatch):
    async def story():
        server = Server(monkeypatch)
        assert [await server.file("a") for _ in range(4)] == [[]] * 3 + [
            [429, "Add at most 3 files at a time."]
        ]
        assert await server.file("b") == []
        assert await server.file("b") == [
            429,
            "Too many files are being sent to this server. Try again in a minute.",
        ]
        reached = server.reached
        assert reached == 4, "nothing of what was refused is read"
        server.end.set()
        await asyncio.gather(*server.running)
        assert await server.file("b") == []

    asyncio.run(story())


@pytest.mark.parametrize("kept", [2, 3])
def test_files_that_were_sent_and_not_taken_in_count_too(monkeypatch, kept):
    async def story():
        server = Server(monkeypatch)
        monkeypatch.setattr(limits, "_kept", lambda page: kept)
        assert bool(await server.file("a")) == (kept == 3)
        server.end.set()

    asyncio.run(story())
