"""The worker's process beside the server's, as a terminal and the system see the two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.upload import scripted_worker

LOADING = "import time; print('loading', flush=True); time.sleep(60)"
SERVER = """
import signal, sys
from shamsul_core.upload.explanation_queue import ExplanationQueue

signal.signal(signal.SIGINT, lambda *_: sys.exit())
sys.executable = sys.argv[1]
queue = ExplanationQueue("a model")
while True:
    signal.pause()
"""


def test_ctrl_c_while_the_model_is_loaded_ends_worker_and_server_without_a_word(monkeypatch, tmp_path):
    scripted_worker.install_program(monkeypatch, tmp_path, ["-c", LOADING])
    command = [scripted_worker.PYTHON, "-c", SERVER, sys.executable]
    server = subprocess.Popen(
        command,
        cwd=scripted_worker.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdout.readline() == "loading\n"
    # As a terminal does: to all that run in it
    os.killpg(server.pid, signal.SIGINT)
    # What both of them print ends once both have ended
    _, printed = server.communicate(timeout=30)
    assert (printed, server.returncode) == ("", 0)
