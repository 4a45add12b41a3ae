"""Each policy for uncertain labels against targets and losses worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from shamsul_core.training.targets import (
    areas_under_roc,
    binary_logits,
    output_count,
    summed_loss,
    targets_of,
)

LABELS = np.array([[1.0, 0.0, -1.0, np.nan]], np.float32)
LOGITS = torch.tensor([[2.0, -1.0, 0.5, 3.0]])


def binary(logit: float, positive: bool) -> float:
    return math.log1p(math.exp(-logit if positive else logit))


@pytest.mark.parametrize(
    ("uncertain", "values", "weights", "loss"),
    [
        ("zeros", [1, 0, 0, 0], [1, 1, 1, 1], binary(0.5, False)),
        ("ones", [1, 0, 1, 0], [1, 1, 1, 1], binary(0.5, True)),
        ("ignore", [1, 0, 0, 0], [1, 1, 0, 1], 0.0),
    ],
)
def test_binary_policies(uncertain, values, weights, loss):
    targets = targets_of(LABELS, uncertain)
    assert targets.values.tolist() == [values]
    assert targets.weights.tolist() == [weights]
    expected = binary(2, True) + binary(-1, False) + binary(3, False) + loss
    assert float(summed_loss(LOGITS, targets)) == pytest.approx(expected, rel=1e-6)


def test_three_classes_are_the_cross_entropy_over_negative_uncertain_positive():
    by_label = [[0.1, 0.2, 1.0], [0.5, -0.5, 0.0], [0.3, 0.9, -2.0], [1.5, 0.0, 0.7]]
    truth = [2, 0, 1, 0]
    expected = sum(
        -math.log(math.exp(logits[one]) / sum(math.exp(value) for value in logits))
        for logits, one in zip(by_label, truth, strict=True)
    )
    targets = targets_of(LABELS, "three-class")
    assert output_count(4, "three-class") == 12
    found = summed_loss(torch.tensor(by_label).reshape(1, 12), targets)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_probability_of_three_classes_is_the_softmax_over_negative_and_positive():
    logits = torch.randn(5, 12, generator=torch.Generator().manual_seed(1))
    three = logits.reshape(5, 4, 3)
    expected = three[:, :, 2].exp() / (three[:, :, 0].exp() + three[:, :, 2].exp())
    torch.testing.assert_close(torch.sigmoid(binary_logits(logits, 4)), expected)


@pytest.mark.parametrize(
    ("uncertain", "area"), [("zeros", 3 / 4), ("ones", 1.0), ("ignore", 1.0), ("three-class", 1.0)]
)
def test_auroc_counts_the_ordered_pairs_of_what_is_known(uncertain, area):
    """Positive 3 and 1 against negative 0 is 2 of 2 pairs; the uncertain 2 adds pairs where it is given a label."""
    labels = np.array([[1, 1], [1, 1], [-1, 1], [np.nan, 1]], np.float32)
    logits = torch.tensor([[3.0, 0], [1, 0], [2, 0], [0, 0]])
    areas = areas_under_roc(logits, targets_of(labels, uncertain))
    assert areas[0] == pytest.approx(area)
    assert math.isnan(areas[1])
