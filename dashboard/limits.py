"""How much one reader, one page and all together may take of the server, so that what is left serves the others."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from streamlit import runtime

from dashboard.gate import reader_of
from dashboard.sign_in import SignInError, is_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

PAGES_IN_ALL = 400
"""Pages open at a time; 50 readers behind one address of a hospital open eight each."""

PAGES_OF_A_READER = 20
"""Of one who signed in; who did not cannot be told from others behind the same address."""

FILES_OF_A_PAGE = 20
"""Files that a page sends, or has sent and not yet taken in."""

FILES_IN_ALL = 30
"""Files that are being sent at a time, each of up to 200 MB."""

T = TypeVar("T")

_UPLOADS = "/_stcore/upload_file/"
_TRY_LATER = 1013  # RFC 6455, registered: try again later


class NotTooMany:
    """Answers whoever asks for more than that with a sentence, before anything is read or opened."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        pages_in_all: int = PAGES_IN_ALL,
        pages_of_a_reader: int = PAGES_OF_A_READER,
        files_of_a_page: int = FILES_OF_A_PAGE,
        files_in_all: int = FILES_IN_ALL,
    ) -> None:
        self._app = app
        self._most_pages, self._most_of_reader = pages_in_all, pages_of_a_reader
        self._most_files, self._most_files_in_all = files_of_a_page, files_in_all
        self._pages: Counter[str | None] = Counter()
        self._files: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or say why not."""
        if scope["type"] == "websocket":
            reader = _reader(scope)
            if self._why_no_page(reader):
                await send({"type": "websocket.close", "code": _TRY_LATER})
                return
            with _counted(self._pages, reader):
                await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "PUT" and _UPLOADS in scope["path"]:
            page = scope["path"].partition(_UPLOADS)[2].partition("/")[0]
            if why := self._why_no_file(page):
                await PlainTextResponse(why, status_code=429)(scope, receive, send)
                return
            with _counted(self._files, page):
                await self._app(scope, receive, send)
        elif (
            scope["type"] == "http"
            and "text/html" in Headers(scope=scope).get("accept", "")
            and (why := self._why_no_page(_reader(scope)))
        ):
            await PlainTextResponse(why, status_code=503)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _why_no_page(self, reader: str | None) -> str:
        if reader is not None and self._pages[reader] >= self._most_of_reader:
            return f"You have {self._pages[reader]} pages of this dashboard open. Close one, then reload this page."
        if self._pages.total() >= self._most_pages:
            return "Too many pages of this dashboard are open on this server. Try again in a few minutes."
        return ""

    def _why_no_file(self, page: str) -> str:
        if self._files[page] + _kept(page) >= self._most_files:
            return f"Add at most {self._most_files} files at a time."
        if self._files.total() >= self._most_files_in_all:
            return "Too many files are being sent to this server. Try again in a minute."
        return ""


@contextmanager
def _counted(counter: Counter[T], owner: T) -> Iterator[None]:
    counter[owner] += 1
    try:
        yield
    finally:
        counter[owner] -= 1
        if not counter[owner]:
            del counter[owner]


def _reader(scope: Scope) -> str | None:
    try:
        return reader_of(HTTPConnection(scope).cookies) if is_on() else None
    except SignInError:
        return None


def _kept(page: str) -> int:
    """Return how many files Streamlit keeps of a page that were sent and not taken in."""
    if not runtime.exists():
        return 0
    storage = getattr(runtime.get_instance().uploaded_file_mgr, "file_storage", {})
    return len(storage.get(page, ()))
