from __future__ import annotations

import numpy as np
import pytest
import torch

from shamsul_core.explain import Subject
from shamsul_core.explain.gradcam import gradient_maps
from shamsul_core.explain.hirescam import HiResCam, HiResCamSettings
from tests.explain.networks import Pooled, classifier_of
from tests.made import made_pixels


def maps_of(network, size_px=32, **settings):
    subject = Subject(classifier_of(network, size_px), made_pixels())
    heatmaps = HiResCam(HiResCamSettings(**settings)).explain(subject, subject.classifier.pathologies)
    return subject, np.stack([heatmap.relevance for heatmap in heatmaps.values()])


def test_is_grad_cam_before_its_relu_where_a_linear_head_follows_pooling():
    network = Pooled()
    subject, ours = maps_of(network)
    assert (ours < 0).any()
    gradcam = gradient_maps(network, subject.inputs, [0, 1, 2], "logit")
    np.testing.assert_allclose(np.maximum(ours, 0), gradcam, rtol=1e-4, atol=1e-7)


def test_sums_to_the_logit_less_the_heads_bias():
    network = Pooled()
    subject, ours = maps_of(network)
    logits = network(subject.inputs)[0] - network.head.bias
    np.testing.assert_allclose(ours.sum(axis=(1, 2)), logits.detach(), rtol=1e-4)


class Unpooled(Pooled):
    """A head that weighs each place by itself, where Grad-CAM's mean gradient points to the wrong ones."""

    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(6 * 64, 3)

    def forward(self, batch):
        return self.head(self.features(batch).flatten(1))


def test_is_pytorch_grad_cams_where_places_are_weighted_unlike_each_other():
    import pytorch_grad_cam

    network = Unpooled()
    subject, ours = maps_of(network)
    with pytorch_grad_cam.HiResCAM(network, [network.features]) as cam:
        cam.activations_and_grads(subject.inputs.clone().requires_grad_())[0, 1].backward()
        features, gradients = (
            kept[0].detach().numpy()
            for kept in (cam.activations_and_grads.activations, cam.activations_and_grads.gradients)
        )
        theirs = cam.get_cam_image(None, None, None, features, gradients, eigen_smooth=False)[0]
    np.testing.assert_allclose(ours[1], theirs, rtol=1e-4, atol=1e-6)
    gradcam = gradient_maps(network, subject.inputs, [1], "logit")[0]
    assert np.corrcoef(ours[1].ravel(), gradcam.ravel())[0, 1] < 0.9


def test_the_probabilitys_map_is_the_logits_times_its_slope():
    network = Pooled()
    subject, ours = maps_of(network)
    _, probability = maps_of(network, output="probability")
    slope = torch.sigmoid(network(subject.inputs))[0].detach().numpy()
    slope *= 1 - slope
    np.testing.assert_allclose(probability, ours * slope[:, None, None], rtol=1e-4, atol=1e-8)


def test_a_network_without_maps_is_refused_in_a_line():
    with pytest.raises(ValueError, match="Flat has not"):
        maps_of(Flat())


class Flat(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3 * 32 * 32, 3)

    def forward(self, batch):
        return self.head(batch.flatten(1))
