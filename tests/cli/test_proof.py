"""``proof``: from a run to its proof, and one line where its input is wrong."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from shamsul_core.cli import app
from shamsul_core.run import Run
from tests.made import image_id

pytestmark = pytest.mark.slow


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(result):
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def run(made_cohort, small_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proof") / "run"
    options = ("--method", "gradcam", "--pathology", "Edema", "--pathology", "Cardiomegaly")
    result = call("explain", "--cohort", made_cohort, "--model", small_model, "--run", folder, *options)
    assert result.exit_code == 0, result.output
    return folder


def test_a_run_is_proved_once_and_goes_on_with_more(run, small_model):
    first = call("proof", "--run", run, "--model", small_model, "--radiographs", 1)
    assert first.exit_code == 0, first.output
    assert "1 radiographs tested" in said(first)
    table = Run.open(run).proof
    assert set(table["test"]) == {"faithfulness", "randomisation", "robustness"}
    parts = {path: path.stat().st_mtime_ns for path in (run / "proof").rglob("*.parquet")}
    more = call("proof", "--run", run, "--model", small_model, "--radiographs", 2)
    assert "2 radiographs tested" in said(more)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in parts.items())


def test_the_same_model_is_no_other_training(run, small_model):
    result = call("proof", "--run", run, "--model", small_model, "--other-model", small_model)
    assert result.exit_code == 1
    assert "the same model as the run's" in said(result)


def test_another_model_than_the_runs_is_refused(run):
    result = call("proof", "--run", run, "--model", "untrained")
    assert result.exit_code == 1
    assert "not the model of" in said(result)


def test_a_test_that_is_none_is_named(run):
    result = call("proof", "--run", run, "--test", "truth")
    assert result.exit_code == 1
    assert "unknown test 'truth'; there are faithfulness" in said(result)


def test_a_run_whose_model_is_elsewhere_asks_for_it(made_run):
    result = call("proof", "--run", made_run.folder)
    assert result.exit_code == 1
    assert "give --model" in said(result)
    assert image_id(1) not in said(result)
