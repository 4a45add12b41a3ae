"""A cohort by a model's names: what is marked and labelled is the cohort's own, under every name that was mapped to it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from shamsul_core.cohort import CohortError, open_cohort
from shamsul_core.cohort.renamed import by_names
from tests.made import expert_rectangle, image_id

NAMES = {"Mass": "Edema", "Nodule": "Edema", "Big Heart": "Cardiomegaly"}


@pytest.fixture
def renamed(made_cohort):
    return by_names(open_cohort(made_cohort), NAMES)


def test_without_names_it_is_the_cohort(made_cohort):
    cohort = open_cohort(made_cohort)
    assert by_names(cohort, {}) is cohort


def test_each_new_name_has_what_the_old_one_had(made_cohort, renamed):
    own = open_cohort(made_cohort)
    for name in ("Mass", "Nodule"):
        mask = renamed.annotation(image_id(1), name).mask()
        np.testing.assert_array_equal(mask, expert_rectangle(1, mask.shape))
        assert renamed.radiographs[image_id(1)].labels[name] == 1.0
        assert renamed.truth_kind(name) == own.truth_kind("Edema")
    assert renamed.marked_on(image_id(1)) == ("Big Heart", "Mass", "Nodule")
    assert renamed.radiographs[image_id(1)].labels["Pneumonia"] == -1.0
    assert len(renamed.radiographs) == len(own.radiographs)
    assert renamed.fingerprint == own.fingerprint
    assert renamed.name == own.name


def test_what_was_mapped_is_known_by_its_new_names_alone(renamed):
    assert "Edema" not in renamed.observations
    assert "Edema" not in renamed.marked_pathologies
    assert "Edema" not in renamed.radiographs[image_id(1)].labels
    assert set(NAMES) < set(renamed.observations)
    assert set(NAMES) < set(renamed.marked_pathologies)


def test_a_name_that_was_the_cohorts_stands_for_what_it_is_mapped_to(made_cohort):
    renamed = by_names(open_cohort(made_cohort), {"Pneumonia": "Edema"})
    assert renamed.radiographs[image_id(1)].labels["Pneumonia"] == 1.0
    assert renamed.observations.count("Pneumonia") == 1


def test_it_fails_as_the_cohort_does(renamed):
    with pytest.raises(CohortError):
        renamed.annotation("nobody", "Mass")
    with pytest.raises(AttributeError):
        renamed.no_such_thing  # noqa: B018 - it is the access that fails


def test_it_travels_to_another_process(renamed):
    again = pickle.loads(pickle.dumps(renamed))
    assert again.observations == renamed.observations
