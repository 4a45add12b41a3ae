"""A worker that says what the real one says, without a model: for tests of who is served when, not of what is explained.

Started in place of the real one: see `install`.
"""

from __future__ import annotations

import json
import shlex
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shamsul_core.heatmap import Heatmap

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable

METHODS = {
    "lime": {"title": "LIME", "settings": {"sampling": {"budget": 1000}}},
    "gradcam": {"title": "Grad-CAM", "settings": {}},
}
_STEPS, _STEP_S = 40, 0.02


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let every worker that is started from now on be this one."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.upload.scripted_worker import serve; "
        "serve(int(sys.argv[3]), sys.argv[4])"
    )
    install_program(monkeypatch, folder, ["-P", "-c", code])


def install_program(monkeypatch: pytest.MonkeyPatch, folder: Path, arguments: list[str]) -> None:
    """Let every worker that is started from now on be Python with these arguments before the worker's own."""
    program = folder / "worker"
    # A shell between, since the path of Python may hold spaces
    program.write_text(f'#!/bin/sh\nexec {shlex.join([PYTHON, *arguments])} "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))


def serve(descriptor: int, model: str) -> None:
    """Answer until the other end is closed."""
    connection = Connection(descriptor)
    model = json.loads(model)["model"]
    if not Path(model).exists():
        connection.send(("broken", f"{model}: there is no such file"))
        return
    connection.send(("ready", {"source": model}, METHODS, ["Edema"]))
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        if request[0] == "explain":
            connection.send(("done",) if _explain(connection) else ("cancelled",))


def _explain(connection: Connection) -> bool:
    """Say what the real one says; return whether it was let to its end."""
    heatmap = Heatmap(method="gradcam", values=np.ones((7, 7), np.float32), pathology="Edema", output="logit")
    connection.send(("predicted", {"Edema": 0.5}, None))
    connection.send(("explained", "gradcam", [heatmap], []))
    for step in range(_STEPS):
        connection.send(("passes", "lime", 25 * (step + 1)))
        if connection.poll(_STEP_S) and connection.recv()[0] == "cancel":
            return False
    connection.send(("explained", "lime", [], [("lime", "Edema", "made to fail")]))
    return True
