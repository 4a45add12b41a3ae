"""What a reader erases, or left a while ago, is gone from the memory of the server and of the process that explains."""

from __future__ import annotations

import base64
import os
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import psutil
import pytest
from playwright.sync_api import TimeoutError as LateError
from playwright.sync_api import expect

from shamsul_core.figures.scene.overlay import picture_of
from shamsul_core.imaging import to_8_bits
from shamsul_core.upload.intake import take_in
from tests.imaging.radiographs import file_of, picture, radiograph
from tests.memory import counted
from tests.serving import ROOT, served

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="another process's memory is read as Linux shows it"
)

SLOW = 240_000
_LENGTH = 24


@pytest.fixture
def server(made_run, small_model, tmp_path, monkeypatch, request):
    """A dashboard whose quarter of an hour is as short as the test says."""
    monkeypatch.setenv("SHAMSUL_MODEL", str(small_model))
    if kept_s := getattr(request, "param", None):
        shorter = f"import shamsul_core.upload.shelf as shelf\nshelf.KEPT_S = {kept_s}\n"
        (tmp_path / "sitecustomize.py").write_text(shorter, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(ROOT))))
    with served(made_run.folder) as server:
        yield server


def marker(dtype):
    """Grain on a slope that stands nowhere else, over the whole range of 8 or of 12 bits."""
    grain = np.random.default_rng(20260).random((420, 380))
    values = 0.3 * grain + np.linspace(0, 0.7, grain.shape[1])
    values[0, :2] = 0, 1
    return np.rint(values * (255 if dtype == np.uint8 else 4095)).astype(dtype)


def traces(name, content):
    """Byte strings from within some content, as it is and in base64, whatever stands before it."""
    places = {f"{name} {part}": content[len(content) * part // 4 :] for part in (1, 2, 3)}
    found = {place: rest[:_LENGTH] for place, rest in places.items()}
    for shift in range(3):
        middle = places[f"{name} 2"][shift:]
        found[f"{name} in base64 {shift}"] = base64.b64encode(middle[:_LENGTH])
    return found


def found(server, wanted):
    """What of it stands in the memory of the server, and of the processes that it started."""
    its = psutil.Process(server.process_id)
    standing = []
    for process in (its, *its.children(recursive=True)):
        try:
            counts = counted(process.pid, wanted)
        except (FileNotFoundError, ProcessLookupError):
            continue
        who = "server" if process is its else "worker"
        standing += [f"{who}: {name}" for name, count in counts.items() if count]
    return set(standing)


def expect_nothing(server, wanted, seconds):
    deadline = time.monotonic() + seconds
    while standing := found(server, wanted):
        assert time.monotonic() < deadline, sorted(standing)
        threading.Event().wait(1)


def explain(page, server, name, content):
    """Bring a file, and give up when there is something to download."""
    page.goto(f"{server.address}/upload")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": content})
    expect(page.get_by_test_id("metric-gradcam-area")).to_be_visible(timeout=SLOW)


def stop_and_download(page):
    with suppress(LateError):  # it may be done by now
        page.get_by_role("button", name="Cancel").click(timeout=2_000)
    expect(page.get_by_text("Rate these heatmaps")).to_be_visible(timeout=SLOW)
    with page.expect_download(timeout=SLOW):
        page.get_by_role("button", name="Download de-identified radiograph").click()
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download(timeout=SLOW):
        page.get_by_role("button", name="PNG", exact=True).click()


def test_nothing_of_a_removed_radiograph_stands_in_any_memory(page, server):
    pixels = marker(np.uint8)
    wanted = traces("pixels", pixels.tobytes()) | traces("inverted", (255 - pixels).tobytes())
    wanted |= traces("shown", picture_of(pixels).jpeg) | traces("saved", picture(pixels))
    explain(page, server, "marked.png", picture(pixels))
    seen = found(server, wanted)
    stop_and_download(page)
    seen |= found(server, wanted)
    assert {"server: pixels 2", "worker: pixels 2", "server: shown 2", "server: saved 2"} <= seen
    page.get_by_role("button", name="Remove this radiograph").click()
    expect(page.get_by_text("Drop a frontal chest radiograph")).to_be_visible(timeout=SLOW)
    expect_nothing(server, wanted, 10)


@pytest.mark.parametrize("server", [30.0], indirect=True)
def test_nothing_of_a_radiograph_whose_tab_was_closed_stands_in_any_memory(browser, server):
    pixels = marker(np.uint16)
    file = file_of(radiograph(pixels))
    taken = take_in("marked.dcm", file).pixels
    grey = to_8_bits(taken)
    wanted = traces("file", file) | traces("pixels", taken.tobytes())
    wanted |= traces("grey", grey.tobytes()) | traces("shown", picture_of(grey).jpeg)
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    explain(page, server, "marked.dcm", file)  # until it is done, the page gives signs of life by itself
    assert {"server: file 2", "server: pixels 2", "server: shown 2"} <= found(server, wanted)
    stop_and_download(page)
    page.context.close()
    expect_nothing(server, wanted, 120)
