"""Whose radiographs they are: CheXpert's validation set has the patients 64541 to 64740, 200 of them."""

from __future__ import annotations

import numpy as np
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.patients import CHEXPERT_VALIDATION, is_chexpert_validation, number_patients
from shamsul_core.run.wording import cohort_title
from shamsul_core.statistics import paper
from tests.made import make_cohort

VALIDATION = [f"patient{number}_study1_view1_frontal" for number in range(64541, 64741)]


class Named:
    """As much of a cohort as tells whether the paper's figures can stand beside it."""

    def __init__(self, image_ids, *, split="val", is_simulated=False):
        self.radiographs = dict.fromkeys(image_ids)
        self.split, self.is_simulated, self.name = split, is_simulated, f"chexlocalize/{split}"


def test_radiographs_of_a_patient_have_one_number():
    ids = [
        "patient00007_study2_view1_frontal",
        "patient00001_study1_view1_frontal",
        "patient00007_study1_view2_lateral",
        "chest-7",
    ]
    numbers = number_patients(ids)
    assert numbers[0] == numbers[2]
    assert sorted(set(numbers.tolist())) == [0, 1, 2]
    assert number_patients([]).dtype == np.int64


def test_chexperts_validation_set_is_known_by_its_patients():
    assert len(CHEXPERT_VALIDATION) == 200
    assert is_chexpert_validation(VALIDATION)
    assert is_chexpert_validation([*VALIDATION, "patient64541_study1_view2_lateral"])
    assert not is_chexpert_validation(VALIDATION[1:])
    assert not is_chexpert_validation([*VALIDATION, "patient00001_study1_view1_frontal"])


@pytest.mark.parametrize(
    ("cohort", "reason"),
    [
        (Named(VALIDATION), None),
        (Named(VALIDATION, is_simulated=True), "these radiographs are simulated"),
        (Named(VALIDATION, split="test"), "these are different radiographs"),
        (Named(VALIDATION[:1]), "these are different radiographs"),
        (Named(["chest-7"]), "these are different radiographs"),
    ],
)
def test_the_papers_figures_stand_beside_its_own_radiographs_only(cohort, reason):
    said = paper.why_not_comparable(cohort)
    assert said is None if reason is None else said.endswith(f"because {reason}.")


def test_a_cohort_has_a_name(tmp_path):
    assert cohort_title(Named(VALIDATION)) == "CheXpert validation set"
    assert cohort_title(Named(["a"], split="test")) == "Cohort “chexlocalize”, test set"
    assert (
        cohort_title(Named(VALIDATION, is_simulated=True))
        == "Simulated cohort “chexlocalize”, validation set"
    )
    cohort = open_cohort(make_cohort(tmp_path / "my hospital", 1))
    assert cohort_title(cohort) == "Cohort “my hospital”, validation set"
