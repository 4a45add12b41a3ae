"""The engine of the proof: what is done is not done again, and what is killed goes on."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from shamsul_core.cohort import open_cohort
from shamsul_core.engine import proving
from shamsul_core.engine.proving import Bench, draw, explainers_of, here, possible, prove_run
from shamsul_core.engine.rescoring import score_run
from shamsul_core.explain.gradcam import GradCam, GradCamSettings
from shamsul_core.localisation.baselines import EDGES, GREY, LOCATION
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.proof.catalogue import (
    ALL_LAYERS,
    BY_LOT,
    CAUSE,
    EXPERT,
    FAITHFULNESS,
    RANDOMISATION,
    REPRODUCIBILITY,
    ROBUSTNESS,
    TESTS,
)
from shamsul_core.proof.randomisation import cascade
from shamsul_core.run import Run
from shamsul_core.run.proof import ProofOfRun
from shamsul_core.run.removal import Removal
from tests.made import TITLES, image_id, make_cohort, make_run, simulated


@pytest.fixture(scope="module")
def small(small_model):
    from shamsul_core.classifier.weights import load_classifier

    return load_classifier(str(small_model))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three radiographs, of which the first two have an edema that can be taken out."""
    folder = tmp_path_factory.mktemp("proving")
    difference = np.zeros((120, 100), int)
    difference[20:70, 15:60] = 30
    cohort = simulated(make_cohort(folder / "cohort"), {(1, "Edema"): difference, (2, "Edema"): difference})
    removals = {(1, "Edema"): Removal(2.0, 0.5), (2, "Edema"): Removal(1.0, 0.75)}
    return make_run(folder / "run", cohort, removals=removals)


@pytest.fixture
def bench(made, small, tmp_path):
    run = Run.open(shutil.copytree(made.folder, tmp_path / "run"))
    return Bench(run, open_cohort(made.cohort_folder), small, [GradCam(GradCamSettings())])


CHEAP = [CAUSE, RANDOMISATION]


def test_each_test_finds_what_it_is_for(bench):
    *_, (_, _, other) = cascade(bench.classifier, seed=3)
    other = replace(other, source="other")
    bench = replace(bench, other_model=other)
    assert possible(bench, list(TESTS)) == list(TESTS)
    steps = []
    assert prove_run(bench, list(TESTS), 1, steps.append) == []
    assert len(steps) == len(TESTS)
    table = bench.run.proof
    (tested,) = set(table["image_id"])
    methods = {test: set(rows["method"]) for test, rows in table.groupby("test")}
    compared = {BY_LOT, LOCATION, EXPERT} if tested != image_id(3) else {BY_LOT}
    assert methods[FAITHFULNESS] >= {*TITLES, BY_LOT}
    assert methods[FAITHFULNESS] <= {*TITLES, *compared}
    asked_again = {"gradcam", EDGES, GREY}
    assert methods[RANDOMISATION] == asked_again
    assert methods[ROBUSTNESS] <= {*TITLES, EDGES, GREY}
    assert methods[REPRODUCIBILITY] == asked_again
    (setting,) = set(table.loc[table["test"] == REPRODUCIBILITY, "setting"])
    assert setting == "other"
    kept = table[(table["test"] == RANDOMISATION) & (table["setting"] == ALL_LAYERS)]
    assert (kept.loc[kept["method"].isin([EDGES, GREY]), "value"] > 0.999).all()
    maps = ProofOfRun(bench.run).maps(tested)
    assert {method for _, method, _ in maps} == {*TITLES, EDGES, GREY}


def test_the_cause_is_asked_where_the_cohort_knows_it(bench):
    prove_run(bench, [CAUSE], 3)
    rows = bench.run.proof
    falls = rows.drop_duplicates("image_id").set_index("image_id")["at"].to_dict()
    assert falls == {image_id(1): 1.5, image_id(2): 0.25}
    assert set(rows["pathology"]) == {"Edema"}


def test_a_second_call_does_nothing(bench):
    asked = []

    def hand_out(bench, assignments, on_step):
        asked.extend(assignments)
        return here(bench, assignments, on_step)

    prove_run(bench, CHEAP, 2, hand_out=hand_out)
    assert len(asked) == 2
    before = {path: path.stat().st_mtime_ns for path in bench.run.folder.rglob("*.*") if path.name != ".lock"}
    steps = []
    prove_run(bench, CHEAP, 2, steps.append, hand_out)
    assert len(asked) == 2
    assert len(steps) == 4
    after = {path: path.stat().st_mtime_ns for path in bench.run.folder.rglob("*.*") if path.name != ".lock"}
    assert after == before


def test_more_radiographs_and_other_tests_go_on_from_what_is_there(bench):
    asked = []

    def hand_out(bench, assignments, on_step):
        asked.append([(one.image_id, list(one.tests)) for one in assignments])
        return here(bench, assignments, on_step)

    prove_run(bench, [CAUSE], 1, hand_out=hand_out)
    prove_run(bench, CHEAP, 2, hand_out=hand_out)
    ((first, tests),) = asked[0]
    assert tests == [CAUSE]
    later = dict(asked[1])
    assert later.pop(first) == [RANDOMISATION]
    assert list(later.values()) == [[RANDOMISATION, CAUSE]]


def test_what_was_done_before_a_kill_is_kept_and_the_rest_is_done_next(bench):
    def killed(bench, assignments, on_step):
        yield next(here(bench, assignments, on_step))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prove_run(bench, [RANDOMISATION], 2, hand_out=killed)
    assert bench.run.proof["image_id"].nunique() == 1
    prove_run(bench, [RANDOMISATION], 2)
    assert bench.run.proof["image_id"].nunique() == 2


def test_what_cannot_be_tested_is_told_and_tried_again(bench, monkeypatch):
    def failing(examined, keep=None):
        message = "made to fail"
        raise ValueError(message)

    monkeypatch.setitem(proving.MEASURES, CAUSE, failing)
    problems = prove_run(bench, [CAUSE], 2)
    assert len(problems) == 2
    assert all("cause: made to fail" in line for line in problems)
    monkeypatch.undo()
    assert prove_run(bench, [CAUSE], 2) == []
    assert not bench.run.proof.empty


def test_a_larger_sample_holds_the_smaller_one(bench):
    drawn = [list(draw(bench.run, bench.cohort, count)) for count in (1, 2, 3)]
    assert drawn[0] == drawn[2][:1]
    assert drawn[1] == drawn[2][:2]


def test_methods_of_other_settings_are_not_asked_again(bench):
    """The made run's methods say nothing of their settings."""
    explainers, lines = explainers_of(bench.run)
    assert explainers == []
    assert len(lines) == len(TITLES)
    alone = replace(bench, explainers=[])
    assert possible(alone, list(TESTS)) == [FAITHFULNESS, CAUSE]


def test_an_older_run_has_no_proof_and_is_scored_as_ever(bench):
    score_run(bench.run, bench.cohort, PRESETS["default"])
    assert bench.run.proof.empty
