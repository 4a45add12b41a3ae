from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients as Captums

from shamsul_core.explain import Subject
from shamsul_core.explain.integrated_gradients import (
    IntegratedGradients,
    IntegratedGradientsSettings,
    integrate,
)
from tests.explain.networks import Linear, Pooled, classifier_of, small_transformer
from tests.made import made_pixels


def test_is_captums():
    network = small_transformer()
    subject = Subject(classifier_of(network, 32), made_pixels())
    ours = integrate(network, subject.inputs, [0, 2], steps=11)
    for index, column in enumerate((0, 2)):
        theirs = Captums(network).attribute(subject.inputs, target=column, n_steps=11)
        np.testing.assert_allclose(ours[index], theirs[0].sum(dim=0).detach(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("network", "steps"), [(Pooled(), 32), (small_transformer(), 400)])
def test_sums_to_the_logit_less_mean_greys(network, steps):
    """Completeness, Sundararajan et al.'s proposition 1."""
    subject, heatmaps = explained(network, steps)
    with torch.no_grad():
        logits = network(subject.inputs)[0] - network(torch.zeros_like(subject.inputs))[0]
    sums = [heatmap.values.sum() for heatmap in heatmaps]
    np.testing.assert_allclose(sums, logits, atol=0.01 * logits.abs().max())
    assert all(heatmap.converged for heatmap in heatmaps)


def test_says_where_the_sum_is_not_yet_the_integral():
    assert not any(heatmap.converged for heatmap in explained(small_transformer(), steps=4)[1])


def explained(network, steps):
    subject = Subject(classifier_of(network, 32), made_pixels())
    settings = IntegratedGradientsSettings(steps=steps)
    return subject, list(
        IntegratedGradients(settings).explain(subject, subject.classifier.pathologies).values()
    )


def test_of_a_linear_network_is_weight_times_input():
    network = Linear(32)
    subject = Subject(classifier_of(network, 32), made_pixels())
    ours = integrate(network, subject.inputs, [1], steps=3)[0]
    np.testing.assert_allclose(ours, (network.weight[1] * subject.inputs[0]).sum(dim=0).detach(), atol=1e-5)
