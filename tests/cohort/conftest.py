"""The cohort that the tests of this folder spoil."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cohort.cohort_writer import CohortWriter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def writer(tmp_path: Path) -> CohortWriter:
    """Two labelled radiographs with files, no annotations yet."""
    writer = CohortWriter(tmp_path / "made")
    for name in ("patient1/study1/view1_frontal.jpg", "patient2/study1/view1_lateral.jpg"):
        writer.image(name)
        writer.row(name)
    return writer
