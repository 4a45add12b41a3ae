"""Estimates from sampled pairs against games whose values are known, and their errors against what happens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from shamsul_core.explain.coalitions import CoalitionStream, size_probabilities
from shamsul_core.explain.estimates import shapley_values, surrogate_coefficients
from shamsul_core.explain.lime import lime_coefficients
from tests.explain.games import by_definition, game

pytestmark = pytest.mark.slow


def stream_of(function, count, seed=0):
    return CoalitionStream(lambda z: function(np.asarray(z, float))[:, None], count, seed=seed)


def smooth_game(count, seed):
    """A saturating function of sums and products of pairs and triples, as a network's logit is."""
    generator = np.random.default_rng(seed)
    linear, pairs = generator.normal(size=count), generator.normal(size=(count, count)) / count
    triple = generator.normal(size=(3, count)) / np.sqrt(count)

    def function(z):
        z = np.atleast_2d(z)
        together = np.einsum("ki,ij,kj->k", z, pairs, z) + np.prod(z @ triple.T, axis=1)
        return np.tanh(z @ linear / 2) + together

    return function


@settings(max_examples=15)
@given(count=st.integers(2, 7), seed=st.integers(0, 1000))
def test_with_all_coalitions_shapley_values_are_the_definitions(count, seed):
    function = game(count, seed)
    pairs = stream_of(function, count).take(1000)
    assert pairs.is_exhaustive
    assert len(pairs.coalitions) == 2 ** (count - 1) - 1
    found = shapley_values(pairs, [0], "logit")
    np.testing.assert_allclose(found.values[:, 0], by_definition(function, count), atol=1e-8)
    assert not found.standard_error.any()


@settings(max_examples=30)
@given(count=st.integers(3, 10), share=st.floats(0.1, 1.2), seed=st.integers(0, 1000))
def test_a_stream_is_exhaustive_once_every_coalition_was_evaluated(count, share, seed):
    """Red before: with few of all pairs, values came from memory that nothing had written."""
    function, of_all = game(count, seed), 2 ** (count - 1) - 1
    pairs = stream_of(function, count, seed).take(max(count, int(share * of_all)))
    both = np.concatenate([pairs.coalitions, ~pairs.coalitions])
    is_all = len(np.unique(both, axis=0)) == 2 * of_all
    assert pairs.is_exhaustive == (is_all and count <= 9)
    for found in (
        shapley_values(pairs, [0], "logit"),
        surrogate_coefficients(pairs, [0], "logit", 0.25),
    ):
        assert np.isfinite(found.values).all()
        assert found.standard_error.any() != pairs.is_exhaustive
    if count <= 9:
        assert len(np.unique(both, axis=0)) == len(both), "none twice"
    total = shapley_values(pairs, [0], "logit").values.sum()
    np.testing.assert_allclose(total, (pairs.whole - pairs.nothing)[0], atol=1e-8)


def test_with_all_coalitions_coefficients_are_the_weighted_regressions():
    function = game(8, 5)
    found = surrogate_coefficients(stream_of(function, 8).take(1000), [0], "logit", 0.25)
    coalitions = (np.arange(256)[:, None] >> np.arange(8)) % 2
    weights = np.sqrt(np.exp(-((1 - np.sqrt(coalitions.sum(1) / 8)) ** 2) / 0.25**2))
    expected = LinearRegression().fit(coalitions, function(coalitions), weights).coef_
    np.testing.assert_allclose(found.values[:, 0], expected, atol=1e-8)


@settings(max_examples=10)
@given(pairs=st.integers(20, 300), seed=st.integers(0, 99))
def test_shapley_values_sum_to_the_whole_less_nothing_however_few_pairs(pairs, seed):
    function = smooth_game(14, seed)
    found = shapley_values(stream_of(function, 14, seed).take(pairs), [0], "logit")
    difference = function(np.ones((1, 14))) - function(np.zeros((1, 14)))
    assert found.values.sum() == pytest.approx(difference[0], abs=1e-8)


def test_an_additive_function_is_found_and_known_to_be():
    weights = np.random.default_rng(0).normal(size=20)
    pairs = stream_of(lambda z: z @ weights + 3, 20).take(60)
    for found in (shapley_values(pairs, [0], "logit"), surrogate_coefficients(pairs, [0], "logit", 0.25)):
        np.testing.assert_allclose(found.values[:, 0], weights, atol=1e-4)
        assert found.standard_error.max() < 0.005
        assert found.reliability[0] > 0.9999


