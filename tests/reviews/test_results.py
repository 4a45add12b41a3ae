"""What readers think together, against published worked examples and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from shamsul_core.figures.scene.scene import EXPERT
from shamsul_core.reviews.blinding import shuffled
from shamsul_core.reviews.results import against_iou, agreement, method_results, ratings


def answers_of(table):
    """Turn readers × maps of 1..5, 0 for none, into answers."""
    rows = [
        {"reader": f"r{reader}", "image_id": f"p{unit}", "pathology": "Edema", "method": "lrp",
         "question": "significance", "value": str(value), "is_blinded": reader == 0}
        for reader, values in enumerate(table)
        for unit, value in enumerate(values)
        if value
    ]  # fmt: skip
    return pd.DataFrame(rows)


# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), the data of example C; ordinal alpha as in
# Hayes and Krippendorff 2007.
EXAMPLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]


def test_alpha_is_the_published_one():
    answer = agreement(answers_of(EXAMPLE))
    assert answer.alpha == pytest.approx(0.815, abs=0.001)
    assert answer.n == 11


def test_kappa_is_one_where_two_agree_and_less_where_they_do_not():
    same = [1, 2, 3, 4, 5, 5]
    pairs = agreement(answers_of([same, same, [5, 4, 3, 2, 1, 1]])).pairs
    kappa = pairs.set_index(["reader", "other"])["kappa"]
    assert kappa["r0", "r1"] == 1
    assert kappa["r0", "r2"] < -0.8
    assert pairs["n"].tolist() == [6, 6, 6]


def test_weighted_kappa_is_cohens():
    """Cohen 1968: one less the weighted disagreement seen over that expected by chance."""
    one, other = np.array([1, 2, 3, 4, 5, 3, 2]), np.array([1, 3, 3, 5, 5, 1, 2])
    seen = np.mean((one - other) ** 2)
    chance = np.mean((one[:, None] - other) ** 2)
    pairs = agreement(answers_of([one, other])).pairs
    assert pairs["kappa"].item() == pytest.approx(1 - seen / chance)


def test_nothing_is_said_of_readers_who_share_nothing():
    alpha, n, pairs = agreement(answers_of([[1, 0], [0, 3]]))
    assert math.isnan(alpha)
    assert n == 0
    assert pairs["kappa"].isna().all()
    assert pairs["n"].item() == 0


def test_methods_are_counted_and_averaged():
    answers = pd.concat(
        [
            answers_of([[2, 4], [3, 5]]),
            pd.DataFrame(
                [
                    {
                        "reader": "r0",
                        "image_id": "p0",
                        "pathology": "Edema",
                        "method": "lrp",
                        "question": "covers",
                        "value": "wholly",
                    },
                    {
                        "reader": "r1",
                        "image_id": "p0",
                        "pathology": "Edema",
                        "method": "lrp",
                        "question": "covers",
                        "value": "no",
                    },
                    {
                        "reader": "r1",
                        "image_id": "p0",
                        "pathology": "Edema",
                        "method": "",
                        "question": "best",
                        "value": "lrp",
                    },
                ]
            ),
        ]
    )
    lrp, lime = method_results(answers, ["lrp", "lime"]).to_dict("records")
    assert (lrp["n"], lrp["blinded"], lrp["readers"], lrp["radiographs"], lrp["mean"]) == (4, 2, 2, 2, 3.5)
    assert (lrp["covers_wholly"], lrp["covers_n"], lrp["marks_n"]) == (1, 2, 0)
    assert (lrp["best"], lrp["best_n"], lime["best"], lime["best_n"]) == (1, 1, 0, 1)
    assert lrp["deviation"] == pytest.approx(np.std([2, 4, 3, 5], ddof=1))
    assert lime["n"] == 0
    assert math.isnan(lime["mean"])


def test_ratings_that_rise_with_the_iou_correlate_wholly():
    answers = answers_of([[1, 2, 4, 5], [2, 2, 4, 5]])
    scores = pd.DataFrame(
        {
            "image_id": [f"p{i}" for i in range(4)],
            "pathology": "Edema",
            "method": "lrp",
            "iou": [0.1, 0.2, 0.3, 0.4],
        }
    )
    assert against_iou(answers, scores) == (pytest.approx(1), 4)
    assert ratings(answers).shape == (4, 2)


def test_each_reader_has_an_order_that_stays():
    methods = ["lime", "shap", "gradcam", "lrp"]
    orders = {tuple(shuffled(methods, f"r{i}", "p", "Edema")) for i in range(200)}
    assert len(orders) == 24
    assert shuffled(methods, "r", "p", "Edema") == shuffled(methods, "r", "p", "Edema")
    firsts = [shuffled(methods, "r", f"p{i}", "Edema")[0] for i in range(400)]
    assert min(firsts.count(name) for name in methods) > 70
    assert EXPERT not in methods
