"""Which findings are drawn: CheXpert's shares and hierarchy, no pictures needed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from shamsul_core.simulate.cohort import Simulation
from shamsul_core.simulate.labels import SHARES, draw_case, parents
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, OBSERVATIONS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cases():
    return [draw_case(np.random.default_rng(seed)) for seed in range(4000)]


@pytest.mark.parametrize(
    "name", [name for name in SHARES if name not in {"Lung Opacity", "Enlarged Cardiomediastinum"}]
)
def test_shares_are_chexperts(cases, name):
    for label, share in zip((1, -1), SHARES[name], strict=True):
        count = sum(case.labels[name] == label for case in cases)
        assert binomtest(count, len(cases), share).pvalue > 1e-4


def test_lung_opacity_comes_to_chexperts_share_with_its_children(cases):
    assert np.mean([case.labels["Lung Opacity"] == 1 for case in cases]) == pytest.approx(0.494, abs=0.05)


def test_the_hierarchy_is_kept(cases):
    for case in cases:
        for name in LOCALISED_PATHOLOGIES:
            if case.labels[name] == 1:
                assert all(case.labels[parent] == 1 for parent in parents(name))


def test_no_finding_means_none(cases):
    healthy = [case for case in cases if case.labels["No Finding"] == 1]
    assert len(healthy) > 100
    for case in healthy:
        assert not (set(case.severities) - {"Support Devices"})
        assert {case.labels[name] for name in OBSERVATIONS[1:-1]} == {0}


def test_what_is_positive_is_there_and_severities_spread(cases):
    for name in LOCALISED_PATHOLOGIES:
        own = [case.severities[name] for case in cases if name in case.severities and case.labels[name] == 1]
        assert min(own) < 0.25
        assert max(own) > 0.85
    for case in cases:
        assert all(0 <= value <= 1 for value in case.severities.values())
        for name in set(SHARES) - {"Lung Opacity", "Enlarged Cardiomediastinum"}:
            assert case.labels[name] != 1 or name in case.severities


@pytest.mark.parametrize("at_least", [1, 12, 40])
def test_at_least_so_many_of_each(at_least):
    cases = Simulation(seed=3, count=60, split="val", at_least=at_least).cases()
    for name in LOCALISED_PATHOLOGIES:
        assert sum(case.labels[name] == 1 for case in cases) >= at_least


def test_cases_follow_from_the_seed():
    simulation = Simulation(seed=3, count=20, split="val", at_least=5)
    assert simulation.cases() == simulation.cases()
    assert simulation.cases() != Simulation(seed=4, count=20, split="val", at_least=5).cases()
    assert simulation.cases() != Simulation(seed=3, count=20, split="train", at_least=5).cases()
