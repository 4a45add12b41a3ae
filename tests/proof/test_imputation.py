"""Noisy linear imputation without its noise is the solution of ROAD's equations, as Quantus solves them."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.proof.imputation import impute
from tests.proof.quantus_references import ORDERS, PICTURE, SHARES, references

PATCHES = np.argsort(ORDERS["in patches"]).reshape(PICTURE.shape) < PICTURE.size // 2


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("share", SHARES)
def test_it_is_quantus_solution(name, share):
    removed = np.zeros(PICTURE.size, bool)
    removed[ORDERS[name][: int(share * PICTURE.size)]] = True
    imputed = impute(PICTURE, removed.reshape(PICTURE.shape))
    np.testing.assert_allclose(imputed, references()["imputed"][f"{name} {share}"], atol=3e-4)


def test_a_plane_is_imputed_as_it_was():
    """A plane is what each place's neighbours let one expect of it."""
    rows, columns = np.mgrid[:20, :25]
    plane = 0.01 * rows + 0.02 * columns
    removed = np.zeros(plane.shape, bool)
    removed[4:15, 3:20] = True
    np.testing.assert_allclose(impute(np.where(removed, 9.0, plane), removed), plane, atol=3e-4)


def test_a_guess_changes_the_way_and_not_the_end():
    removed = PATCHES
    guess = np.full(PICTURE.shape, 5.0)
    np.testing.assert_allclose(impute(PICTURE, removed, guess), impute(PICTURE, removed), atol=3e-4)


def test_nothing_removed_and_nothing_known():
    assert impute(PICTURE, np.zeros(PICTURE.shape, bool)) == pytest.approx(PICTURE)
    with pytest.raises(ValueError, match="nothing to impute"):
        impute(PICTURE, np.ones(PICTURE.shape, bool))
