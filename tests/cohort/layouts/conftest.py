"""Radiographs are read in the test's own process: what is tested is what the tables say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shamsul_core.imaging import reading
from tests.imaging.reading_here import ReaderHere


@pytest.fixture(autouse=True)
def reads_here(monkeypatch):
    monkeypatch.setattr(reading, "READER", ReaderHere())


@pytest.fixture
def put(tmp_path):
    """Write a file of a made cohort: text, an object as JSON, or a grey picture of (height, width)."""

    def write(name: str, content: object) -> Path:
        path = tmp_path / "made" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            grey = np.random.default_rng(len(name)).integers(0, 256, content, dtype=np.uint8)
            Image.fromarray(grey).save(path)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def unzipped(source: Path, target: Path) -> Path:
    """Write a whole table where a cohort has it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.decompress(source.read_bytes()))
    return target
