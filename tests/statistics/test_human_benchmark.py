"""Second readers held against the first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shamsul_core.cohort import Annotation
from shamsul_core.cohort.truth_words import CONTOUR
from shamsul_core.statistics.human_benchmark import (
    EACH_OTHER,
    READERS,
    benchmark_in_words,
    human_benchmark_scores,
    percentage_decrease,
)

SQUARE = np.array([[10, 10], [10, 29], [29, 29], [29, 10]], float)


class TwoGroups:
    """A cohort of which the second readers saw the right half of what the experts marked."""

    def annotation(self, image_id, pathology):
        return Annotation(image_id=image_id, pathology=pathology, size=(40, 40), polygons=(SQUARE,))

    def human_benchmark(self, image_id, pathology):
        if image_id == "alone":
            return None
        return Annotation(
            image_id=image_id, pathology=pathology, size=(40, 40), polygons=(SQUARE * [0.5, 1] + [15, 0],)
        )

    def marked_on(self, image_id):
        return ("Edema",)

    def annotators(self, image_id):
        return ("",)

    def annotations(self, image_id, pathology):
        return (self.annotation(image_id, pathology),)

    def salient_points(self, image_id, pathology):
        return {"hit": ((20.0, 20.0),), "miss": ((1.0, 1.0), (500.0, 2.0))}.get(image_id, ())


def test_iou_and_hits_of_the_second_readers():
    table = human_benchmark_scores(TwoGroups(), ["hit", "miss", "none", "alone"], ["Edema"])
    assert table["image_id"].tolist() == ["hit", "miss", "none"]
    assert table["iou"].tolist() == pytest.approx([0.5] * 3, abs=0.03)
    np.testing.assert_array_equal(table["hit"], [1, 0, 0])  # nothing clicked is a miss, as eval.py counts it
    without_points = human_benchmark_scores(TwoGroups(), ["none"], ["Edema"])
    assert without_points["hit"].isna().all()


def test_a_point_belongs_to_the_pixel_it_lies_in():
    """eval.py cuts coordinates off; the mask ends with pixel 29, in which 29.9 lies."""

    class OnTheEdge(TwoGroups):
        def salient_points(self, image_id, pathology):
            return ((float(image_id), 20.0),)

    table = human_benchmark_scores(OnTheEdge(), ["9.9", "10.0", "29.9", "30.0"], ["Edema"])
    np.testing.assert_array_equal(table["hit"], [0, 1, 1, 0])


class Readers:
    """A cohort of which each reader's marks are given, an array of boxes or one of contours each."""

    def __init__(self, **marks):
        self.marks = marks

    def marked_on(self, image_id):
        return ("Edema",) if image_id in self.marks else ()

    def annotators(self, image_id):
        return tuple(f"R{number}" for number, _ in enumerate(self.marks[image_id]))

    def human_benchmark(self, image_id, pathology):
        return None

    def annotations(self, image_id, pathology):
        return tuple(
            Annotation(
                image_id=image_id,
                pathology=pathology,
                size=(40, 40),
                boxes=np.array(marks, np.float64).reshape(-1, 4),
                kind="box",
            )
            if isinstance(marks, list)
            else Annotation(image_id=image_id, pathology=pathology, size=(40, 40), polygons=marks)
            for marks in self.marks[image_id]
        )


def test_each_reader_is_held_against_the_others_box_by_box():
    """Three readers' boxes, worked by hand.

    A drew (0, 0, 10, 10), B (5, 0, 15, 10), C both A's and (20, 20, 30, 30); 50 of 150 pixels are A's and B's.
    A against B 1/3, against C's two boxes (1 + 0) / 2; B against A 1/3, against C (1/3 + 0) / 2; C against A 1, against B
    1/3: each of the other's boxes with the nearest of C's.
    """
    a, b, c = [(0, 0, 10, 10)], [(5, 0, 15, 10)], [(0, 0, 10, 10), (20, 20, 30, 30)]
    table = human_benchmark_scores(Readers(three=(a, b, c), nobody=([], [])), ["three", "nobody"], ["Edema"])
    (row,) = table.to_dict("records")
    held_out = [(1 / 3 + 1 / 2) / 2, (1 / 3 + 1 / 6) / 2, (1 + 1 / 3) / 2]
    assert row["iou"] == pytest.approx(np.mean(held_out))
    # A's centre (5, 5) lies in B (which begins there) and in C; B's (10, 5) in neither, as a box ends before its edge;
    # of C's two, one lies in A and in B
    assert row["hit"] == pytest.approx(np.mean([1, 0, 1 / 2]))
    assert (row["method"], row["truth"]) == (EACH_OTHER, "box")


