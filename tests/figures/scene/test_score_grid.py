from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
import pytest

from shamsul_core.figures.scene.score_grid import Lesion, lesion, lesion_fact, prediction_fact, score_grid
from shamsul_core.statistics.prediction.decisions import Thresholds

SHAPE = (100, 201)


def drawn(*centres):
    mask = np.zeros(SHAPE, np.uint8)
    for centre in centres:
        cv2.circle(mask, centre, 10, 1, cv2.FILLED)
    return mask.astype(bool)


@pytest.mark.parametrize(
    ("centres", "regions", "side"),
    [
        ([(40, 50)], 1, "left"),
        ([(160, 50), (120, 20)], 2, "right"),
        ([(100, 50)], 1, "both"),
        ([(40, 50), (160, 50)], 2, "both"),
        ([(40, 50), (48, 58)], 1, "left"),  # overlapping
    ],
)
def test_a_lesion_is_counted_measured_and_placed(centres, regions, side):
    mask = drawn(*centres)
    found = lesion(mask)
    assert (found.regions, found.side) == (regions, side)
    assert found.share == mask.sum() / mask.size
    mirrored = {"left": "right", "right": "left", "both": "both"}[side]
    assert lesion(mask[:, ::-1]).side == mirrored


def test_where_nothing_is_marked_there_is_no_lesion():
    assert lesion(drawn()) is None


def test_the_patients_right_is_on_the_left_of_a_frontal_view_and_a_lateral_view_has_no_side():
    found = Lesion(regions=1, share=0.034, side="left")
    assert lesion_fact(found, is_frontal=True).value == (
        "1 region, 3.4 % of the radiograph, left of the image's midline (patient's right)"
    )
    assert lesion_fact(found, is_frontal=False).value == "1 region, 3.4 % of the radiograph"


@pytest.mark.parametrize(
    ("probability", "label", "words"),
    [
        (0.5, 1.0, "0.50, predicted (threshold 0.50), labelled positive, correct"),
        (0.49, 1.0, "0.49, not predicted (threshold 0.50), labelled positive, incorrect"),
        (0.2, 0.0, "0.20, not predicted (threshold 0.50), labelled negative, correct"),
        (0.7, -1.0, "0.70, predicted (threshold 0.50), labelled uncertain"),
        (0.7, float("nan"), "0.70, predicted (threshold 0.50), not labelled"),
        (None, None, "unknown, not labelled"),
    ],
)
def test_a_prediction_is_held_against_its_label_where_that_is_decided(probability, label, words):
    assert prediction_fact("Edema", probability, label, Thresholds()).value == words


def test_a_prediction_is_decided_at_its_pathologys_threshold_and_says_so():
    thresholds = Thresholds("Youden", {"Edema": 0.31})
    fact = prediction_fact("Edema", 0.42, 1.0, thresholds)
    assert fact.value == "0.42, predicted (Youden threshold 0.31), labelled positive, correct"
    assert "Youden" in fact.help
    other = prediction_fact("Fracture", 0.42, 1.0, thresholds)
    assert other.value == "0.42, not predicted (threshold 0.50), labelled positive, incorrect"
    scores = pd.DataFrame(columns=["pathology", "method", "iou", "hit", "reason"])
    edema, fracture = score_grid(
        ("Edema", "Fracture"), {}, scores, {"Edema": 0.42, "Fracture": 0.42}, {}, (), thresholds
    )
    assert edema.is_predicted
    assert "predicted (Youden threshold 0.31)" in edema.help
    assert not fracture.is_predicted


def test_the_grid_shows_scores_and_says_why_there_is_none():
    scores = pd.DataFrame(
        [
            ("Edema", "lime", 0.256, 1.0, None),
            ("Edema", "shap", np.nan, np.nan, "out of memory"),
            ("Atelectasis", "lime", 0.0, 0.0, None),
        ],
        columns=["pathology", "method", "iou", "hit", "reason"],
    )
    edema, atelectasis = score_grid(
        ("Edema", "Atelectasis"),
        {"lime": "LIME", "shap": "SHAP"},
        scores,
        {"Edema": 0.731},
        {"Edema": 1.0, "Atelectasis": None},
        {"Edema"},
    )
    assert (edema.sign, edema.is_marked, edema.probability, edema.is_predicted) == ("●", True, "0.73", True)
    assert [cell.text for cell in edema.cells] == ["0.26", "–"]
    assert [cell.is_hit for cell in edema.cells] == [True, False]
    assert "out of memory" in edema.cells[1].help
    assert (atelectasis.sign, atelectasis.probability, atelectasis.is_predicted) == ("·", "–", False)
    assert [cell.text for cell in atelectasis.cells] == ["0.00", "–"]
    assert "not scored yet" in atelectasis.cells[1].help
