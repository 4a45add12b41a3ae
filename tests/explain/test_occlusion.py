from __future__ import annotations

import numpy as np
import pytest
from captum.attr import Occlusion as Captums

from shamsul_core.explain import Subject
from shamsul_core.explain.occlusion import Occlusion, OcclusionSettings
from tests.explain.networks import Linear, classifier_of, small_transformer
from tests.made import made_pixels


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch):
    monkeypatch.setattr("shamsul_core.classifier.classifier.has_fast_bfloat16", lambda: False)


def explained(network, **settings):
    subject = Subject(classifier_of(network, 32), made_pixels())
    heatmaps = Occlusion(OcclusionSettings(**settings)).explain(subject, subject.classifier.pathologies)
    return subject, np.stack([heatmap.values for heatmap in heatmaps.values()])


@pytest.mark.parametrize(("tiles", "window"), [(8, 3), (4, 1), (2, 2)])
def test_is_captums(tiles, window):
    network = small_transformer()
    subject, ours = explained(network, tiles=tiles, window=window)
    px = 32 // tiles
    for column, values in enumerate(ours):
        theirs = Captums(network).attribute(
            subject.inputs, (3, window * px, window * px), strides=(3, px, px), target=column, baselines=0
        )
        # The same in each pixel of a tile and in each channel
        expected = theirs[0, 0, ::px, ::px]
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-4)


def test_of_a_linear_network_tiles_sum_to_the_logit_less_mean_greys():
    network = Linear(32)
    subject, ours = explained(network, tiles=4, window=1)
    np.testing.assert_allclose(ours.sum(axis=(1, 2)), network(subject.inputs)[0].detach(), rtol=1e-3)


def test_what_hides_is_a_setting():
    network = small_transformer()
    grey, blur, mean, painted = (
        explained(network, hide=hide)[1] for hide in ("grey", "blur", "local mean", "inpainted")
    )
    for one, other in ((grey, blur), (blur, mean), (mean, painted)):
        assert not np.allclose(one, other)
