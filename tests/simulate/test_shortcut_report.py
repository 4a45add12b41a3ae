"""From a simulated cohort to the report on its shortcut, by the commands."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from tests.cli.test_cli import call, said

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def explained(ct, small_model, tmp_path_factory):
    del ct
    folder = tmp_path_factory.mktemp("shortcut")
    about = ("--count", "4", "--seed", "3", "--size", "96", "--at-least", "2", "--workers", "1")
    planted = ("--shortcut", "corner tag:Edema:0.5")
    assert call("simulate", "--out", folder / "cohort", *about, *planted).exit_code == 0
    run = ("--model", small_model, "--run", folder / "run", "--method", "gradcam", "--pathology", "Edema")
    assert call("explain", "--cohort", folder / "cohort", *run).exit_code == 0
    return folder


def test_the_report_says_first_whether_the_bait_was_taken(explained, small_model):
    out = explained / "report"
    about = ("shortcut", "--run", explained / "run", "--out", out, "--model", small_model)
    done = call(*about)
    assert done.exit_code == 0, done.output
    assert "did not take the bait: the corner tag alone moves the logit of Edema by" in said(done)
    text = (out / "shortcut.md").read_text(encoding="utf-8")
    assert text.index("Did the model take the bait?") < text.index("Where did the methods look?")
    assert "For research, not for diagnosis." in text
    assert "Simulated from CT" in text
    written = {path.name for path in out.iterdir()}
    names = ("bait", "auroc", "warnings", "cells", "logits", "densities")
    assert written == {"shortcut.md", *(f"shortcut_{name}.csv" for name in names)}
    assert len(pd.read_csv(out / "shortcut_logits.csv")) == 4
    before = {path: path.read_bytes() for path in out.iterdir()}
    call(*about)
    assert before == {path: path.read_bytes() for path in out.iterdir()}


def test_the_runs_model_is_taken_from_beside_the_run_or_asked_for(explained, small_model, tmp_path):
    asked = call("shortcut", "--run", explained / "run", "--out", tmp_path)
    assert asked.exit_code == 1
    assert "its model model.safetensors is not on this machine; give --model" in said(asked)
    beside = explained / small_model.name
    shutil.copy(small_model, beside)
    assert call("shortcut", "--run", explained / "run", "--out", tmp_path).exit_code == 0
    beside.unlink()


def test_another_model_than_the_runs_is_refused(explained, tmp_path):
    done = call("shortcut", "--run", explained / "run", "--out", tmp_path, "--model", "untrained")
    assert done.exit_code == 1
    assert "not the model of" in said(done)


def test_a_run_of_a_cohort_without_a_shortcut_is_refused(made_run, tmp_path):
    done = call("shortcut", "--run", made_run.folder, "--out", tmp_path)
    assert done.exit_code == 1
    assert "no shortcut was planted in it" in said(done)
