"""A reader's visit: goes from page to page as a reader does, and at each step asks whether everything speaks of one case."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

# What each part of compare says, by part; components stand in shadow roots.
_SAID = """() => {
    const all = (selector, root = document) => [...root.querySelectorAll(selector),
        ...[...root.querySelectorAll('*')].filter(node => node.shadowRoot).flatMap(node => all(selector, node.shadowRoot))];
    const first = (selector) => all(selector)[0];
    const text = (selector) => first(selector)?.textContent.trim() ?? null;
    const query = new URLSearchParams(location.search);
    const viewer = first('[data-testid=viewer]');
    const fixed = first('[data-testid=threshold]')?.value === 'fixed';
    const readings = Object.fromEntries(all('[data-testid^=metric-][data-testid$=-iou]').map(
        (node) => [node.dataset.testid.slice(7, -4), node.textContent]));
    const chosen = all('tr[data-pathology]').find((row) => row.querySelector('[aria-checked=true]'));
    return {
        isBusy: viewer?.getAttribute('aria-busy') !== 'false'
            || first('[data-testid=stApp]')?.dataset.testScriptState !== 'notRunning',
        address: [query.get('radiograph'), query.get('pathology')],
        picture: [viewer?.dataset.image ?? null, viewer?.dataset.pathology ?? null],
        header: [text('[data-testid=facts] div:first-child dt'), text('[data-testid=facts] div:first-child dd')],
        row: first('[data-testid=case-list] [aria-selected=true]')?.title ?? null,
        table: chosen?.dataset.pathology ?? null,
        readings: fixed ? null : readings,
        cells: chosen ? [...chosen.querySelectorAll('td')].slice(1).map((cell) => cell.textContent.replace('◉', '')) : [],
        title: document.title,
    };
}"""
_AGREES = f"""([radiograph, pathology, isListed]) => {{
    const said = ({_SAID})();
    const isCase = ([image, name]) => image === (radiograph ?? said.address[0]) && name === (pathology ?? said.address[1]);
    const figures = Object.values(said.readings ?? {{}});
    return !said.isBusy && said.address[0] !== null && isCase(said.address) && isCase(said.picture) && isCase(said.header)
        && (!isListed || said.row === said.address[0]) && said.table === said.address[1]
        && figures.every((figure) => said.cells.includes(figure)) && said.title.includes(said.address[0]) ? said : false;
}}"""


@dataclass
class Visit:
    """A tab of a reader's browser.

    Parameters
    ----------
    address
        Of the dashboard.
    complaints
        What went wrong unseen: errors in the browser's console, exceptions, requests to other hosts.
    """

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        host = urlsplit(self.address).netloc
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on(
            "request",
            lambda request: (
                urlsplit(request.url).scheme in {"http", "https", "ws", "wss"}
                and urlsplit(request.url).netloc != host
                and self.complaints.append(f"asked another host: {request.url}")
            ),
        )

    def open(self, path: str = "/") -> None:
        """Open an address of the dashboard, as from a bookmark."""
        self.page.goto(self.address + path)
        self.settle()

    def go_to(self, name: str) -> None:
        """Go to another page by the menu."""
        self.page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
        expect(self.page).to_have_title(f"SHAMSUL · {name}" if name != "Compare" else self.title_of_compare)
        self.settle()

    @property
    def title_of_compare(self) -> re.Pattern[str]:
        """Compare's title names the case."""
        return re.compile("SHAMSUL · Compare · .+")

    def settle(self) -> None:
        """Wait until the server has answered."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        expect(self.page.get_by_test_id("stException")).to_have_count(0)

    def sees(
        self, radiograph: str | None = None, pathology: str | None = None, *, is_listed: bool = True
    ) -> tuple[str, str]:
        """Wait until address, title, header, pictures, list, table and figures speak of the same case; return it."""
        try:
            said = self.page.wait_for_function(
                _AGREES, arg=[radiograph, pathology, is_listed], timeout=60_000
            ).json_value()
        except TooLate as error:
            message = f"wanted {radiograph}, {pathology}; said: {self.page.evaluate(_SAID)}"
            raise AssertionError(message) from error
        return said["address"][0], said["address"][1]

    def query(self) -> dict[str, str]:
        """Return what the address names."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    def back(self) -> None:
        """Go back in the browser's history."""
        self.page.go_back()
        self.settle()

    def press(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)

    def download(self, button: str) -> tuple[str, bytes]:
        """Click a download; return its file's name and content."""
        with self.page.expect_download() as waiting:
            self.page.get_by_role("button", name=button).click()
        return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()
