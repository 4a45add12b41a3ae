"""What beats location and chance over a cohort, with differences that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shamsul_core.figures.html.yardsticks import NOT_MEASURED, verdict, yardstick_table
from shamsul_core.localisation.baselines import BY_LOT, LOCATION
from shamsul_core.run import YARDSTICK_COLUMNS
from shamsul_core.statistics.summary import summarise
from shamsul_core.statistics.yardsticks import hold_against
from tests.made import image_id

TITLES = {"good": "Good", "bad": "Bad"}


def table_of(ious, patients=12, pathologies=("Edema", "Cardiomegaly")):
    """A row for each patient, pathology and map; `ious` by map, to which noise with mean 0 is added alike for all maps."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(patients):
        for pathology in pathologies:
            noise = random.uniform(-0.05, 0.05)
            for method, iou in ious.items():
                rows.append(
                    {
                        "image_id": image_id(number),
                        "pathology": pathology,
                        "method": method,
                        "iou": iou + noise,
                        "hit": 1.0,
                        "others": 5.0,
                        "iou_elsewhere": iou / 2,
                        "hit_elsewhere": 0.5,
                        "ceiling": 0.9,
                    }
                )
    return pd.DataFrame(rows, columns=list(YARDSTICK_COLUMNS)).astype(YARDSTICK_COLUMNS)


IOUS = {"good": 0.6, "bad": 0.2, LOCATION: 0.4, BY_LOT: 0.1}


def test_differences_are_of_the_same_radiographs():
    """What is common to all maps of a radiograph cancels out, so that there is no width left."""
    held = hold_against(table_of(IOUS), list(TITLES)).set_index("method")
    for method, difference in (("good", 0.2), ("bad", -0.2), (LOCATION, 0)):
        row = held.loc[method]
        assert (
            row["over_location_mean"],
            row["over_location_low"],
            row["over_location_high"],
        ) == pytest.approx([difference] * 3)
    assert held.loc["good", "over_chance_mean"] == pytest.approx(0.5)
    assert held.loc["good", "own_mean"] == pytest.approx(held.loc["good", "iou"] - 0.3)
    assert held.loc["good", "patients"] == 12


def test_each_pathology_counts_as_much_however_frequent():
    rare = table_of({"good": 0.9, LOCATION: 0.1}, patients=2, pathologies=("Edema",))
    frequent = table_of({"good": 0.3, LOCATION: 0.1}, patients=40, pathologies=("Cardiomegaly",))
    held = hold_against(pd.concat([rare, frequent]), ["good"]).set_index("method")
    assert held.loc["good", "over_location_mean"] == pytest.approx((0.8 + 0.2) / 2)


@pytest.mark.parametrize(
    ("ious", "words"),
    [
        (
            IOUS,
            [
                "**Location alone is beaten only by Good.**",
                "(difference +0.20",
                "All methods beat superpixels",
            ],
        ),
        (IOUS | {"good": 0.3}, ["**No method beats location alone.**", "the best method, Good, 0.3"]),
        (IOUS | {"bad": 0.05}, ["Bad does not beat superpixels drawn by lot."]),
        ({"good": 0.6, "bad": 0.5}, ["What location alone would give is not known."]),
    ],
)
def test_the_verdict(ious, words):
    said = verdict(hold_against(table_of(ious), list(TITLES)), TITLES)
    for word in words:
        assert word in said


def test_too_few_patients_give_no_verdict():
    said = verdict(hold_against(table_of(IOUS, patients=9), list(TITLES)), TITLES)
    assert said.startswith("**Too few patients to tell whether any method beats location alone.**")
    assert verdict(hold_against(table_of({}), list(TITLES)), TITLES) == NOT_MEASURED


def test_the_table_holds_nothing_against_itself():
    table = yardstick_table(hold_against(table_of(IOUS), list(TITLES)), TITLES).set_index("Map")
    assert list(table.index) == ["Good", "Bad", "Location", "Superpixels by lot"]
    assert table.loc["Location", "Less location"] == "–"
    assert table.loc["Bad", "Less location"] == "−0.20 (−0.20 to −0.20)"


def test_the_location_of_each_pathology():
    means = summarise(table_of(IOUS), ["Edema", "Cardiomegaly"], [LOCATION]).set_index("pathology")
    assert list(means.index) == ["Edema", "Cardiomegaly"]
    assert means["mean"].mean() == pytest.approx(0.4, abs=0.03)
    assert (means["n"] == 12).all()
