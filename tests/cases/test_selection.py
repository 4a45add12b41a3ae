from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shamsul_core.cases import selection
from shamsul_core.cases.selection import CASE_COLUMNS, CRITERIA, best_multilabel, in_order

NAMES = ("Edema", "Cardiomegaly")
METHODS = ("lime", "shap")
SHARE = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
few = settings(max_examples=40)
MAYBE = st.one_of(st.just(np.nan), SHARE)


@st.composite
def tables(draw):
    """Scores of up to five radiographs, two pathologies and two methods, with ties and with gaps."""
    rows = []
    for number in range(draw(st.integers(0, 5))):
        for name in NAMES:
            label = draw(st.sampled_from([1.0, 0.0, -1.0, np.nan]))
            probability, area = draw(MAYBE), draw(st.sampled_from([0.0, 9.0, np.nan]))
            for method in METHODS:
                iou = draw(MAYBE) if area else np.nan
                rows.append((f"r{number}", name, method, label, probability, iou, area))
    columns = ["image_id", "pathology", "method", "label", "probability", "iou", "expert_area_px"]
    types = dict.fromkeys(columns[:3], "string") | dict.fromkeys(columns[3:], "float64")
    shuffled = draw(st.permutations(rows))
    return pd.DataFrame(shuffled, columns=columns).astype(types)


def found(cases):
    assert tuple(cases.columns) == CASE_COLUMNS
    return {
        (row.pathology, row.method if isinstance(row.method, str) else None): (row.image_id, row.value)
        for row in cases.itertuples()
    }


def brute_force(rows, value, better):
    """The first radiograph, by id, than which none is better."""
    best = {}
    for row in sorted(rows, key=lambda row: row.image_id):
        key, number = (row.pathology, getattr(row, "method", None)), value(row)
        if not np.isnan(number) and (key not in best or better(number, best[key][1])):
            best[key] = (row.image_id, number)
    return best


def rows_of(scores):
    return list(scores.itertuples())


def per_radiograph(scores):
    return list(scores.drop(columns=["method", "iou"]).drop_duplicates().itertuples())


@pytest.mark.slow
@few
@given(tables())
def test_best_and_worst_iou(scores):
    for choose, better in (
        (selection.best_iou, lambda one, other: one > other),
        (selection.worst_iou, lambda one, other: one < other),
    ):
        assert found(choose(scores)) == brute_force(rows_of(scores), lambda row: row.iou, better)


@few
@given(tables())
def test_best_probability_is_sought_among_radiographs_the_experts_marked(scores):
    marked = [row for row in per_radiograph(scores) if row.expert_area_px > 0]
    expected = brute_force(marked, lambda row: row.probability, lambda one, other: one > other)
    assert found(selection.best_probability(scores)) == expected


@few
@given(tables())
def test_best_multilabel_is_the_highest_product_among_those_positive_for_both(scores):
    probability = {
        (row.image_id, row.pathology): row.probability for row in per_radiograph(scores) if row.label == 1
    }
    joint = {
        image: probability[image, NAMES[0]] * probability.get((image, NAMES[1]), np.nan)
        for image, name in sorted(probability)
        if name == NAMES[0]
    }
    joint = {image: value for image, value in joint.items() if not np.isnan(value)}
    cases = found(best_multilabel(scores, *NAMES))
    if not joint:
        assert cases == {}
        return
    best = max(joint, key=joint.__getitem__)  # the first of equals
    assert cases == {(name, None): (best, joint[best]) for name in NAMES}


@pytest.mark.slow
@few
@given(tables())
def test_most_disagreed_is_the_widest_spread(scores):
    ious = {}
    for row in rows_of(scores.dropna(subset=["iou"])):
        ious.setdefault((row.pathology, row.image_id), []).append(row.iou)
    expected = {}
    for (name, image), values in sorted(ious.items()):
        spread = max(values) - min(values)
        if len(values) > 1 and ((name, None) not in expected or spread > expected[name, None][1]):
            expected[name, None] = (image, spread)
    assert found(selection.most_disagreed(scores)) == expected


@pytest.mark.slow
@few
@given(tables())
def test_the_furthest_from_the_label_is_furthest_on_the_wrong_side(scores):
    cases = selection.furthest_from_label(scores)
    for row in cases.itertuples():
        others = [one for one in per_radiograph(scores) if one.pathology == row.pathology]
        own = next(one for one in others if one.image_id == row.image_id)
        alike = [one.probability for one in others if one.label == own.label]
        assert row.value == own.probability
        if own.label == 0:
            assert row.value == np.nanmax(alike) >= 0.5
        else:
            assert own.label == 1
            assert row.value == np.nanmin(alike) < 0.5
    wrong = {
        (one.pathology, one.label)
        for one in per_radiograph(scores)
        if (one.label == 0 and one.probability >= 0.5) or (one.label == 1 and one.probability < 0.5)
    }
    assert len(cases) == len(wrong)


@pytest.mark.slow
@few
@given(tables())
def test_reasons_name_the_value_and_rows_come_in_the_order_asked_for(scores):
    for criterion in CRITERIA.values():
        rows = in_order(criterion.choose(scores), NAMES)
        assert [row.pathology for row in rows] == sorted((row.pathology for row in rows), key=NAMES.index)
        assert all(row.method in (*METHODS, None) for row in rows)
        assert all((row.method is not None) == criterion.is_of_one_method for row in rows)
        if criterion.title != "Methods disagree":
            assert all(f"{row.value:.2f}" in row.reason for row in rows)
