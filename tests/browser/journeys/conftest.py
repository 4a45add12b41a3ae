"""The demonstration as every new reader has it, served once for all visits that leave no trace in the server."""

from __future__ import annotations

import pytest

from shamsul_core.run import Run
from tests.browser.journeys.visit import Visit
from tests.serving import ROOT, served


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHAMSUL_REVIEWS", f"sqlite:///{tmp_path_factory.mktemp('reviews')}/reviews.sqlite")
        with served(None) as server:
            yield server


@pytest.fixture(scope="session")
def demonstration_run():
    return Run.open(ROOT / "assets" / "demo" / "run")


@pytest.fixture
def visit(page, demonstration):
    """A tab at the demonstration; at its end nothing may have gone wrong unseen."""
    visit = Visit(page, demonstration.address)
    yield visit
    assert visit.complaints == []
