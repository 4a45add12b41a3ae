"""Takes the pictures of every page in this folder: ``python -m docs.screenshots [OUT]``, of the demonstration.

Two sizes, a reading room's monitor and a laptop's. A name after OUT takes that page alone.
"""

import io
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.find_browser import find_chromium
from tests.serving import ROOT, served

SIZES = ((1920, 1080), (1366, 768))
PAGES = {
    "compare": ("", "[data-testid=canvas-lrp][data-zoom]"),
    "distributions": ("distributions", ".js-plotly-plot .boxlayer"),
    "methods-compared": ("distributions?figure=methods", "[data-testid=stDataFrame] canvas"),
    "selection": ("selection", ".case img"),
    "overview": ("overview", "table.observations"),
    "methods": ("methods", "text=Known limits"),
    "upload": ("upload", "text=Rate these heatmaps"),
    "review": ("review", "text=Which heatmap is best?"),
}
"""Address, and what is there once the page is ready."""

UPLOADED = sorted((ROOT / "assets" / "demo" / "cohort").rglob("*.jpg"))[0]

DONE = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


def save(page: Page, path: Path) -> None:
    """Save what is on the screen."""
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=85, method=6)


def main(out: str = "docs", only: str | None = None) -> None:
    """Take and write them."""
    folder = Path(out)
    with tempfile.TemporaryDirectory() as kept, sync_playwright() as playwright:
        os.environ["SHAMSUL_REVIEWS"] = f"sqlite:///{kept}/reviews.sqlite"
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        with served(None) as server:
            for width, height in SIZES:
                page = browser.new_page(viewport={"width": width, "height": height})
                for name, (address, ready) in PAGES.items():
                    if only not in (None, name):
                        continue
                    page.goto(f"{server.address}/{address}")
                    if name == "review":
                        page.get_by_role("textbox", name="Your name").fill(
                            f"Reader {width}"
                        )  # whose first answers are not given yet
                        page.keyboard.press("Enter")
                        page.get_by_text("4 · largely").click()
                        page.get_by_role("button", name="Save and show the heatmaps").click()
                    if name == "upload":
                        page.locator("input[type=file]").set_input_files(UPLOADED)
                    expect(page.locator(ready).first).to_be_visible(timeout=300_000)
                    page.wait_for_function(DONE, timeout=60_000)
                    page.wait_for_load_state("networkidle")
                    save(page, folder / f"{name}-{width}.webp")
                page.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
