"""How long the pages over a whole cohort take: ``python -m benchmarks.cohort_pages [RADIOGRAPHS]``.

Writes a run of so many small radiographs with made scores, 10 pathologies and four methods each, serves it, and
measures in a browser on the same machine from the address to the finished page, and from a click to the finished page.
The largest message of a page is what the server sent at once.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.browser.find_browser import find_chromium
from tests.made import make_cohort, make_run
from tests.serving import served

DONE = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"""
POINTS = ".js-plotly-plot .main-svg"
CARD = ".case img"


def visit(page: Page, address: str, selector: str) -> float:
    """Return how long a page takes from its address until the selector is there and the script has ended."""
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(selector).first.wait_for(timeout=60_000)
    page.wait_for_function(DONE, timeout=60_000)
    return time.perf_counter() - started


def click(page: Page, name: str, selector: str) -> float:
    """Return how long a choice takes until the script has ended."""
    started = time.perf_counter()
    page.get_by_role("radio", name=name, exact=True).click()
    page.wait_for_function(f"() => !({DONE})()", timeout=60_000)
    page.wait_for_function(DONE, timeout=60_000)
    page.locator(selector).first.wait_for(timeout=60_000)
    return time.perf_counter() - started


radiographs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    cohort = make_cohort(Path(folder, "cohort"), radiographs, marked=LOCALISED_PATHOLOGIES)
    run = make_run(Path(folder, "run"), cohort)
    generator = np.random.default_rng(0)
    scores = run.scores
    marked = scores["expert_area_px"] > 0
    scores["iou"] = np.where(marked, generator.beta(2, 4, len(scores)), np.nan)
    run.write_scores(scores.to_dict("records"), run.segmentation or {})
    browser = playwright.chromium.launch(
        executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
    )
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    sizes: list[int] = [0]
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
    with served(run.folder) as server:
        for name, path, selector, choices in (
            ("distributions", "distributions", POINTS, ["Hit rate", "IoU", "LIME"]),
            ("distributions, full slice", "distributions?slice=full", POINTS, ["IoU by probability"]),
            ("selection", "selection", CARD, ["SHAP", "Worst IoU", "Furthest from the label"]),
            ("methods", "methods", ".katex", []),
        ):
            sizes[:] = [0]
            first, again = (visit(page, f"{server.address}/{path}", selector) for _ in range(2))
            clicks = ", ".join(f"{choice} {click(page, choice, selector):.2f} s" for choice in choices)
            print(
                f"{name}: first {first:.2f} s, again {again:.2f} s, {max(sizes) / 1e6:.2f} MB at most; {clicks}"
            )
    browser.close()
print(f"{radiographs} radiographs, {len(scores)} scores")
