"""What a run keeps of how new its radiographs are to the model, and what is said of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy.stats import binomtest

from shamsul_core.cases.case_list import Criteria, case_table, list_cases
from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.summary import cohort_table
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.report import _chapters
from shamsul_core.report.chapter import Words
from shamsul_core.run import Run, RunError
from shamsul_core.run.novelty_words import are_more_than_chance, novelties_in_words, novelty_in_words
from shamsul_core.run.tables import read_novelty
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.made import image_id

DISTANCES = {1: 0.5, 2: 2.25, 3: None}


@pytest.fixture
def run(made_run, made_cohort, tmp_path):
    """The made run, where two of three radiographs have a distance, one beyond the line."""
    folder = shutil.copytree(made_run.folder, tmp_path / "run")
    run = Run.open(folder)
    for number, distance in DISTANCES.items():
        run.write(replace(run.read(image_id(number)), novelty=distance))
    run.write_predictions()
    return Run.open(folder)


def test_it_is_kept_and_changes_nothing_else(run, made_run):
    assert [run.read_record(image_id(number)).novelty for number in DISTANCES] == list(DISTANCES.values())
    assert run.novelty.to_dict() == {image_id(1): 0.5, image_id(2): 2.25}
    pd.testing.assert_frame_equal(run.predictions, made_run.predictions)
    run.write_predictions()
    assert len(run.novelty) == 2, "made again from the records"


def test_runs_without_it_say_nothing(made_run):
    archive = Run.open(Path(__file__).parents[1] / "archives" / "v1")
    for older in (archive, made_run):
        assert older.novelty.empty
        assert novelties_in_words(older.novelty) is None
    assert archive.read("a").novelty is None
    assert read_novelty(Path("/nowhere/predictions.parquet")).empty


@pytest.mark.parametrize("stored", ["-1", "NaN", "Infinity", '"far"', "[1]"])
def test_a_distance_that_is_none_is_damage(run, stored):
    path = run.path_of(image_id(2))
    with safe_open(path, framework="np") as file:
        record = file.metadata()["record"].replace('"novelty": 2.25', f'"novelty": {stored}')
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, {"record": record})
    with pytest.raises(RunError, match=path.name):
        run.read_record(image_id(2))


def test_a_case_beyond_the_line_is_said_before_its_numbers(run, made_cohort):
    cohort = open_cohort(made_cohort)
    banners = {
        number: comparison_scene(run, cohort, image_id(number), "Edema", run.scores).banner
        for number in DISTANCES
    }
    assert "unlike those that the model was trained on (2.2 times the limit)" in banners[2]
    assert not any("unlike" in (banners[number] or "") for number in (1, 3))


def test_the_case_list_is_narrowed_by_it(run, made_cohort):
    radiographs = open_cohort(made_cohort).radiographs
    table = case_table(
        run.explained_ids(),
        LOCALISED_PATHOLOGIES,
        radiographs,
        run.predictions,
        run.scores,
        novelty=run.novelty,
    )
    for wanted, number in ((True, 2), (False, 1)):
        criteria = Criteria(is_unlike=wanted)
        assert criteria.count == 1
        assert list_cases(table, criteria)["image_id"].tolist() == [image_id(number)]
    assert len(list_cases(table, Criteria())) == 3


@pytest.mark.parametrize(
    ("beyond", "count"), [(0, 5), (1, 2), (1, 100), (3, 100), (4, 100), (9, 600), (12, 600)]
)
def test_more_than_chance_is_the_binomial_tests(beyond, count):
    novelty = pd.Series(np.r_[np.full(beyond, 3.0), np.full(count - beyond, 1.0)])
    expected = beyond > 0 and binomtest(beyond, count, 0.01, alternative="greater").pvalue < 0.05
    assert are_more_than_chance(novelty) == expected
    assert ("Do not rely" in novelties_in_words(novelty)) == expected
    assert f" of {count} radiographs" in novelties_in_words(novelty)


def test_what_is_within_the_line_is_not_said():
    assert novelty_in_words(None) is novelty_in_words(0.99) is novelty_in_words(1.0) is None
    assert "1.1 times" in novelty_in_words(1.0001), "never 1.0 times"


def test_the_report_says_it_before_any_number(run, made_cohort):
    cohort = open_cohort(made_cohort)
    labels = cohort_table(cohort)
    _, chapter = islice(_chapters(run, cohort, labels, labels, "fixed"), 2)
    first = chapter.blocks[0]
    assert isinstance(first, Words)
    assert "1 of 2 radiographs is unlike" in first.text
