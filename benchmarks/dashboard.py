"""How long a reader waits for the pages, and what they cost: ``python -m benchmarks.dashboard [RADIOGRAPHS] [CHANGES]``.

With ``demo`` in place of a number it serves the demonstration. Else it writes a run of so many radiographs of
2320 × 2828 pixels, four methods and ten pathologies each, with random heatmaps. It measures in a browser on the same
machine: each page from its address to its picture, and by a click on its name in a session that is open; so many changes
of case by the key N and of pathology by a click, from the input to the frame in which all five pictures are drawn; the
largest messages; and the server's memory with ten sessions open that have each looked at five cases.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.find_browser import find_chromium
from tests.made import made_pixels, make_cohort, make_run
from tests.serving import Server, served

PAGES = {
    "compare": "[data-testid=canvas-lrp][data-zoom]",
    "distributions": ".js-plotly-plot .boxlayer, .js-plotly-plot .scatterlayer",
    "selection": ".case img",
    "overview": "table.observations",
    "methods": "text=Known limits",
}
"""Each page's address, and what is there once it is ready."""

SESSIONS = 10

# Resolves with the milliseconds from the input to the frame after that in which the viewer shows something else.
CHANGE = """async ([attribute, act]) => {
    const deep = (root, selector) => root.querySelector(selector) ??
        [...root.querySelectorAll('*')].map((one) => one.shadowRoot && deep(one.shadowRoot, selector)).find(Boolean);
    const viewer = deep(document, '[data-testid=viewer]');
    const frame = () => new Promise(requestAnimationFrame);
    const changed = new Promise((done) => {
        new MutationObserver((_, observer) => { observer.disconnect(); done(); })
            .observe(viewer, { attributes: true, attributeFilter: [attribute] });
    });
    const started = performance.now();
    if (act === 'next') document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', bubbles: true, composed: true }));
    else {
        const rows = [...viewer.querySelectorAll('tr[data-pathology]')];
        const at = rows.findIndex((row) => row.classList.contains('chosen'));
        rows[(at + 1) % rows.length].click();
    }
    await changed;
    await frame();
    await frame();
    return performance.now() - started;
}"""


def opened(browser: Browser, address: str, ready: str, sizes: list[int]) -> tuple[Page, float]:
    """Open a page and return it with the seconds until it is ready; the messages' sizes are added to `sizes`."""
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(ready, timeout=60_000)
    return page, time.perf_counter() - started


def changes(page: Page, attribute: str, act: str, count: int) -> list[float]:
    """Return the milliseconds of so many changes."""
    times = []
    for _ in range(count):
        times.append(page.evaluate(CHANGE, [attribute, act]))
        page.wait_for_timeout(300)  # a reader looks; Streamlit ends its run
    return times


def memory_mb(server: Server) -> float:
    """Return the server's resident memory."""
    status = Path(f"/proc/{server.process_id}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def tell(what: str, times: list[float]) -> None:
    """Print the median, the 95th percentile and the longest."""
    median, high = np.percentile(times, [50, 95])
    print(f"{what}: median {median:.0f} ms, 95th percentile {high:.0f} ms, longest {max(times):.0f} ms")


def main(radiographs: str = "60", changed: str = "50") -> None:
    """Measure and print."""
    count, run_folder = int(changed), None
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        if radiographs != "demo":
            cohort = make_cohort(Path(folder, "cohort"), int(radiographs), made_pixels(2320, 2828))
            run_folder = make_run(Path(folder, "run"), cohort).folder
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        with served(run_folder) as server:
            for name, ready in PAGES.items():
                sizes: list[int] = []
                page, seconds = opened(browser, f"{server.address}/{name}", ready, sizes)
                print(f"page {name}: {seconds:.2f} s, largest message {max(sizes) / 1e6:.2f} MB")
                page.context.close()
            sizes = []
            page, _ = opened(browser, server.address, PAGES["compare"], sizes)
            for name in (*list(PAGES)[1:], "compare"):
                started = time.perf_counter()
                page.get_by_role("link", name=name.capitalize()).click()
                page.wait_for_selector(PAGES[name], timeout=60_000)
                print(f"from a page to {name}: {time.perf_counter() - started:.2f} s")
            print(f"server after the first pages: {memory_mb(server):.0f} MB")
            tell(f"{count} changes of case", changes(page, "data-image", "next", count))
            tell(f"{count} changes of pathology", changes(page, "data-pathology", "click", count))
            print(f"largest message: {max(sizes) / 1e6:.2f} MB")
            page.context.close()
            pages = [opened(browser, server.address, PAGES["compare"], sizes)[0] for _ in range(SESSIONS)]
            for one in pages:
                changes(one, "data-image", "next", 5)
            print(f"server with {SESSIONS} sessions: {memory_mb(server):.0f} MB")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
