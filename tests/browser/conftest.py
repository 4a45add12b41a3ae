"""A served dashboard and a real browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect, sync_playwright

from tests.browser.find_browser import find_chromium
from tests.serving import served

# How long a page may take to show what is expected, on two cores that do something else beside it
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items):
    """Mark what lies here, so that no module can forget to."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser):
    """A browser's profile, whose cache the tests share: the server's scripts are fetched and compiled once."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A tab of a reader who was never here before."""
    yield context.new_page()
    for page in context.pages:
        with suppress(Error):  # of a page that is no server's, which keeps nothing
            page.evaluate("() => localStorage.clear()")
        page.close()
    context.clear_cookies()
    context.clear_permissions()


@pytest.fixture(scope="session")
def dashboard(made_run):
    """The dashboard on `made_run`: an address and the server's process id."""
    with served(made_run.folder) as server:
        yield server
