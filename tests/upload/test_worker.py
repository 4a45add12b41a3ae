"""The worker process, run here without one."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import Pipe

from shamsul_core.upload.worker import serve


def test_a_model_that_cannot_be_used_is_a_sentence(tmp_path):
    for name, content in (("missing.safetensors", None), ("broken.safetensors", b"no model")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        ours, theirs = Pipe()
        serve(theirs, str(tmp_path / name))
        kind, sentence = ours.recv()
        assert kind == "broken"
        assert name in sentence
        assert "\n" not in sentence
        assert "Traceback" not in sentence


def test_the_server_that_asks_does_not_import_torch():
    code = "import sys, dashboard.uploading; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
