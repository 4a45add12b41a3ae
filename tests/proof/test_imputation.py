"""Noisy linear imputation without its noise is the solution of ROAD's equations, as Quantus solves them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from quantus.functions.perturb_func import noisy_linear_imputation

from shamsul_core.proof.imputation import impute

GENERATOR = np.random.default_rng(3)
PICTURE = cv2.GaussianBlur(GENERATOR.random((24, 30)), (0, 0), 2)
SCATTERED = GENERATOR.random(PICTURE.shape)
PATCHES = cv2.GaussianBlur(GENERATOR.normal(size=PICTURE.shape), (0, 0), 4)


@pytest.mark.parametrize("relevance", [SCATTERED, PATCHES], ids=["scattered", "in patches"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_it_is_quantus_solution(relevance, share):
    order = np.argsort(-relevance.ravel())[: int(share * relevance.size)]
    removed = np.zeros(relevance.size, bool)
    removed[order] = True
    expected = noisy_linear_imputation(PICTURE[None].copy(), order, noise=0)[0]
    np.testing.assert_allclose(impute(PICTURE, removed.reshape(PICTURE.shape)), expected, atol=3e-4)


def test_a_plane_is_imputed_as_it_was():
    """A plane is what each place's neighbours let one expect of it."""
    rows, columns = np.mgrid[:20, :25]
    plane = 0.01 * rows + 0.02 * columns
    removed = np.zeros(plane.shape, bool)
    removed[4:15, 3:20] = True
    np.testing.assert_allclose(impute(np.where(removed, 9.0, plane), removed), plane, atol=3e-4)


def test_a_guess_changes_the_way_and_not_the_end():
    removed = PATCHES > 0
    guess = np.full(PICTURE.shape, 5.0)
    np.testing.assert_allclose(impute(PICTURE, removed, guess), impute(PICTURE, removed), atol=3e-4)


def test_nothing_removed_and_nothing_known():
    assert impute(PICTURE, np.zeros(PICTURE.shape, bool)) == pytest.approx(PICTURE)
    with pytest.raises(ValueError, match="nothing to impute"):
        impute(PICTURE, np.ones(PICTURE.shape, bool))
