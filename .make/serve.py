"""Serves the dashboard, and installs behind it what *Upload* needs: ``python .make/serve.py MAKE [RUN]``, by ``make run``.

The page *Upload* reads how the installation stands in the file that ``SHAMSUL_INSTALLING`` names, which is there until it
has succeeded.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

_WHOLE = ".venv/.installed"
_STATE, _LOG = Path(".venv/.installing"), Path(".venv/upload.log")
_LAST_BREATH_S, _LOOK_S = 10, 0.1

_endings: list[int] = []
"""The signals that told us to end; no `threading.Event`, whose lock a signal may find taken."""
_is_given_up = threading.Event()


def serve(make: str, runs: list[str]) -> int:
    """Serve until it is interrupted, which ends the installation too; return the server's exit status."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: _endings.append(number))
    install = _begin(make)
    command = [sys.executable, "-m", "shamsul_core", "serve", *runs]
    told = os.environ | {"SHAMSUL_INSTALLING": str(_STATE.absolute())}
    server = subprocess.Popen(command, env=told)  # noqa: S603
    while server.poll() is None and not _endings:
        time.sleep(_LOOK_S)
    server.terminate()
    if install is not None and install.poll() is None:
        _end(install)
    status = server.wait()
    return 0 if _endings else status


def _begin(make: str) -> subprocess.Popen[bytes] | None:
    """Begin to install what is missing; ``None`` where nothing is."""
    question = [make, "--question", _WHOLE]
    if subprocess.run(question, capture_output=True, check=False).returncode == 0:  # noqa: S603
        _STATE.unlink(missing_ok=True)
        return None
    _STATE.write_text("installing", encoding="utf-8")
    with _LOG.open("wb") as log:
        # In a session of its own, so that Ctrl-C reaches it through us alone
        install = subprocess.Popen(  # noqa: S603
            ["nice", "-n", "10", make, _WHOLE, "QUIET=--progress-bar=off"],  # noqa: S607
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    print(f"== What Upload needs is being installed behind it (5 GB, mostly torch); log: {_LOG}", flush=True)
    threading.Thread(target=_tell, args=(install,), daemon=True).start()
    return install


def _tell(install: subprocess.Popen[bytes]) -> None:
    if install.wait() == 0:
        _STATE.unlink()
        print("== Upload can be used now", flush=True)
    elif not _is_given_up.is_set():
        _STATE.write_text("failed", encoding="utf-8")
        print(
            f"== What Upload needs could not be installed; {_LOG} says why, and make run tries again",
            flush=True,
        )


def _end(install: subprocess.Popen[bytes]) -> None:
    """Let pip clean up behind itself; the next time it goes on from what is installed."""
    _is_given_up.set()
    print("== Ending the installation; make run goes on with it", flush=True)
    os.killpg(install.pid, signal.SIGINT)
    try:
        install.wait(_LAST_BREATH_S)
    except subprocess.TimeoutExpired:
        os.killpg(install.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1], sys.argv[2:]))
