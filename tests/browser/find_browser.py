"""Finds the browser for the tests; as a script, exits 0 if there is one."""

import os
import sys

from playwright.sync_api import sync_playwright


def find_chromium() -> str | None:
    """Return the system's own Chromium; ``None`` leaves it to Playwright's."""
    return next(
        (path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if os.access(path, os.X_OK)),
        None,
    )


if __name__ == "__main__":
    with sync_playwright() as playwright:
        sys.exit(not os.access(find_chromium() or playwright.chromium.executable_path, os.X_OK))
