from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shamsul_core.explain import Subject
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.kernelshap import KernelShap, kernel_explainer_values
from tests.explain.games import by_definition, game

pytestmark = pytest.mark.slow


@settings(max_examples=20)
@given(count=st.integers(3, 7), seed=st.integers(0, 1000))
def test_with_every_coalition_enumerated_equals_the_definition(count, seed):
    function = game(count, seed)
    ours = kernel_explainer_values(lambda z: function(z)[:, None], count, 2**count, keep_largest=None, seed=0)
    np.testing.assert_allclose(ours[:, 0], by_definition(function, count), atol=1e-8)


@pytest.mark.parametrize("samples", [30, 100])
def test_values_sum_to_the_whole_less_nothing_at_any_number_of_samples(samples):
    function = game(14, 3)
    ours = kernel_explainer_values(lambda z: function(z)[:, None], 14, samples, keep_largest=None, seed=0)
    assert ours.sum() == pytest.approx(function(np.ones(14)) - function(np.zeros(14)), abs=1e-9)


def test_a_superpixel_that_does_nothing_gets_nothing():
    function = game(4, 1)
    ours = kernel_explainer_values(lambda z: function(z[:, :4])[:, None], 5, 1000, keep_largest=None, seed=0)
    assert ours[4, 0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_heatmap_sums_to_the_difference_the_radiograph_makes(preset, classifier, pixels):
    chosen = KernelShap.presets[preset]
    few = 150 if preset == "paper" else AdaptiveSampling(first=150, budget=150)
    subject = Subject(classifier, pixels)
    heatmap = KernelShap(replace(chosen, sampling=few)).explain(subject, ["Edema"])["Edema"]
    masked = subject.masked(chosen.superpixels, hide=chosen.hide, seed=chosen.seed)
    np.testing.assert_array_equal(masked.superpixels, heatmap.superpixels)
    ends = np.stack([np.ones(masked.count), np.zeros(masked.count)])
    whole, nothing = masked.of(["Edema"], chosen.output)(ends)[:, 0]
    assert heatmap.values.sum() == pytest.approx(whole - nothing, abs=1e-5)
    assert abs(whole - nothing) > 1e-3


def test_paper_keeps_ten_superpixels(classifier, pixels):
    heatmap = KernelShap(KernelShap.presets["paper"]).explain(Subject(classifier, pixels), ["Edema"])["Edema"]
    assert 0 < np.count_nonzero(heatmap.values) <= 10
