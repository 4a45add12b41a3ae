"""How long from the server's start to the first page: ``python -m benchmarks.first_page [RADIOGRAPHS] [REPEATS]``.

With ``demo`` in place of a number it serves the demonstration from a clean clone of what is committed. Else it writes a run of so many radiographs of 2320 × 2828 pixels, four methods and ten pathologies each, with random
heatmaps. It starts the server several times, and measures in a browser on the same machine until the server
answers at all, until it has sent the pictures (the largest message has arrived), and until all five are drawn.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.find_browser import find_chromium
from tests.made import made_pixels, make_cohort, make_run
from tests.serving import ROOT, clean_clone, served


def note(frames: list[tuple[int, float]], data: str | bytes) -> None:
    """Keep when a message arrived, and how long it is."""
    frames.append((len(data), time.perf_counter()))


radiographs, repeats = (*sys.argv[1:], *("100", "5")[len(sys.argv) - 1 :])
with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    checkout, run_folder = ROOT, None
    if radiographs == "demo":
        checkout = clean_clone(Path(folder, "clone"))
    else:
        cohort = make_cohort(Path(folder, "cohort"), int(radiographs), made_pixels(2320, 2828))
        run_folder = make_run(Path(folder, "run"), cohort).folder
    browser = playwright.chromium.launch(
        executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
    )
    answered, sent, drawn = [], [], []
    for _ in range(int(repeats)):
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        frames: list[tuple[int, float]] = []
        page.on(
            "websocket", lambda socket, f=frames: socket.on("framereceived", lambda data, f=f: note(f, data))
        )
        started = time.perf_counter()
        with served(run_folder, checkout) as server:
            answered.append(time.perf_counter() - started)
            page.goto(server.address, wait_until="commit")
            page.wait_for_selector("[data-testid=canvas-lrp][data-zoom]", timeout=60_000)
            drawn.append(time.perf_counter() - started)
            sent.append(max(frames)[1] - started)
        page.close()
    browser.close()
for what, seconds in (("server answers", answered), ("pictures sent", sent), ("first page drawn", drawn)):
    print(f"{what}: median {statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s")
print(f"{radiographs}: {repeats} starts")
