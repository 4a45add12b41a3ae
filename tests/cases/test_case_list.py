"""The case list: what is in it follows from the made run's labels, probabilities and rectangles."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shamsul_core.cases.case_list import (
    BY_IOU,
    BY_PROBABILITY,
    Criteria,
    case_table,
    count_explained,
    explained_pathology,
    list_cases,
)
from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.radiograph import Radiograph
from shamsul_core.statistics.prediction.decisions import Thresholds
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.made import MARKED, image_id


@pytest.fixture(scope="module")
def table(made_run, made_cohort):
    cohort = open_cohort(made_cohort)
    return case_table(
        made_run.explained_ids(),
        LOCALISED_PATHOLOGIES,
        cohort.radiographs,
        made_run.predictions,
        made_run.scores,
    )


def ids(table, sort="image_id", is_descending=False, **criteria):
    return list_cases(table, Criteria(**criteria), sort=sort, is_descending=is_descending)[
        "image_id"
    ].tolist()


def test_a_finding_is_what_the_run_and_the_cohort_say(table, made_run):
    assert len(table) == 3 * len(LOCALISED_PATHOLOGIES)
    row = table.set_index(["image_id", "pathology"]).loc[(image_id(2), "Edema")]
    predictions = made_run.predictions.set_index("image_id")
    assert row["label"] == 1
    assert row["probability"] == predictions.loc[image_id(2), "Edema"]
    assert row["is_predicted"] == (row["probability"] >= 0.5)
    assert row["is_correct"] == row["is_predicted"]
    assert row["is_annotated"]
    assert row["is_explained"]
    scores = made_run.scores.query(f"image_id == '{image_id(2)}' and pathology == 'Edema'").set_index(
        "method"
    )
    for method, score in scores["iou"].items():
        assert row[method] == pytest.approx(score, nan_ok=True)


def test_without_criteria_every_radiograph_is_listed_and_no_finding_named(table):
    listed = list_cases(table, Criteria())
    assert listed["image_id"].tolist() == [image_id(number) for number in (1, 2, 3)]
    assert listed[["pathology", "label", "probability", "iou", "method"]].isna().all(axis=None)


def test_each_criterion_narrows_by_its_own_column(table):
    every, marked = [image_id(number) for number in (1, 2, 3)], [image_id(1), image_id(2)]
    assert ids(table, is_annotated=True) == marked
    assert ids(table, pathology="Pneumothorax", is_annotated=True) == []
    assert ids(table, pathology="Edema", label="positive") == marked
    assert ids(table, pathology="Edema", label="negative") == [image_id(3)]
    assert ids(table, label="blank") == []
    assert ids(table, search=" PATIENT00003 ") == [image_id(3)]
    assert ids(table, search="patient.*") == []
    assert ids(table, view="lateral") == []
    assert ids(table, view="frontal") == every


def test_one_finding_must_meet_all_criteria(table):
    """Labelled positive and without contour: each holds of some finding, never both of the same one."""
    assert ids(table, label="positive") == ids(table, is_annotated=False)[:2] == [image_id(1), image_id(2)]
    assert ids(table, label="positive", is_annotated=False) == []


def test_correct_and_incorrect_part_those_that_are_labelled(table):
    for name in LOCALISED_PATHOLOGIES:
        correct, incorrect = (ids(table, pathology=name, is_correct=one) for one in (True, False))
        assert sorted(correct + incorrect) == ids(table)


def test_sorting_takes_each_radiographs_leading_finding(table):
    listed = list_cases(table, Criteria(method="gradcam"), sort=BY_IOU, is_descending=True)
    best = table[table["pathology"].isin(MARKED)].groupby("image_id")["gradcam"].max()
    np.testing.assert_allclose(listed["iou"][:2], best.sort_values(ascending=False)[:2])
    assert listed["image_id"].iloc[-1] == image_id(3), "what has no IoU stands last"
    rising = list_cases(table, Criteria(pathology="Edema"), sort=BY_PROBABILITY)
    assert rising["probability"].is_monotonic_increasing
    assert (rising["pathology"] == "Edema").all()


def test_an_iou_says_whose_it_is(table, made_run):
    scores = made_run.scores.set_index(["image_id", "pathology", "method"])["iou"]
    listed = list_cases(table, Criteria(), sort=BY_IOU, is_descending=True)
    for row in listed.dropna(subset=["iou"]).itertuples():
        here = scores[row.image_id, row.pathology].dropna()
        assert row.iou == here.max()
        assert row.method == here.idxmax()
    assert listed.loc[listed["iou"].isna(), "method"].isna().all()
    only = list_cases(table, Criteria(method="lime", is_annotated=True))
    assert set(only["method"]) == {"lime"}


def test_a_pathology_alone_narrows_nothing_and_says_what_the_list_is_about(table):
    criteria = Criteria(pathology="Edema")
    assert criteria.count == 0
    listed = list_cases(table, criteria)
    assert len(listed) == 3
    assert (listed["pathology"] == "Edema").all()
    probabilities = table[table["pathology"] == "Edema"].set_index("image_id")["probability"]
    assert dict(zip(listed["image_id"], listed["probability"], strict=True)) == probabilities.to_dict()
    assert Criteria(pathology="Edema", label="positive").count == Criteria(label="positive").count == 1
    assert Criteria(view="frontal", is_explained=True, iou=(0.0, 0.5)).count == 3
    assert not Criteria(view="frontal").is_of_pathologies


@pytest.fixture
def partly_explained(table):
    """Of the first radiograph all, of the second Edema alone, of the third nothing is explained."""
    number = table["image_id"].str[7:12].astype(int)
    return table.assign(is_explained=(number == 1) | ((number == 2) & (table["pathology"] == "Edema")))


def test_what_is_explained_can_be_asked_for_and_counted(partly_explained):
    assert ids(partly_explained, is_explained=True) == [image_id(1), image_id(2)]
    assert ids(partly_explained, is_explained=True, pathology="Pneumothorax") == [image_id(1)]
    assert ids(partly_explained, is_explained=False) == [image_id(2), image_id(3)]
    assert count_explained(partly_explained) == (2, 3)
    assert count_explained(partly_explained, "Pneumothorax") == (1, 3)
    assert count_explained(partly_explained.iloc[:0]) == (0, 0)


def test_going_on_stays_with_the_pathology_where_it_is_explained(partly_explained):
    assert explained_pathology(partly_explained, image_id(1), "Pneumothorax") == "Pneumothorax"
    assert explained_pathology(partly_explained, image_id(2), "Pneumothorax") == "Edema"
    assert explained_pathology(partly_explained, image_id(3), "Edema") is None
    assert explained_pathology(partly_explained, "unknown", "Edema") is None
    first = explained_pathology(partly_explained, image_id(1))
    assert first == next(name for name in LOCALISED_PATHOLOGIES if name in MARKED), "experts marked it"
    unmarked = partly_explained.assign(is_annotated=False)
    here = unmarked[unmarked["image_id"] == image_id(1)].set_index("pathology")["probability"]
    assert explained_pathology(unmarked, image_id(1)) == here.idxmax()
    assert explained_pathology(unmarked.assign(probability=np.nan), image_id(1)) is not None


def test_predicted_and_correct_follow_each_pathologys_threshold(table, made_run, made_cohort):
    edema = table[table["pathology"] == "Edema"].set_index("image_id")
    lowest, highest = edema["probability"].min(), edema["probability"].max()
    for threshold, count in ((lowest, 3), (highest, 1), (np.nextafter(highest, 2), 0)):
        own = case_table(
            made_run.explained_ids(),
            LOCALISED_PATHOLOGIES,
            open_cohort(made_cohort).radiographs,
            made_run.predictions,
            made_run.scores,
            Thresholds("Youden", {"Edema": threshold}),
        )
        assert len(ids(own, pathology="Edema", is_predicted=True)) == count
        here = own[own["pathology"] == "Edema"].set_index("image_id")
        expected = (edema["probability"] >= threshold) == (edema["label"] == 1)
        assert here["is_correct"].astype(bool).to_dict() == expected.to_dict()
        others = own["pathology"] != "Edema"
        pd.testing.assert_frame_equal(own[others], table[others])


def test_a_range_of_iou_leaves_out_what_has_none(table):
    assert len(ids(table, pathology="Edema", iou=(0.0, 1.0))) == 3
    assert len(ids(table, pathology="Edema", iou=(0.0, 0.99))) == 2
    assert ids(table, pathology="Edema", method="lime", iou=(0.99, 1.0)) == []


def test_before_there_are_scores_or_predictions_the_radiographs_are_listed(made_run, made_cohort):
    cohort = open_cohort(made_cohort)
    table = case_table(
        made_run.explained_ids(),
        ("Edema",),
        cohort.radiographs,
        made_run.predictions.iloc[:1],
        made_run.scores.iloc[:0],
    )
    assert len(ids(table)) == 3
    assert ids(table, is_predicted=True) + ids(table, is_predicted=False) == [image_id(1)]
    assert ids(table, is_annotated=True) == []
    assert len(ids(table, sort=BY_IOU)) == 3


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.floats(0, 1)),
        unique_by=lambda one: one[:2],
    )
)
def test_a_radiograph_is_listed_once_with_its_highest_probability(rows):
    table = pd.DataFrame(rows, columns=["image_id", "pathology", "probability"]).assign(
        view=None, label=np.nan, is_predicted=True, is_correct=pd.NA, is_annotated=False, lime=0.0
    )
    listed = list_cases(table, Criteria(), sort=BY_PROBABILITY, is_descending=True)
    highest = {name: max(p for one, _, p in rows if one == name) for name, _, _ in rows}
    assert dict(zip(listed["image_id"], listed["probability"], strict=True)) == highest
    assert listed["probability"].is_monotonic_decreasing


def test_five_thousand_radiographs_are_filtered_at_once():
    names = [f"patient{number:05d}" for number in range(5000)]
    radiographs = {name: Radiograph(id=name, path=None) for name in names}
    generator = np.random.default_rng(0)
    predictions = pd.DataFrame(generator.random((5000, 10)), columns=LOCALISED_PATHOLOGIES).assign(
        image_id=names
    )
    index = pd.MultiIndex.from_product(
        [names, LOCALISED_PATHOLOGIES, ["lime", "shap"]], names=["image_id", "pathology", "method"]
    )
    scores = index.to_frame(index=False).assign(
        iou=generator.random(100_000), expert_area_px=1.0, mask_area_px=1.0
    )
    table = case_table(names, LOCALISED_PATHOLOGIES, radiographs, predictions, scores)
    started = time.perf_counter()
    listed = list_cases(
        table, Criteria(pathology="Edema", method="shap", iou=(0.5, 1.0)), sort=BY_IOU, is_descending=True
    )
    assert time.perf_counter() - started < 1
    expected = scores.query("pathology == 'Edema' and method == 'shap' and iou >= 0.5").sort_values(
        "iou", ascending=False
    )
    assert listed["image_id"].tolist() == expected["image_id"].tolist()
