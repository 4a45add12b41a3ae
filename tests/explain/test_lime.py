from __future__ import annotations

import numpy as np
import pytest
import torch
from lime.lime_image import LimeImageExplainer

from shamsul_core.explain import Subject
from shamsul_core.explain.lime import Lime, LimeSettings, lime_coefficients


def test_recovers_the_coefficients_of_a_function_linear_in_the_superpixels():
    weights = np.random.default_rng(0).normal(size=(12, 3))
    # A flat kernel, so that ridge's shrinkage is small
    fitted = lime_coefficients(lambda z: z @ weights + 5, 12, 4000, kernel_width=100.0, seed=0)
    # Ridge with alpha 1 on n samples of variance 1/4 shrinks by about n/4 / (n/4 + 1)
    np.testing.assert_allclose(fitted, weights, rtol=0.01, atol=0.01)


@pytest.mark.slow
def test_equals_lime_itself(classifier, pixels, monkeypatch):
    """The same superpixels and seed into lime's own explainer, which masks image by image in a loop."""
    monkeypatch.setattr("shamsul_core.classifier.classifier.has_fast_bfloat16", lambda: False)
    exact = type(classifier)(
        classifier.network, classifier.pathologies, classifier.preprocessing, "float32", is_trained=False
    )
    settings = LimeSettings(sampling=60, seed=5, output="probability")
    ours = Lime(settings).explain(Subject(exact, pixels), ["Edema", "Fracture"])

    def probabilities(images):
        batch = torch.as_tensor(images).permute(0, 3, 1, 2).float()
        return torch.sigmoid(exact.logits(batch)).double().numpy()

    labels = Subject(exact, pixels).superpixels(settings.superpixels, seed=5)
    image = exact.preprocess(pixels)[0].permute(1, 2, 0).double().numpy()
    columns = [exact.output_index(name) for name in ours]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lime.lime_image.tqdm", iter)
        theirs = LimeImageExplainer(random_state=5).explain_instance(
            image,
            probabilities,
            labels=columns,
            top_labels=None,
            hide_color=0,
            num_samples=60,
            segmentation_fn=lambda _: labels,
            random_seed=5,
        )
    for column, heatmap in zip(columns, ours.values(), strict=True):
        expected = dict(theirs.local_exp[column])
        np.testing.assert_allclose(
            heatmap.values, [expected[i] for i in range(len(expected))], rtol=1e-3, atol=1e-6
        )


def test_another_seed_draws_other_coalitions(classifier, pixels):
    first, second = (
        Lime(LimeSettings(sampling=40, seed=seed))
        .explain(Subject(classifier, pixels), ["Edema"])["Edema"]
        .values
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)
