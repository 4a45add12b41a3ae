from __future__ import annotations

import numpy as np
import torch

from shamsul_core.explain import Subject
from shamsul_core.explain.feature_maps import features_and_gradients
from shamsul_core.explain.gradcam_plus_plus import GradCamPlusPlus, GradCamPlusPlusSettings, weighted_maps
from tests.explain.networks import Pooled, classifier_of
from tests.made import made_pixels


def test_is_pytorch_grad_cams():
    import pytorch_grad_cam

    # It adds 1e-6 to a square of gradients, which is nothing beside gradients this large
    network = Pooled(scale=1000.0)
    subject = Subject(classifier_of(network, 32), made_pixels())
    ours = GradCamPlusPlus(GradCamPlusPlusSettings()).explain(subject, ["Cardiomegaly"])["Cardiomegaly"]
    features, gradients = features_and_gradients(network, subject.inputs, [1])
    with pytorch_grad_cam.GradCAMPlusPlus(network, [network.features]) as cam:
        theirs = cam.get_cam_image(
            subject.inputs, None, None, features[None].numpy(), gradients.numpy(), eigen_smooth=False
        )
    assert ours.values.max() > 0
    np.testing.assert_allclose(ours.values, np.maximum(theirs[0], 0), rtol=1e-3)


def test_the_weights_are_those_of_the_exponentials_derivatives():
    """Equation 10 with the derivatives of exp(S), S linear in the features, written out, in float64."""
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(4, 3, 3, generator=generator, dtype=torch.float64)
    slope = torch.randn(4, 3, 3, generator=generator, dtype=torch.float64)
    score = torch.exp((slope * features).sum())
    first, second, third = (score * slope**degree for degree in (1, 2, 3))
    alpha = second / (2 * second + features.sum(dim=(1, 2))[:, None, None] * third)
    weights = (alpha * first.relu()).sum(dim=(1, 2))
    expected = torch.einsum("k,khw->hw", weights, features).relu()
    (ours,) = weighted_maps(features, slope[None])
    np.testing.assert_allclose(ours * score.item(), expected, rtol=1e-9)


def test_never_negative():
    subject = Subject(classifier_of(Pooled(), 32), made_pixels())
    heatmaps = GradCamPlusPlus(GradCamPlusPlusSettings()).explain(subject, subject.classifier.pathologies)
    assert min(heatmap.values.min() for heatmap in heatmaps.values()) == 0
