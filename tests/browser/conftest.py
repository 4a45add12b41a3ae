"""A served dashboard and a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.find_browser import find_chromium
from tests.serving import served

# How long a page may take to show what is expected, on two cores that do something else beside it
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items):
    """Mark what lies here, so that no module can forget to."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def dashboard(made_run):
    """The dashboard on `made_run`: an address and the server's process id."""
    with served(made_run.folder) as server:
        yield server
