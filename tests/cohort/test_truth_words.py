"""What experts' marks are called, and that no mean is over two kinds of them."""

from __future__ import annotations

import pandas as pd
import pytest

from shamsul_core.cohort.truth_words import (
    BOX,
    CONTOUR,
    MIXED,
    POINT,
    parts_by_truth,
    words_by_pathology,
    words_of,
)

TABLE = pd.DataFrame(
    {
        "pathology": ["Mass", "Mass", "Edema", "Nodule", "Hernia"],
        "truth": pd.array(["box", None, "contour", "polygon", None], "string"),
        "iou": [0.1, 0.2, 0.3, 0.4, float("nan")],
    }
)


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([], CONTOUR),
        (["contour", "polygon"], CONTOUR),
        (["box", None, float("nan")], BOX),
        (["point"], POINT),
        (["box", "contour"], MIXED),
        (["something else"], CONTOUR),
    ],
)
def test_each_kind_has_its_words(kinds, words):
    assert words_of(kinds) is words


def test_a_box_is_said_with_its_score_and_a_contour_as_ever():
    assert (CONTOUR.score, CONTOUR.noun, CONTOUR.marked_as) == ("IoU", "contour", "contour")
    assert CONTOUR.defined() == "Intersection over union of the method's mask and the experts' mask, 0 to 1"
    assert (BOX.score, BOX.noun, BOX.marked_as) == ("box IoU", "box", "boxes")
    assert "bounding boxes" in BOX.defined("your")
    assert "each of your boxes" in BOX.defined("your")


def test_polygons_count_with_contours_and_boxes_apart():
    parts = parts_by_truth(TABLE)
    assert [(words, sorted(set(part["pathology"]))) for words, part in parts] == [
        (BOX, ["Hernia", "Mass"]),  # what is marked nowhere stands in the first
        (CONTOUR, ["Edema", "Nodule"]),
    ]
    assert words_by_pathology(TABLE)["Hernia"] is MIXED


def test_what_is_marked_nowhere_takes_the_words_of_the_rest():
    boxes = TABLE[TABLE["pathology"].isin(["Mass", "Hernia"])]
    assert words_by_pathology(boxes) == {"Mass": BOX, "Hernia": BOX}
    ((words, part),) = parts_by_truth(boxes)
    assert (words, len(part)) == (BOX, 3)


def test_scores_of_earlier_versions_are_of_contours():
    ((words, part),) = parts_by_truth(TABLE.drop(columns="truth"))
    assert (words, len(part)) == (CONTOUR, 5)
