"""Takes the README's screenshot: ``python -m docs.screenshot RUN OUT.png [QUERY] [WIDTHxHEIGHT]``."""

import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.find_browser import find_chromium
from tests.serving import served

run, out, query, size = (*sys.argv[1:3], *(sys.argv[3:] + ["", "1920x1080"][len(sys.argv[3:]) :]))
width, height = map(int, size.split("x"))
with served(Path(run).resolve()) as server, sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
    )
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(f"{server.address}/?{query}")
    expect(page.locator("canvas[data-zoom]").last).to_be_visible(timeout=30_000)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=out)
    browser.close()
