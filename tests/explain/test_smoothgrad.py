from __future__ import annotations

import numpy as np
import torch
from captum.attr import NoiseTunnel, Saliency

from shamsul_core.explain import Subject
from shamsul_core.explain.smoothgrad import SmoothGrad, SmoothGradSettings, noise_of
from tests.explain.networks import Linear, classifier_of, small_transformer
from tests.made import made_pixels


def explained(network, **settings):
    subject = Subject(classifier_of(network, 32), made_pixels())
    heatmaps = SmoothGrad(SmoothGradSettings(**settings)).explain(subject, subject.classifier.pathologies)
    return subject, np.stack([heatmap.values for heatmap in heatmaps.values()])


def test_is_captums_noise_tunnel_around_gradients_times_the_input(monkeypatch):
    network = small_transformer()
    settings = SmoothGradSettings(copies=6)
    subject, ours = explained(network, copies=6)
    deviation = float(settings.noise * (subject.inputs.max() - subject.inputs.min()))
    # captum draws from torch's own generator; here it is given the noise that we draw
    noise = noise_of(subject.inputs, settings)
    monkeypatch.setattr(torch, "normal", lambda mean, std: mean + std * noise.view(std.shape))
    for column in (0, 2):
        theirs = NoiseTunnel(Saliency(network)).attribute(
            subject.inputs, nt_type="smoothgrad", nt_samples=6, stdevs=deviation, target=column, abs=False
        )
        expected = (theirs * subject.inputs)[0].sum(dim=0).detach()
        np.testing.assert_allclose(ours[column], expected, rtol=1e-3, atol=1e-5)


def test_of_a_linear_network_noise_changes_nothing():
    network = Linear(32)
    subject, ours = explained(network, copies=3)
    expected = (network.weight * subject.inputs).sum(dim=1).detach()
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_the_seed_decides_the_noise():
    network = small_transformer()
    first, again, other = (explained(network, copies=2, seed=seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
