"""Logits whose sigmoid is the probability, whatever the outputs are, and their names."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from shamsul_core.classifier.classifier import Classifier
from shamsul_core.classifier.errors import ModelError
from shamsul_core.classifier.outputs import LogOdds, log_odds, named
from shamsul_core.classifier.preprocessing import Preprocessing
from shamsul_core.explain import Subject
from shamsul_core.explain.lrp import LayerwiseRelevancePropagation, LrpSettings
from tests.made import made_pixels


def test_the_sigmoid_of_log_odds_is_the_softmax():
    logits = torch.randn(50, 5, generator=torch.Generator().manual_seed(0)) * 4
    torch.testing.assert_close(log_odds(logits).sigmoid(), logits.softmax(-1))
    # Worked by hand: odds of 3 : 1 and of 2 : (3 + 1)
    worked = log_odds(torch.tensor([[3.0, 2.0, 1.0]]).log())
    torch.testing.assert_close(worked.exp(), torch.tensor([[3 / 3, 2 / 4, 1 / 5]]))


def test_nothing_overflows_where_one_class_is_certain():
    certain = log_odds(torch.tensor([[200.0, 0.0, -200.0]]))
    torch.testing.assert_close(certain, torch.tensor([[200.0, -200.0, -400.0]]))


class Linear(nn.Module):
    """Pooling and one linear layer of three classes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.pool, self.head = nn.AvgPool2d(8), nn.Linear(3 * 16, 3, bias=False)

    def forward(self, batch):
        return self.head(self.pool(batch).flatten(1))


@pytest.mark.parametrize("settings", [LrpSettings(), LrpSettings(epsilon=1e-5)])
def test_lrp_of_log_odds_shares_out_each_classs_logit(settings):
    """A linear layer's relevance is weight times input; those of the classes add up by the gradient of the log-odds."""
    network = Linear()
    made = Classifier(
        LogOdds(network),
        ("a", "b", "c"),
        Preprocessing(size_px=32),
        "made",
        is_trained=True,
        output_kind="softmax",
    )
    subject = Subject(made, made_pixels())
    relevance = LayerwiseRelevancePropagation(settings).explain(subject, ["b"])["b"].values
    pooled = network.pool(subject.inputs).flatten()
    logits = network.head.weight @ pooled
    others = logits[[0, 2]].softmax(0)
    weights = torch.stack([-others[0], torch.tensor(1.0), -others[1]])
    assert relevance.sum() == pytest.approx((weights @ logits).item(), rel=1e-3)
    expected = ((weights @ network.head.weight) * pooled).view(3, 4, 4).sum(0)
    blocks = torch.from_numpy(relevance).view(4, 8, 4, 8).sum((1, 3))
    torch.testing.assert_close(blocks, expected, rtol=1e-2, atol=1e-3)


def test_names_are_the_vocabularys_where_it_knows_them_and_stand_as_they_are_where_not():
    assert named(["Airspace Opacity", " Gout "], "m.pt", "m.pt.json") == ("Lung Opacity", "Gout")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "nothing names its outputs"),
        (["LABEL_0"], "no names of their own"),
        (["Edema", "3"], "no names of their own"),
        (["class 1"], "no names of their own"),
        (["Edema", None], "no names of their own"),
        (["Lung Opacity", "Airspace Opacity"], "two of its outputs are 'Lung Opacity'"),
    ],
)
def test_outputs_that_nothing_names_are_refused_with_what_to_do(names, words):
    with pytest.raises(ModelError, match=rf"m.pt: .*{words}.*put m.pt.json beside it with"):
        named(names, "m.pt", "m.pt.json")
