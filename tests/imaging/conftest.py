"""Files are read in the test's process, but where the other process is what is tested."""

from __future__ import annotations

import pytest

from shamsul_core.imaging import reading
from tests.imaging.reading_here import ReaderHere


@pytest.fixture(autouse=True)
def reads_here(request, monkeypatch):
    if request.node.get_closest_marker("bounded") is None:
        monkeypatch.setattr(reading, "READER", ReaderHere())
