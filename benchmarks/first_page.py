"""How long from the server's start to the first page: ``python -m benchmarks.first_page [RADIOGRAPHS] [REPEATS]``.

Writes a run of so many radiographs of 2320 × 2828 pixels, four methods and ten pathologies each, with random
heatmaps, starts the server on it several times, and measures in a browser until the five pictures are drawn.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.find_browser import find_chromium
from tests.made import made_pixels, make_cohort, make_run
from tests.serving import served

radiographs, repeats = (int(one) for one in (*sys.argv[1:], *("100", "5")[len(sys.argv) - 1 :]))
with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    cohort = make_cohort(Path(folder, "cohort"), radiographs, made_pixels(2320, 2828))
    run = make_run(Path(folder, "run"), cohort)
    browser = playwright.chromium.launch(
        executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
    )
    answered, drawn = [], []
    for _ in range(repeats):
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        started = time.perf_counter()
        with served(run.folder) as server:
            answered.append(time.perf_counter() - started)
            page.goto(server.address)
            expect(page.get_by_test_id("canvas-lrp")).to_have_attribute("data-zoom", "1.000", timeout=60_000)
            drawn.append(time.perf_counter() - started)
        page.close()
    browser.close()
for what, seconds in (("server answers", answered), ("first page drawn", drawn)):
    print(f"{what}: median {statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s")
print(f"{radiographs} radiographs, {repeats} starts")
