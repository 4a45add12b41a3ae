"""Cases to assign: only what a run explains, in the order given, each once."""

from __future__ import annotations

import pytest

from shamsul_core.cases.selection import CRITERIA
from shamsul_core.reviews import Case
from shamsul_core.reviews.worklists import chosen, explained, present_or_predicted, written
from tests.made import image_id


@pytest.fixture
def scores(made_run):
    return made_run.scores


def test_what_no_method_explained_is_no_case(scores):
    gone = (scores["image_id"] == image_id(1)) & (scores["pathology"] == "Edema")
    scores.loc[gone, "mask_area_px"] = None
    assert Case(image_id(1), "Edema") not in explained(scores)
    assert Case(image_id(1), "Edema") not in present_or_predicted(scores)
    assert Case(image_id(2), "Edema") in explained(scores)


def test_present_or_predicted(scores):
    scores.loc[:, "probability"] = 0.1
    scores.loc[scores["image_id"] == image_id(3), "probability"] = 0.5
    cases = present_or_predicted(scores, "Edema")
    assert cases == [Case(image_id(number), "Edema") for number in (1, 2, 3)]  # 1 and 2 are labelled
    assert {case.pathology for case in present_or_predicted(scores)} >= {"Edema", "Cardiomegaly"}


def test_every_criterion_gives_cases_of_the_run_each_once(scores):
    among = set(explained(scores))
    for criterion in CRITERIA.values():
        table = criterion.choose(scores)
        cases = chosen(table, among)
        assert len(cases) == len(set(cases))
        assert set(cases) == {Case(*pair) for pair in zip(table["image_id"], table["pathology"], strict=True)}
        assert chosen(table, cases[1:]) == cases[1:]


@pytest.mark.parametrize("separator", [",", ", ", "\t", " ;"])
def test_a_written_list(separator):
    among = [Case("a, b", "Lung Opacity"), Case("../c", "Edema")]
    text = f"\n../c{separator}Edema \r\na, b{separator}Lung Opacity\n../c{separator}Edema\n"
    assert written(text, among) == ([among[1], among[0]], [])
    assert written(text, among[:1]) == ([among[0]], [f"../c{separator}Edema"] * 2)
    assert written("nonsense\n, Edema\na,", among) == ([], ["nonsense", ", Edema", "a,"])
