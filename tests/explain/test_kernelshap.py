from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shamsul_core.explain.kernelshap import KernelShap, KernelShapSettings, shapley_values
from shamsul_core.explain.masked import MaskedEvaluation
from shamsul_core.explain.superpixels import superpixels


def by_definition(function, count):
    """Shapley values by the paper's equation 2, over all coalitions."""
    values = np.zeros(count)
    for player in range(count):
        others = [one for one in range(count) if one != player]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for coalition in combinations(others, size):
                without = np.zeros(count)
                without[list(coalition)] = 1
                with_player = without.copy()
                with_player[player] = 1
                values[player] += weight * (function(with_player) - function(without))
    return values


def game(count, seed):
    """A random set function with interactions of every order."""
    table = np.random.default_rng(seed).normal(size=2**count)
    return lambda coalitions: table[(np.asarray(coalitions) @ 2 ** np.arange(count)).astype(int)]


@settings(max_examples=20, deadline=None)
@given(count=st.integers(3, 7), seed=st.integers(0, 1000))
def test_with_every_coalition_enumerated_equals_the_definition(count, seed):
    function = game(count, seed)
    ours = shapley_values(lambda z: function(z)[:, None], count, KernelShapSettings(samples=2**count))
    np.testing.assert_allclose(ours[:, 0], by_definition(function, count), atol=1e-8)


@pytest.mark.parametrize("samples", [30, 100])
def test_values_sum_to_the_whole_less_nothing_at_any_number_of_samples(samples):
    function = game(14, 3)
    ours = shapley_values(lambda z: function(z)[:, None], 14, KernelShapSettings(samples=samples))
    assert ours.sum() == pytest.approx(function(np.ones(14)) - function(np.zeros(14)), abs=1e-9)


def test_a_superpixel_that_does_nothing_gets_nothing():
    function = game(4, 1)
    ours = shapley_values(lambda z: function(z[:, :4])[:, None], 5, KernelShapSettings(samples=1000))
    assert ours[4, 0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_heatmap_sums_to_the_difference_the_radiograph_makes(preset, classifier, pixels):
    chosen = KernelShap.presets[preset]
    explainer = KernelShap(type(chosen)(**{**vars(chosen), "samples": 150}))
    heatmap = explainer.explain(classifier, pixels, ["Edema"])["Edema"]
    labels = superpixels(pixels, classifier.preprocessing, chosen.superpixels, seed=chosen.seed)
    np.testing.assert_array_equal(labels, heatmap.superpixels)
    evaluate = MaskedEvaluation(
        classifier, classifier.preprocess(pixels), labels, ["Edema"], chosen.hide, chosen.output
    )
    whole, nothing = evaluate(np.stack([np.ones(evaluate.count), np.zeros(evaluate.count)]))[:, 0]
    assert heatmap.values.sum() == pytest.approx(whole - nothing, abs=1e-5)
    assert abs(whole - nothing) > 1e-3


def test_paper_keeps_ten_superpixels(classifier, pixels):
    heatmap = KernelShap(KernelShap.presets["paper"]).explain(classifier, pixels, ["Edema"])["Edema"]
    assert 0 < np.count_nonzero(heatmap.values) <= 10
