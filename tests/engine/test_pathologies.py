"""Which of a model's observations a run explains."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from shamsul_core.engine.plan import pathologies_to_explain
from shamsul_core.pairing import MappingError, pair
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES, OBSERVATIONS


def of(model, observations, *, layout="nih", wanted=None, names=None):
    cohort = SimpleNamespace(observations=observations, layout=layout)
    return pathologies_to_explain(pair(model, observations, names), cohort, wanted)


def test_what_both_have_in_the_models_order():
    assert of(("Mass", "Edema", "Hernia"), ("Edema", "Mass", "Fracture")) == ["Mass", "Edema"]


def test_of_chexperts_cohort_the_ten_that_chexlocalize_localises():
    assert of(OBSERVATIONS, OBSERVATIONS, layout="chexpert") == list(LOCALISED_PATHOLOGIES)
    assert of(("Edema", "Cardiomegaly", "Pneumonia"), OBSERVATIONS, layout="chexpert") == [
        "Cardiomegaly",
        "Edema",
    ]


def test_of_a_cohort_that_says_nothing_whatever_the_model_predicts():
    assert of(("No Finding", "Tuberculosis", "Edema"), ()) == ["Tuberculosis", "Edema"]


def test_what_was_mapped_and_what_was_asked_for():
    assert of(("Mass", "Edema"), ("Lung Lesion",), names={"Mass": "Lung Lesion"}) == ["Mass"]
    assert of(("Mass", "Effusion", "No Finding"), ("Mass",), wanted=["no_finding", "Mass"]) == [
        "No Finding",
        "Mass",
    ]


def test_a_model_that_predicts_nothing_of_it_is_one_line_with_both_names():
    with pytest.raises(MappingError, match=r"no output for Lung Lesion; it predicts Mass; --names"):
        of(("Mass",), ("Lung Lesion",), wanted=["Lung Lesion"])
    with pytest.raises(MappingError, match=r"no output for Lung Lesion; it predicts Mass"):
        of(("Mass",), ("Lung Lesion",))
