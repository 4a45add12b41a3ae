"""A cohort's own numbers, against counts from the label file itself."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.summary import cohort_table, composition, label_counts
from shamsul_core.vocabulary import OBSERVATIONS


def test_a_made_cohort_is_counted_as_its_file_says(made_cohort):
    with (made_cohort / "CheXpert" / "val_labels.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    table = cohort_table(open_cohort(made_cohort))
    assert list(table.index) == list(open_cohort(made_cohort).radiographs)
    counts = label_counts(table)
    for name in OBSERVATIONS:
        labels = [line[name] for line in lines]
        assert counts.loc[name, "positive"] == labels.count("1.0")
        assert counts.loc[name, "negative"] == labels.count("0.0")
        assert counts.loc[name, "uncertain"] == labels.count("-1.0")
        assert counts.loc[name, "blank"] == labels.count("")
    assert counts.loc["Pneumonia", "uncertain"] == 2
    assert composition(table) == {
        "View": {"frontal AP": 3},
        "Sex": {"Male": 3},
        "Age": composition(table)["Age"],
    }
    assert composition(table)["Age"]["70 to 79"] == 3 == sum(composition(table)["Age"].values())


@settings(max_examples=30)
@given(st.lists(st.sampled_from([1.0, 0.0, -1.0, None]), max_size=30))
def test_every_label_is_counted_once_and_shares_are_of_all(labels):
    table = pd.DataFrame(dict.fromkeys(OBSERVATIONS, pd.Series(labels, dtype="float64")))
    row = label_counts(table).loc["Edema"]
    kinds = ["positive", "uncertain", "negative", "blank"]
    assert row[kinds].tolist() == [labels.count(one) for one in (1.0, -1.0, 0.0, None)]
    if labels:
        np.testing.assert_allclose(row[[f"{kind}_percent" for kind in kinds]], 100 * row[kinds] / len(labels))


def test_unknown_views_sexes_and_ages_are_said():
    table = pd.DataFrame(
        {
            "view": ["frontal", "lateral", None, "frontal"],
            "projection": ["AP", None, None, None],
            "sex": ["Male", "Female", None, "Male"],
            "age": [0, 90, None, 19.0],
        }
    ).astype({"view": "string", "projection": "string", "sex": "string", "age": "float64"})
    found = composition(table)
    assert found["View"] == {"frontal AP": 1, "lateral": 1, "frontal": 1, "unknown": 1}
    assert found["Sex"] == {"Male": 2, "Female": 1, "unknown": 1}
    assert {band: count for band, count in found["Age"].items() if count} == {
        "0 to 19": 2,
        "90 and over": 1,
        "unknown": 1,
    }
    assert composition(table.iloc[:0]) == {"View": {}, "Sex": {}, "Age": {}}
    assert composition(table.iloc[2:3])["Age"] == {"unknown": 1}
