from __future__ import annotations

import numpy as np
import pytest
import torch

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.explain.masked import MaskedEvaluation

SIZE = 32
LABELS = (np.arange(SIZE)[:, None] // 16 * 2 + np.arange(SIZE) // 16).astype(np.intp)  # four quarters


class Weighted(torch.nn.Module):
    """Logits that are weighted sums of the input, worked out on paper."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.weight = torch.nn.Parameter(torch.randn(2, 3, SIZE, SIZE, generator=generator) / SIZE)

    def forward(self, batch):
        return torch.einsum("nchw,kchw->nk", batch, self.weight)


@pytest.fixture(params=["float32", "fast"])
def evaluation(request, monkeypatch):
    if request.param == "float32":
        monkeypatch.setattr("shamsul_core.classifier.classifier.has_fast_bfloat16", lambda: False)
    classifier = Classifier(
        Weighted(), ("Edema", "Fracture"), Preprocessing(size_px=SIZE), "sums", is_trained=True
    )
    inputs = torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    tolerance = 1e-4 if request.param == "float32" else 0.02
    return MaskedEvaluation(classifier, inputs, LABELS, torch.full_like(inputs, -0.5)), tolerance


def test_hidden_superpixels_take_the_hidden_value_and_no_other(evaluation):
    evaluate, tolerance = evaluation
    coalitions = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0]])
    weight = evaluate.classifier.network.weight.detach().numpy().astype(float)
    image = evaluate.inputs[0].numpy().astype(float)
    expected = [
        [(np.where(coalition[LABELS], image, -0.5) * weight[column]).sum() for column in (0, 1)]
        for coalition in coalitions
    ]
    np.testing.assert_allclose(evaluate(coalitions), expected, atol=tolerance * np.abs(expected).max())


def test_more_coalitions_than_a_batch_come_out_in_their_order(evaluation):
    evaluate, tolerance = evaluation
    coalitions = np.random.default_rng(0).integers(0, 2, (70, 4))
    whole = evaluate(coalitions)
    assert whole.shape == (70, 2)
    one_by_one = np.concatenate([evaluate(coalition[None]) for coalition in coalitions])
    np.testing.assert_allclose(whole, one_by_one, atol=tolerance)


def test_probability_is_the_sigmoid_of_the_logit_of_the_asked_pathologies(evaluation):
    evaluate, _ = evaluation
    coalitions = np.array([[1, 0, 1, 0]])
    logits = evaluate(coalitions)
    np.testing.assert_array_equal(evaluate.of(("Fracture", "Edema"), "logit")(coalitions), logits[:, ::-1])
    probability = evaluate.of(("Fracture",), "probability")(coalitions)
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-logits[:, 1:])))
