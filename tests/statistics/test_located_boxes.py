"""The share of boxes found at the thresholds of Wang et al. 2017, by hand."""

from __future__ import annotations

import pandas as pd

from shamsul_core.statistics.located_boxes import located_boxes

NAN = float("nan")


def scores(*rows):
    columns = ["image_id", "pathology", "method", "truth", "iou", "expert_area_px", "mask_area_px"]
    return pd.DataFrame(rows, columns=columns).astype({"truth": "string"})


def test_shares_are_of_the_radiographs_with_boxes_and_a_mask():
    table = scores(
        ("a", "Mass", "lime", "box", 0.1, 50, 9),
        ("b", "Mass", "lime", "box", 0.3, 50, 9),
        ("c", "Mass", "lime", "box", 0.95, 50, 9),
        # An empty mask finds nothing, and counts
        ("d", "Mass", "lime", "box", NAN, 50, 0),
        # Without boxes, or without any mask, it does not
        ("e", "Mass", "lime", None, NAN, 0, 9),
        ("f", "Mass", "lime", "box", NAN, 50, NAN),
        ("a", "Edema", "lime", "contour", 0.9, 50, 9),
    )
    (row,) = located_boxes(table, ["lime", "shap"]).to_dict("records")
    shares = {0.1: 0.75, 0.25: 0.5, 0.5: 0.25, 0.75: 0.25, 0.9: 0.25}
    assert row == {"pathology": "Mass", "method": "lime", "truth": "box", "n": 4, **shares}


def test_a_run_of_contours_has_none():
    assert located_boxes(scores(("a", "Edema", "lime", "contour", 0.9, 5, 9)), ["lime"]).empty