def test_sampled_shapley_values_tend_to_the_definition():
    function = smooth_game(11, 2)
    found = shapley_values(stream_of(function, 11).take(700), [0], "logit")
    exact = by_definition(lambda z: function(z)[0], 11)
    np.testing.assert_allclose(found.values[:, 0], exact, atol=5 * found.standard_error.max() + 1e-6)
    assert found.standard_error.max() < 0.02 * np.abs(exact).max()


def test_sampled_coefficients_tend_to_limes():
    function = smooth_game(15, 4)
    found = surrogate_coefficients(stream_of(function, 15).take(900), [0], "logit", 0.25)
    theirs = lime_coefficients(lambda z: function(z)[:, None], 15, 60_000, kernel_width=0.25, seed=1)
    np.testing.assert_allclose(found.values, theirs, atol=0.02 * np.abs(theirs).max())


@pytest.mark.parametrize("kind", ["shap", "lime"])
def test_the_standard_error_is_what_estimates_scatter_by(kind):
    """Of 40 streams: estimates scatter about their mean by the standard error they state."""
    function = smooth_game(16, 8)
    estimates, errors = [], []
    for seed in range(40):
        pairs = stream_of(function, 16, seed).take(150)
        shap = kind == "shap"
        found = (
            shapley_values(pairs, [0], "logit") if shap else surrogate_coefficients(pairs, [0], "logit", 0.25)
        )
        estimates.append(found.values[:, 0])
        errors.append(found.standard_error[:, 0])
    scatter = np.std(estimates, axis=0, ddof=1)
    stated = np.sqrt(np.mean(np.square(errors), axis=0))
    assert 0.8 < np.median(stated / scatter) < 1.35


def test_reliability_foretells_the_correlation_with_the_truth():
    said, true = [], []
    for seed in range(12):
        function = smooth_game(11, seed)
        found = shapley_values(stream_of(function, 11, seed).take(80), [0], "logit")
        said.append(found.reliability[0])
        true.append(np.corrcoef(found.values[:, 0], by_definition(lambda z, f=function: f(z)[0], 11))[0, 1])
    assert np.mean(said) == pytest.approx(np.mean(true), abs=0.05)


def test_a_stream_does_not_depend_on_how_it_is_asked():
    function = smooth_game(13, 0)
    at_once, in_parts = stream_of(function, 13, 7), stream_of(function, 13, 7)
    in_parts.take(10)
    in_parts.take(25)
    one, other = at_once.take(60), in_parts.take(60)
    np.testing.assert_array_equal(one.coalitions, other.coalitions)
    np.testing.assert_allclose(one.logits, other.logits)
    np.testing.assert_allclose(in_parts.take(10).logits, one.logits[:10])
    assert in_parts.evaluations == 122


@pytest.mark.parametrize("count", [2, 5])
def test_a_stream_of_few_superpixels_that_is_all_taken_is_asked_again(count):
    """As SHAP does after LIME."""
    stream = stream_of(game(count, 0), count)
    first, again = stream.take(400), stream.take(400)
    assert first.is_exhaustive
    assert again.is_exhaustive
    assert len(again.coalitions) == 2 ** (count - 1) - 1
    values = shapley_values(again, [0], "logit").values[:, 0]
    np.testing.assert_allclose(values, by_definition(game(count, 0), count))


def test_pairs_are_complements_evaluated_in_their_order():
    function = smooth_game(12, 3)
    pairs = stream_of(function, 12).take(30)
    np.testing.assert_allclose(pairs.logits[:, 0, 0], function(pairs.coalitions.astype(float)))
    np.testing.assert_allclose(pairs.logits[:, 1, 0], function(1.0 - pairs.coalitions))


@pytest.mark.parametrize("count", [4, 10, 48, 300])
def test_sizes_are_a_distribution_without_the_ends(count):
    probabilities = size_probabilities(count)
    assert probabilities.sum() == pytest.approx(1)
    assert not probabilities[[0, 1, -2, -1]].any()
    assert (probabilities[2:-2] > 0).all()
    np.testing.assert_allclose(probabilities, probabilities[::-1])
