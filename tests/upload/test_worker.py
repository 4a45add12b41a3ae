"""The worker process, run here without one."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import Pipe

import pytest

from shamsul_core.classifier.source import ModelSource
from shamsul_core.upload.worker import serve
from shamsul_core.vocabulary import NO_FINDING, OBSERVATIONS


def test_a_model_that_cannot_be_used_is_a_sentence(tmp_path):
    for name, content in (("missing.safetensors", None), ("broken.safetensors", b"no model")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        ours, theirs = Pipe()
        serve(theirs, ModelSource(model=str(tmp_path / name)))
        kind, sentence = ours.recv()
        assert kind == "broken"
        assert name in sentence
        assert "\n" not in sentence
        assert "Traceback" not in sentence


@pytest.mark.slow
def test_the_server_that_asks_does_not_import_torch():
    code = "import sys, dashboard.uploading; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


class Silent:
    """A connection whose other end is closed as soon as the worker listens."""

    def __init__(self):
        self.sent = []

    def send(self, message):
        self.sent.append(message)

    def recv(self):
        raise EOFError


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [
        (("Edema", "Big Heart"), ["Edema"]),
        (("Big Heart",), [name for name in OBSERVATIONS if name != NO_FINDING]),
    ],
)
def test_what_is_wanted_is_offered_and_else_all_that_is_predicted(small_model, wanted, offered):
    connection = Silent()
    with pytest.raises(EOFError):
        serve(connection, ModelSource(model=str(small_model)), wanted)
    ((kind, _, _, pathologies),) = connection.sent
    assert (kind, pathologies) == ("ready", offered)
