"""Robustness, reproducibility and cause on planted cases with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.explain import Subject
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.lime import Lime, LimeSettings
from shamsul_core.explain.superpixels import SuperpixelSettings
from shamsul_core.localisation.baselines import EDGES, GREY
from shamsul_core.proof.catalogue import ANOTHER_PATIENT, RANK_CORRELATION
from shamsul_core.proof.examined import Examined
from shamsul_core.proof.maps import maps_of
from shamsul_core.proof.reproducibility import measure as reproduce
from shamsul_core.proof.robustness import OTHER_SEED, measure
from tests.proof.networks import SIZE, TrueMap, adding

GENERATOR = np.random.default_rng(0)
SMOOTH = np.add.outer(np.sin(np.arange(SIZE) / 5), np.cos(np.arange(SIZE) / 7))


def examined_of(classifier, pixels, explainers, **more):
    subject = Subject(classifier, pixels)
    maps = maps_of(subject, explainers, ["Edema"])
    return Examined(subject=subject, pathologies=["Edema"], maps=maps, explainers=explainers, **more)


def correlations(rows):
    return {(row.method, row.setting): row.value for row in rows if row.figure == RANK_CORRELATION}


def test_the_true_map_of_a_smooth_sum_is_stable_and_other_patients_are_not_it(pixels):
    other = GENERATOR.normal(size=(SIZE, SIZE)).astype(np.float32)
    examined = examined_of(adding(SMOOTH), pixels, [TrueMap()], others={("true", "Edema"): other})
    found = correlations(measure(examined))
    settings = {setting for method, setting in found if method == "true"}
    assert OTHER_SEED not in settings  # nothing about it is drawn
    assert len(settings) == 5
    assert all(found["true", setting] > 0.9 for setting in settings - {ANOTHER_PATIENT})
    assert abs(found["true", ANOTHER_PATIENT]) < 0.15
    assert found[GREY, "shift of 2 pixels"] > 0.95
    assert found[EDGES, "JPEG, quality 75"] > 0.5


def test_a_map_drawn_anew_each_time_is_not_stable(pixels):
    class ByLot(TrueMap):
        def explain(self, subject, pathologies):
            maps = super().explain(subject, pathologies)
            for heatmap in maps.values():
                heatmap.values[:] = GENERATOR.permutation(heatmap.values.ravel()).reshape(SIZE, SIZE)
            return maps

    found = correlations(measure(examined_of(adding(SMOOTH), pixels, [ByLot()])))
    assert all(abs(value) < 0.15 for (method, _), value in found.items() if method == "true")


def test_another_seed_is_for_methods_that_draw(classifier, pixels):
    few = AdaptiveSampling(first=60, step=20, budget=60)
    lime = Lime(LimeSettings(sampling=few, superpixels=SuperpixelSettings(count=16)))
    found = correlations(measure(examined_of(classifier, pixels, [lime])))
    assert -1 <= found["lime", OTHER_SEED] < 1


def test_a_method_that_fails_under_a_change_is_told_and_has_no_value(pixels):
    class Failing(TrueMap):
        def explain(self, subject, pathologies):
            if subject.pixels is not pixels:
                message = "made to fail"
                raise ValueError(message)
            return super().explain(subject, pathologies)

    rows = [row for row in measure(examined_of(adding(SMOOTH), pixels, [Failing()])) if row.method == "true"]
    assert rows
    assert all(np.isnan(row.value) and row.reason == "made to fail" for row in rows)


def test_another_training_of_a_sum_has_the_maps_that_its_weights_let_one_expect(pixels):
    examined = examined_of(adding(SMOOTH), pixels, [TrueMap()], other_model=adding(3 * SMOOTH))
    assert correlations(reproduce(examined))["true", "adding"] == pytest.approx(1)
    reversed_ = examined_of(adding(SMOOTH), pixels, [TrueMap()], other_model=adding(-SMOOTH))
    assert correlations(reproduce(reversed_))["true", "adding"] == pytest.approx(-1)
    assert not list(reproduce(examined_of(adding(SMOOTH), pixels, [TrueMap()])))
