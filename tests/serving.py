"""A dashboard served for as long as a test or a benchmark needs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]


def clean_clone(folder: Path) -> Path:
    """Clone what is committed into a folder, as a new user has it."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], check=True)
    return folder


@dataclass(frozen=True)
class Server:
    """Where a dashboard answers, and its process."""

    address: str
    process_id: int


@contextmanager
def served(
    run_folder: Path | None,
    checkout: Path = ROOT,
    *,
    options: Sequence[str] = (),
    arguments: Sequence[str] = (),
    log: Path | None = None,
    port: int | None = None,
) -> Iterator[Server]:
    """Serve a checkout's dashboard on this machine until the block ends, on a free port where none is given.

    `options` are Streamlit's, `arguments` the dashboard's beside the run.
    """
    shown = () if run_folder is None else ("--run", str(run_folder))
    with served_script(
        "app.py", *shown, *arguments, folder=checkout, options=options, log=log, port=port
    ) as server:
        yield server


@contextmanager
def served_script(
    script: str | Path,
    *arguments: str,
    folder: Path = ROOT,
    options: Sequence[str] = (),
    log: Path | None = None,
    port: int | None = None,
) -> Iterator[Server]:
    """Serve any Streamlit script on this machine until the block ends, on a free port where none is given."""
    port = free_port() if port is None else port
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(script), "--server.headless", "true"),
        *("--server.port", str(port), *options, "--", *arguments),
    ]
    address = f"http://127.0.0.1:{port}"
    with started(command, f"{address}/_stcore/health", folder=folder, log=log) as process:
        yield Server(address, process.pid)


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(
    command: Sequence[str], address: str, *, folder: Path = ROOT, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends, which begins once it answers at an address; `log` takes what it prints."""
    with (log or Path(os.devnull)).open("wb") as printed:
        process = subprocess.Popen(command, cwd=folder, stdout=printed, stderr=printed)
    try:
        _wait(address, process)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = f"the server ended with status {process.returncode}"
            raise RuntimeError(message)
        try:
            with urllib.request.urlopen(address, timeout=1):  # noqa: S310 - an address of this machine
                return
        except OSError:
            time.sleep(0.02)
    message = f"{address} does not answer"
    raise RuntimeError(message)
