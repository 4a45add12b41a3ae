from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from shamsul_core.explain import Subject
from shamsul_core.explain.adaptive import AdaptiveSampling
from shamsul_core.explain.rise import Rise, RiseSettings, _masks, importance, reliability_of
from tests.explain.networks import Linear, classifier_of
from tests.made import made_pixels

SIZE = 32


@pytest.fixture(autouse=True)
def _in_float32_and_pixels(monkeypatch):
    monkeypatch.setattr("shamsul_core.classifier.classifier.has_fast_bfloat16", lambda: False)
    # A place of the map is a pixel
    monkeypatch.setattr("shamsul_core.explain.rise._SIDE", SIZE)


def explained(**settings):
    subject = Subject(classifier_of(Linear(SIZE), SIZE), made_pixels())
    heatmaps = Rise(RiseSettings(**settings)).explain(subject, subject.classifier.pathologies)
    return subject, list(heatmaps.values())


def test_is_the_papers_sum_less_its_mean():
    """Equation 6, mask by mask."""
    subject, heatmaps = explained(sampling=40)
    drawn = _masks(SIZE, RiseSettings())
    masks = torch.from_numpy(np.stack([next(drawn) for _ in range(40)]))
    logits = subject.classifier.network(subject.inputs * masks[:, None]).detach()
    for column, heatmap in enumerate(heatmaps):
        total = sum(logit * mask for logit, mask in zip(logits[:, column], masks, strict=True)) / (0.5 * 40)
        less = logits[:, column].mean() * masks.mean(dim=0) / 0.5
        np.testing.assert_allclose(heatmap.values, total - less, rtol=1e-3, atol=1e-4)


def test_of_a_linear_network_is_within_its_standard_errors_of_the_limit():
    """Of weighted sums the limit is the masks' covariance times weight times input, here from masks of its own."""
    subject, heatmaps = explained(sampling=3000)
    others = _masks(SIZE, RiseSettings(seed=1))
    masks = np.stack([next(others) for _ in range(20_000)]).reshape(20_000, -1)
    contributions = (
        (subject.classifier.network.weight * subject.inputs).sum(dim=1).flatten(1).detach().numpy()
    )
    limit = np.cov(masks.T) @ contributions.T / 0.5
    errors = np.stack(
        [
            (heatmap.values.ravel() - limit[:, column]) / heatmap.standard_error.ravel()
            for column, heatmap in enumerate(heatmaps)
        ]
    )
    assert 0.6 < np.sqrt(np.mean(errors**2)) < 1.4
    assert np.mean(np.abs(errors) < 2) > 0.85


def test_masks_are_petsiuks():
    """Cells that show or not, bilinear in between, of which a window is cut out at random."""
    mask = next(_masks(SIZE, RiseSettings()))
    random = np.random.default_rng(0)
    cells = torch.from_numpy((random.random((7, 7)) < 0.5).astype(np.float32))[None, None]
    top, left = random.integers(0, 5, 2)
    whole = functional.interpolate(cells, size=(40, 40), mode="bilinear")[0, 0]
    np.testing.assert_allclose(mask, whole[top : top + SIZE, left : left + SIZE])
    drawn = _masks(SIZE, RiseSettings(shown=0.3))
    assert np.mean([next(drawn) for _ in range(400)]) == pytest.approx(0.3, abs=0.01)


def test_reliability_is_the_correlation_with_the_limit():
    random = np.random.default_rng(0)
    limit, noise = random.normal(size=(20_000, 1)), 0.5 * random.normal(size=(20_000, 1))
    measured = reliability_of(limit + noise, np.full((20_000, 1), 0.5))
    assert measured == pytest.approx(np.corrcoef(limit.ravel(), (limit + noise).ravel())[0, 1], abs=0.01)
    assert reliability_of(noise, np.full((20_000, 1), 0.6)) == 0


def test_stops_when_good_enough_or_at_the_budget():
    _, spent = explained(sampling=AdaptiveSampling(first=100, step=50, budget=200, reliability=0.9999))
    assert {(heatmap.evaluations, heatmap.converged) for heatmap in spent} == {(200, False)}
    _, early = explained(sampling=AdaptiveSampling(first=100, step=50, budget=200, reliability=0.01))
    assert {(heatmap.evaluations, heatmap.converged) for heatmap in early} == {(100, True)}
    # However it is asked for
    np.testing.assert_allclose(explained(sampling=200)[1][0].values, spent[0].values, rtol=1e-5)


def test_a_place_that_always_shows_has_no_importance():
    values, error = importance(np.ones((10, 1)), np.random.default_rng(0).normal(size=(10, 1)), 0.5)
    assert values == error == 0
