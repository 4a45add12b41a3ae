"""Second readers held against the first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shamsul_core.cohort import Annotation
from shamsul_core.statistics.human_benchmark import human_benchmark_scores, percentage_decrease

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
