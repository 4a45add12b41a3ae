"""Walsh functions against their products written out, and readouts against the definitions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from shamsul_core.explain.gaussian_process import DEGREES, EVEN, ODD, fit
from shamsul_core.explain.interactions import shapley_readout, surrogate_readout, walsh_means
from tests.explain.games import by_definition

COUNT = 7


def walsh_function(members):
    return lambda coalition: np.prod(2 * np.asarray(coalition)[..., members] - 1, axis=-1)


def all_coalitions(count):
    return (np.arange(2**count)[:, None] >> np.arange(count)) % 2


@pytest.mark.parametrize("degree", range(COUNT + 1))
def test_means_are_those_of_all_products(degree):
    coalitions = all_coalitions(COUNT)
    products = [walsh_function(list(members))(coalitions) for members in combinations(range(COUNT), degree)]
    hidden = COUNT - coalitions.sum(axis=1)
    np.testing.assert_allclose(
        walsh_means(COUNT, hidden, COUNT + 1)[degree], np.mean(products, axis=0), atol=1e-12
    )


@pytest.mark.parametrize("degree", range(COUNT + 1))
def test_shapley_readout_is_the_definition(degree):
    members = list(range(degree))
    expected = by_definition(walsh_function(members), COUNT)
    readout = shapley_readout(COUNT + 1)
    found = [readout.inside[degree]] * degree + [readout.outside[degree]] * (COUNT - degree)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("degree", range(COUNT + 1))
@pytest.mark.parametrize("width", [0.25, 1.0])
def test_surrogate_readout_is_the_weighted_regression(degree, width):
    coalitions = all_coalitions(COUNT)
    weights = np.exp(-0.5 * ((1 - np.sqrt(coalitions.sum(axis=1) / COUNT)) / width) ** 2)
    expected = LinearRegression().fit(coalitions, walsh_function(list(range(degree)))(coalitions), weights)
    readout = surrogate_readout(COUNT, COUNT + 1, width)
    found = [readout.inside[degree]] * degree + [readout.outside[degree]] * (COUNT - degree)
    np.testing.assert_allclose(found, expected.coef_, atol=1e-9)


@pytest.mark.parametrize("degrees", [ODD, EVEN])
def test_functions_of_the_assumed_kind_miss_by_the_stated_variance(degrees):
    """Of 200 functions drawn from the prior, the readout's error has the variance that is stated for it."""
    count, outputs = 12, 200
    generator = np.random.default_rng(3)
    shown = generator.random((60, count)) < 0.5
    readout = surrogate_readout(count, DEGREES, 0.25)
    answers, truth = np.zeros((60, outputs)), np.zeros((count, outputs))
    for degree, variance in zip(degrees, (1.0, 0.2), strict=True):
        sets = list(combinations(range(count), degree))
        strengths = generator.normal(scale=np.sqrt(variance / len(sets)), size=(len(sets), outputs))
        functions = np.stack([walsh_function(list(members))(shown) for members in sets], axis=1)
        member = np.array([[one in members for one in range(count)] for members in sets])
        answers += functions @ strengths
        truth += np.where(member, readout.inside[degree], readout.outside[degree]).T @ strengths
    values, variance = fit(shown, answers, degrees).read(readout)
    standardised = (values - truth) / np.sqrt(variance)
    assert np.mean(standardised**2) == pytest.approx(1, abs=0.25)
    assert np.corrcoef(values.ravel(), truth.ravel())[0, 1] > 0.5
