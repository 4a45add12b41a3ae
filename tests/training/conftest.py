from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.training.cohorts import write_cohort


@pytest.fixture(scope="session")
def learnable(tmp_path_factory) -> Path:
    """A cohort of 24 radiographs to learn from and 6 to validate on; never changed by a test."""
    return write_cohort(tmp_path_factory.mktemp("learnable"))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """These networks are too small to share, and sums then round in the same way in every process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
