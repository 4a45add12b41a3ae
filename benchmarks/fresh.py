"""How long `make run` takes on a fresh machine: ``python -m benchmarks.fresh``.

Clones what is committed into a folder with a space in its name and enters `make run` there, with a pip that has nothing
kept. Measured is the time until the server answers, until its first page has been sent whole over its websocket, and
until the page *Upload* takes a radiograph, without a restart. Ends with 1 where one never comes.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from websockets.asyncio.client import connect

from benchmarks.load import Session
from tests.serving import clean_clone, free_port

_LONGEST_S = 3600


def answers(address: str) -> bool:
    """Return whether a server answers with a page."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - an address of this machine
            return bool(answer.status == 200)
    except OSError:
        return False


async def widgets(address: str, page: str) -> list[tuple[str, str, str]]:
    """Return the widgets of a page that has been sent whole."""
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(stream, origin=address, subprotocols=["streamlit"], max_size=None) as socket:
        session = Session(socket, page)
        await session.send()
        return session.widgets


def machine() -> str:
    """Return what the figures were measured on."""
    facts = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", facts.read_text(encoding="utf-8")) if facts.exists() else []
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return f"{os.cpu_count()} cores ({', '.join(set(names)) or platform.machine()}), Python {platform.python_version()}, load {load:.1f}"


def measure(checkout: Path) -> bool:
    """Say how long each took; return whether all came."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    settings = {
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_HEADLESS": "true",
        "PIP_NO_CACHE_DIR": "1",
    }
    waited = {
        "the server answers": lambda: answers(address),
        "the first page is sent": lambda: (
            ("bidi_component", "shamsul_viewer") in {one[:2] for one in asyncio.run(widgets(address, ""))}
        ),
        "Upload takes a radiograph": lambda: any(
            kind == "file_uploader" for kind, *_ in asyncio.run(widgets(address, "upload"))
        ),
    }
    started = time.monotonic()
    command = ["make", "run", f"PYTHON={sys.executable}"]
    environment = os.environ | settings
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # seldom set where a user is
    served = subprocess.Popen(command, cwd=checkout, env=environment, start_new_session=True)
    try:
        for what, is_there in waited.items():
            while not is_there():
                if served.poll() is not None or time.monotonic() > started + _LONGEST_S:
                    print(f"{what}: never")
                    return False
                time.sleep(0.2)
            print(f"{what}: after {time.monotonic() - started:.0f} s", flush=True)
    finally:
        os.killpg(served.pid, signal.SIGINT)
        served.wait(60)
    return True


if __name__ == "__main__":
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(not measure(clean_clone(Path(folder, "a fresh clone"))))
