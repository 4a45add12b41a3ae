"""A crawler: opens every page and every value of every control that it finds there, and says what went wrong."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error
from playwright.sync_api import TimeoutError as TooLate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Page

    Control = dict[str, Any]

READY = "[data-testid=stApp][data-test-script-state=notRunning]"
SLOW_MS = 240_000
_DISCOVERY = Path(__file__).with_name("discovery.js").read_text(encoding="utf-8")
_OF_THE_PAGE = ("data:", "blob:", "about:")
_IN_LOG = re.compile(r"Traceback \(most recent call last\)|Unforeseen error")
_TEXT = "Ada"
_DEPTH = 3


@dataclass
class Crawler:
    """One visit of a served dashboard, by mouse from page to page.

    Attributes
    ----------
    faults
        What went wrong, each with the address and the control at which it did.
    opened
        How often a control of each kind was set.
    """

    page: Page
    address: str
    log: Path
    faults: list[str] = field(default_factory=list)
    opened: dict[str, int] = field(default_factory=dict)
    _where: str = ""
    _seen: set[tuple[str, str, int]] = field(default_factory=set)
    _logged: int = 0

    def __post_init__(self) -> None:
        self.page.add_init_script(_DISCOVERY)
        self.page.on("console", lambda said: said.type == "error" and self._note("console", said.text))
        self.page.on("pageerror", lambda error: self._note("script", str(error)))
        self.page.on("request", lambda request: self._note_other_host(request.url))

    # What went wrong

    def _note(self, kind: str, what: str) -> None:
        self.faults.append(f"{self._where}: {kind}: {' '.join(what.split())[:1000]}")

    def _note_other_host(self, url: str) -> None:
        own = (f"{self.address}/", f"{self.address.replace('http', 'ws', 1)}/")
        if not url.startswith((*own, *_OF_THE_PAGE)):
            self._note("another host is asked", url)

    def look(self) -> None:
        """Note error boxes on the page, and exceptions that its server logged since the last look."""
        for words in self.page.evaluate("crawl.boxes()"):
            self._note("error box", words)
        logged = self.log.read_text(encoding="utf-8", errors="replace")
        new, self._logged = logged[self._logged :], len(logged)
        if _IN_LOG.search(new):
            self._note("log", new[-1000:])

    # What a reader does

    def open(self) -> list[str]:
        """Load the first page and return the names of all that the navigation leads to."""
        self._where = "/"
        self.page.goto(self.address, timeout=SLOW_MS)
        links = self.page.get_by_test_id("stSidebarNavLink")
        links.first.wait_for(timeout=SLOW_MS)
        self.after()
        return [link.inner_text().split("\n")[-1] for link in links.all()]

    def crawl(self, *, only: str | None = None, bring: Callable[[Page], None] | None = None) -> None:
        """Open every page, or `only` one, `bring` it what it needs, and set every control on it, one at a time, to every value."""
        for at, name in enumerate(self.open()):
            if only not in (None, name):
                continue
            self._where = name
            self.page.evaluate("at => crawl.visit(at)", at)
            self.after()
            if bring is not None:
                bring(self.page)
                self.after()
            self._seen = set()
            self._set_all(self.controls(), ())

    def controls(self) -> list[Control]:
        """Return what can be set on the page as it is, once it is drawn."""
        self.page.evaluate("crawl.drawn()")
        return list(self.page.evaluate("crawl.controls()"))

    def after(self) -> None:
        """Wait until the server answered, then look."""
        self.page.wait_for_selector(READY, timeout=SLOW_MS, state="attached")
        self.look()

    def _set_all(self, controls: Sequence[Control], path: tuple[Control, ...]) -> None:
        """Set each control that was not seen yet; `path` are those set before, of which the last showed it."""
        new = [control for control in controls if _key(control) not in self._seen]
        self._seen |= {_key(control) for control in new}
        for control in new:
            self._where = f"{self.page.url.removeprefix(self.address)} {control['kind']} {control['name']!r}"
            self.opened[control["kind"]] = self.opened.get(control["kind"], 0) + 1
            try:
                self._set(control, path)
            except Error as error:
                self._note("cannot be set", str(error))

    def _set(self, control: Control, path: tuple[Control, ...]) -> None:
        if not self._is_there(control):
            for opener in path:  # a rerun may close what is open
                if opener["kind"] in {"popover", "expander"}:
                    self._press(opener)
        deeper = (*path, control)
        match control["kind"]:
            case "tab" | "choice":
                self._choose_all(control, deeper)
            case "select":
                self._pick_all(control)
            case "list":
                for at in sorted({0, control["values"] - 1} - {-1}):
                    self._choose(control, at)
            case "toggle" | "popover" | "expander":
                self._press(control)
                self._look_deeper(deeper)
                self._press(control)
            case "text":
                self._type(control, _TEXT)
                self._look_deeper(deeper)
                self._type(control, "")
            case "slider":
                ends = ("Home", "End")
                for key in ends if self.page.evaluate("crawl.isAtMost", control) else ends[::-1]:
                    self._slide(control, key)
            case "button":
                self._press(control)
                self.page.keyboard.press("Escape")

    def _look_deeper(self, path: tuple[Control, ...]) -> None:
        """Set what came to sight, and be again where it began."""
        if len(path) < _DEPTH:
            where = self._where
            self._set_all(self.controls(), path)
            self._where = where

    def _choose_all(self, control: Control, path: tuple[Control, ...]) -> None:
        others = [at for at in range(control["values"]) if at != control["at"]]
        for at in others:
            self._choose(control, at)
            self._look_deeper(path)
        if others and control["at"] >= 0:
            self._choose(control, control["at"])

    def _pick_all(self, control: Control) -> None:
        """Choose every value of a select, our own or Streamlit's, and the first again."""
        if control["values"]:
            for at in [*range(1, control["values"]), 0]:
                self.page.evaluate_handle("crawl.find", control).as_element().select_option(index=at)
                self.after()
            return
        names = self.page.evaluate("crawl.options", control)
        self.page.keyboard.press("Escape")
        for name in [*names[1:], *names[:1]]:
            self.page.evaluate("([control, name]) => crawl.pick(control, name)", [control, name])
            self.after()

    def _type(self, control: Control, text: str) -> None:
        node = self.page.evaluate_handle("crawl.find", control).as_element()
        if node is not None:
            node.fill(text)
            node.press("Enter")
            self.after()

    def _slide(self, control: Control, key: str) -> None:
        sent = self.page.evaluate("sent")
        node = self.page.evaluate_handle("crawl.find", control).as_element()
        node.focus()
        node.press(key)
        if node.get_attribute("data-testid") is None:  # Streamlit's, which tells its server a moment later
            with suppress(TooLate):  # it was at this end
                self.page.wait_for_function("before => sent > before", arg=sent, timeout=1_000)
        self.after()

    def _press(self, control: Control) -> None:
        self.page.evaluate("crawl.press", control)
        self.after()

    def _choose(self, control: Control, at: int) -> None:
        self.page.evaluate("([control, at]) => crawl.choose(control, at)", [control, at])
        self.after()

    def _is_there(self, control: Control) -> bool:
        return bool(self.page.evaluate("control => crawl.find(control) !== null", control))


def _key(control: Control) -> tuple[str, str, int]:
    return control["kind"], control["name"], control["nth"]
