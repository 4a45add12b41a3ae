from __future__ import annotations

import pytest

from shamsul_core.simulate.chest import Chest
from shamsul_core.simulate.ct import CtError, load_ct


@pytest.fixture(scope="session")
def ct():
    try:
        return load_ct()
    except CtError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def chest(ct):
    return Chest.of(ct)