def test_readers_who_marked_nothing_are_left_out_and_one_alone_is_no_benchmark():
    a, b = [(0, 0, 10, 10)], [(0, 0, 10, 5)]
    table = human_benchmark_scores(Readers(two=(a, [], b), one=([], a, [])), ["two", "one"], ["Edema"])
    assert table["image_id"].tolist() == ["two"]
    assert table["iou"].tolist() == [0.5]


def test_readers_who_drew_contours_agree_by_their_masks_and_point_at_nothing():
    half = SQUARE * [0.5, 1] + [15, 0]
    table = human_benchmark_scores(Readers(r=((SQUARE,), (half,), (SQUARE,))), ["r"], ["Edema"])
    # Against the half and the whole, twice; the half against two wholes
    assert table["iou"].tolist() == pytest.approx([(2 * (0.5 + 1) / 2 + 0.5) / 3], abs=0.03)
    assert table["hit"].isna().all()
    assert benchmark_in_words(table, CONTOUR).startswith("Human benchmark: each reader's contours")


def test_where_one_reader_looked_no_image_is_opened():
    class Closed(Readers):
        def annotations(self, image_id, pathology):
            raise AssertionError

    assert human_benchmark_scores(Closed(one=([(0, 0, 10, 10)],)), ["one"], ["Edema"]).empty


def test_second_readers_come_before_readers_held_against_each_other():
    class Both(TwoGroups):
        def annotators(self, image_id):
            return ("R1", "R2", "R3")

        def annotations(self, image_id, pathology):
            return (self.annotation(image_id, pathology),) * 3

    assert set(human_benchmark_scores(Both(), ["hit", "miss"], ["Edema"])["method"]) == {READERS}


def test_the_decrease_is_a_share_of_the_readers():
    ids = [f"r{number}" for number in range(30)]
    readers = pd.DataFrame(
        {"image_id": ids, "pathology": "Edema", "method": "readers", "iou": 0.5, "hit": 1.0}
    )
    scores = pd.DataFrame({"image_id": ids, "pathology": "Edema", "method": "lrp", "iou": 0.2, "hit": 1.0})
    row, average = percentage_decrease(scores, readers, ["lrp"]).to_dict("records")
    assert row["decrease"] == pytest.approx(60)
    assert (row["decrease_low"], row["decrease_high"]) == pytest.approx((60, 60))
    assert average == row | {"pathology": "Average"}
    row, _ = percentage_decrease(scores, readers, ["lrp"], "hit").to_dict("records")
    assert row["decrease"] == 0
    spread = scores.assign(iou=np.linspace(0, 0.4, 30))
    row, _ = percentage_decrease(spread, readers, ["lrp"]).to_dict("records")
    assert row["decrease_low"] < 60 < row["decrease_high"]


def test_the_decreases_are_those_of_chexlocalizes_bootstrap():
    """Written again in pandas, a resample at a time, as ``calculate_percentage_decrease.py`` defines it."""
    rng = np.random.default_rng(3)
    ids, names = [f"r{number:02d}" for number in range(40)], ["Atelectasis", "Edema", "Lung Lesion"]
    cases = pd.MultiIndex.from_product([ids, names], names=["image_id", "pathology"]).to_frame(index=False)
    readers, method = (rng.uniform(0.1, 0.9, (40, 3)), rng.uniform(0, 0.6, (40, 3)))
    readers[rng.random((40, 3)) < 0.3] = method[rng.random((40, 3)) < 0.3] = np.nan
    table = percentage_decrease(
        cases.assign(method="lime", iou=method.ravel()),
        cases.assign(method="readers", iou=readers.ravel()).dropna(),
        ["lime"],
    ).set_index("pathology")
    hb, pred = pd.DataFrame(readers, columns=names), pd.DataFrame(method, columns=names)
    drawn = rng.integers(40, size=(1000, 40))
    hb_bs, pred_bs = (pd.DataFrame([one.iloc[rows].mean() for rows in drawn]) for one in (hb, pred))
    for name in names:
        assert table.loc[name, "decrease"] == pytest.approx(100 * (1 - pred[name].mean() / hb[name].mean()))
        ends = 100 * ((hb_bs - pred_bs) / hb_bs)[name].quantile([0.025, 0.975])
        assert table.loc[name, ["decrease_low", "decrease_high"]].tolist() == pytest.approx(
            ends.tolist(), abs=3
        )
    average = 100 * (1 - pred.mean().mean() / hb.mean().mean())
    assert table.loc["Average", "decrease"] == pytest.approx(average)
    ends = (100 * (1 - pred_bs.mean(axis=1) / hb_bs.mean(axis=1))).quantile([0.025, 0.975])
    assert table.loc["Average", ["decrease_low", "decrease_high"]].tolist() == pytest.approx(
        ends.tolist(), abs=3
    )
