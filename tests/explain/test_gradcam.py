from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam

from shamsul_core.classifier.weights import untrained_classifier
from shamsul_core.explain import Subject
from shamsul_core.explain.gradcam import GradCam, GradCamSettings, gradient_maps, linear_head_maps


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_closed_form_equals_captum(seed, pixels):
    classifier = untrained_classifier(seed)
    inputs = classifier.preprocess(pixels)
    columns = [1, 5, 13]
    ours = linear_head_maps(classifier.network, inputs, columns)
    assert ours.shape == (3, 7, 7)
    gradcam = LayerGradCam(classifier.network, classifier.network.relu)
    for index, column in enumerate(columns):
        theirs = gradcam.attribute(inputs.clone().requires_grad_(), target=column, relu_attributions=True)
        np.testing.assert_allclose(ours[index], theirs[0, 0].detach().numpy(), atol=1e-5)
    assert ours.max() > 1e-3
    np.testing.assert_allclose(gradient_maps(classifier.network, inputs, columns, "logit"), ours, atol=1e-5)


def test_equals_equation_4_and_5_on_hand_made_features(classifier, pixels):
    """alpha_k = mean gradient, map = ReLU(sum_k alpha_k A_k), written out with autograd."""
    inputs = classifier.preprocess(pixels)
    features = classifier.network.relu(classifier.network.features(inputs)).detach().requires_grad_()
    logits = classifier.network.classifier(classifier.network.pool(features).flatten(1))
    (gradient,) = torch.autograd.grad(logits[0, 3], features)
    alpha = gradient.mean((2, 3), keepdim=True)
    expected = (alpha * features).sum(1).relu()[0].detach().numpy()
    (ours,) = linear_head_maps(classifier.network, inputs, [3])
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_probability_scales_the_logits_map(classifier, pixels):
    logit = GradCam(GradCamSettings()).explain(Subject(classifier, pixels), ["Edema"])["Edema"]
    probability = GradCam(GradCamSettings(output="probability")).explain(
        Subject(classifier, pixels), ["Edema"]
    )["Edema"]
    p = classifier.predict(pixels)["Edema"]
    np.testing.assert_allclose(probability.relevance, logit.relevance * p * (1 - p), rtol=1e-3, atol=1e-7)
    assert probability.output == "probability"


def test_never_negative(classifier, pixels):
    heatmaps = GradCam(GradCamSettings()).explain(Subject(classifier, pixels), classifier.pathologies)
    assert min(one.relevance.min() for one in heatmaps.values()) == 0
