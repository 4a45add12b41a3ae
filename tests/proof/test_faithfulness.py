"""Deletion, insertion and ROAD: equal to Quantus' curves, by hand for a network that adds, and right about a patch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from shamsul_core.explain import Subject
from shamsul_core.localisation.baselines import LOCATION
from shamsul_core.proof.catalogue import (
    BLUR_HIDES,
    BY_LOT,
    DELETION,
    EXPERT,
    GAIN,
    GREY_HIDES,
    IMPUTED,
    INSERTION,
    ROAD,
)
from shamsul_core.proof.examined import Examined
from shamsul_core.proof.faithfulness import STEPS, FaithfulnessTest, measure
from tests.proof import quantus_references as references
from tests.proof.networks import PATCH, SIZE, TrueMap, adding, of_patch

GENERATOR = np.random.default_rng(5)
WEIGHTS = GENERATOR.normal(size=(SIZE, SIZE))
RELEVANCE = GENERATOR.permutation(SIZE * SIZE).reshape(SIZE, SIZE).astype(np.float32)


@pytest.fixture(scope="module")
def test_of_sum(pixels):
    return FaithfulnessTest(Subject(adding(WEIGHTS), pixels), seed=1)


def curves_of(test, relevance, pathology="Edema"):
    return {(curve.figure, curve.setting): curve for curve in test.curves(relevance, pathology)}


def test_deletion_behind_grey_is_quantus_pixel_flipping(pixels):
    """Quantus hides a sixteenth a step, ours is a twentieth: a quarter, half, three quarters and all are steps of both."""
    subject = Subject(adding(references.WEIGHTS), pixels)
    subject.__dict__["inputs"] = torch.as_tensor(references.INPUT).float().expand(1, 3, -1, -1)
    curve = curves_of(FaithfulnessTest(subject, seed=0), references.RELEVANCE)[DELETION, GREY_HIDES]
    theirs = np.array(references.references()["pixel flipping"])
    np.testing.assert_allclose(curve.logits[[5, 10, 15, 20]], theirs[[3, 7, 11, 15]], atol=1e-3)


def test_the_curves_of_a_sum_by_hand(test_of_sum):
    curves = curves_of(test_of_sum, RELEVANCE)
    inputs = test_of_sum.subject.inputs[0, 0].numpy()
    ranks = np.empty(SIZE * SIZE, int)
    ranks[np.argsort(-RELEVANCE.ravel())] = np.arange(SIZE * SIZE)
    ranks = ranks.reshape(SIZE, SIZE)
    blurred = cv2.GaussianBlur(inputs, (0, 0), SIZE / 16)
    for setting, hidden in ((GREY_HIDES, 0 * inputs), (BLUR_HIDES, blurred)):
        for step in (0, 7, STEPS):
            is_first = ranks < step * SIZE * SIZE // STEPS
            deleted = (WEIGHTS * np.where(is_first, hidden, inputs)).sum()
            inserted = (WEIGHTS * np.where(is_first, inputs, hidden)).sum()
            assert curves[DELETION, setting].logits[step] == pytest.approx(deleted, abs=1e-3)
            assert curves[INSERTION, setting].logits[step] == pytest.approx(inserted, abs=1e-3)
    assert len(curves[ROAD, IMPUTED].logits) == STEPS
    whole = (WEIGHTS * inputs).sum()
    assert curves[ROAD, IMPUTED].logits[0] == pytest.approx(whole, abs=1e-3)


def test_the_mean_is_the_area_under_the_curve(test_of_sum):
    curve = curves_of(test_of_sum, RELEVANCE)[DELETION, GREY_HIDES]
    by_hand = (curve.logits[0] / 2 + curve.logits[1:-1].sum() + curve.logits[-1] / 2) / STEPS
    assert curve.mean == pytest.approx(by_hand)


def test_of_a_sum_no_map_falls_lower_than_the_true_one(test_of_sum):
    """What each place adds, hidden by grey: the greatest first is the steepest fall there is."""
    true = TrueMap().explain(test_of_sum.subject, ["Edema"])["Edema"].values
    best = curves_of(test_of_sum, true)
    for other in (RELEVANCE, -true, np.abs(true), test_of_sum.noise):
        curves = curves_of(test_of_sum, other)
        assert (best[DELETION, GREY_HIDES].logits <= curves[DELETION, GREY_HIDES].logits + 1e-3).all()
        assert (best[INSERTION, GREY_HIDES].logits >= curves[INSERTION, GREY_HIDES].logits - 1e-3).all()


def test_a_map_of_the_patch_that_the_network_sees_beats_lot_and_location(pixels):
    bright = np.full_like(pixels, 60)
    bright[30:68, 37:75] = 250  # the patch and a little more
    subject = Subject(of_patch(), bright)
    patch = np.zeros((SIZE, SIZE), np.float32)
    patch[PATCH] = 1
    corner = np.zeros_like(patch)
    corner[:10, :12] = 1
    examined = Examined(
        subject=subject,
        pathologies=["Edema"],
        maps={("right", "Edema"): patch, ("failed", "Edema"): "made to fail"},
        location={"Edema": corner},
        experts={"Edema": patch > 0},
    )
    rows = [row for row in measure(examined) if np.isnan(row.at)]
    means = {(row.method, row.figure, row.setting): row.value for row in rows}
    assert {row.method for row in rows} == {"right", BY_LOT, LOCATION, EXPERT}
    for other in (BY_LOT, LOCATION):
        for hides in (GREY_HIDES, BLUR_HIDES):
            assert means["right", GAIN, hides] > means[other, GAIN, hides]
        assert means["right", ROAD, IMPUTED] < means[other, ROAD, IMPUTED]
    assert means["right", GAIN, GREY_HIDES] == pytest.approx(means[EXPERT, GAIN, GREY_HIDES])


def test_places_of_equal_relevance_go_in_patches_and_not_in_rows(test_of_sum):
    ranks = test_of_sum.ranks(np.zeros((SIZE, SIZE), np.float32))
    assert sorted(ranks.ravel()) == list(range(SIZE * SIZE))
    first = ranks < SIZE * SIZE // 2
    assert np.array_equal(first, test_of_sum.noise > np.median(test_of_sum.noise))
