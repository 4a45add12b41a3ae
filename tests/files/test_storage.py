"""A run in an object store: the same as one in a folder, and one engine's at a time."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

from dashboard import reading
from shamsul_core.cohort import open_cohort
from shamsul_core.engine.plan import explain_cohort
from shamsul_core.engine.rescoring import score_run
from shamsul_core.files import lock
from shamsul_core.files.lock import locked
from shamsul_core.files.storage import place, read_bytes, store
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Run, RunError
from tests.cli.test_cli import call, said
from tests.engine.test_plan import make_plan, tables_equal

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(made_cohort, classifier, s3, tmp_path_factory):
    """The same cohort explained into a folder and into an object store."""
    plans = [
        make_plan(made_cohort, folder, classifier)
        for folder in (tmp_path_factory.mktemp("local") / "run", place(f"{s3}/both"))
    ]
    for plan in plans:
        explain_cohort(plan)
    return [Run.open(plan.run.folder) for plan in plans]


def test_it_reads_back_as_from_a_folder(both):
    local, remote = both
    tables_equal(remote, local)
    assert remote.segmentation == local.segmentation
    assert remote.explained_ids() == local.explained_ids()
    for name in local.explained_ids():
        assert remote.path_of(name).read_bytes() == local.path_of(name).read_bytes()
        one, other = remote.read(name), local.read(name)
        assert (one.image_id, one.size, one.probabilities) == (
            other.image_id,
            other.size,
            other.probabilities,
        )
        for heatmap, expected in zip(one.heatmaps, other.heatmaps, strict=True):
            np.testing.assert_array_equal(heatmap.values, expected.values)
    assert remote.heatmap(name, "lrp", "Edema").method == "lrp"
    assert remote.heatmap(name, "lime", "Edema") is None
    assert remote.manifest.differences(local.manifest) == []


def test_a_header_longer_than_what_is_fetched_first_is_read(both, monkeypatch):
    monkeypatch.setattr("shamsul_core.run.result_file._HEADER_BYTES", 100)
    name = both[0].explained_ids()[0]
    assert both[1].read_record(name) == both[0].read_record(name)


def test_the_dashboard_and_the_command_line_read_it(both):
    run = reading.open_run(str(both[1].folder))
    predictions, scores = reading.tables(run)
    pd.testing.assert_frame_equal(predictions, both[0].predictions)
    pd.testing.assert_frame_equal(scores, both[0].scores)
    name = both[0].explained_ids()[0]
    one, other = (reading.scene(which, name, "Edema", "fixed") for which in both)
    assert one == other
    done = call("score", "--run", str(both[1].folder))
    assert done.exit_code == 0, done.output
    assert f"{both[1].folder}: {len(scores)} scores" in said(done)


def test_it_finds_its_cohort(both, made_cohort):
    assert both[1].cohort_folder == made_cohort.resolve()


def test_it_goes_on_and_is_scored_again(made_cohort, classifier, s3):
    plan = make_plan(made_cohort, place(f"{s3}/again"), classifier)
    assert explain_cohort(plan).explained == 3
    scores = plan.run.scores
    plan.run.path_of(plan.run.explained_ids()[1]).unlink()
    plan.run.path_of(plan.run.explained_ids()[0]).write_bytes(b"half a file")
    assert explain_cohort(make_plan(made_cohort, place(f"{s3}/again"), classifier)).explained_before == 1
    pd.testing.assert_frame_equal(plan.run.scores, scores)
    score_run(plan.run, open_cohort(made_cohort), PRESETS["paper"])
    assert plan.run.segmentation == PRESETS["paper"].to_json()


def test_another_run_in_its_place_is_refused(both, made_cohort, classifier):
    with pytest.raises(RunError, match="contains a run that differs in methods; give another folder"):
        make_plan(made_cohort, both[1].folder, classifier, methods=("lrp",))


def test_two_engines_never_work_on_one_run(s3, both):
    second = pytest.raises(RunError, match="another process is working on this run, or was killed less than")
    with locked(both[1].folder, "run", RunError), second, locked(both[1].folder, "run", RunError):
        pytest.fail("two engines")
    with locked(both[1].folder, "run", RunError):
        pass


def test_a_killed_engines_lock_runs_out(s3, monkeypatch):
    folder = place(f"{s3}/killed")
    (folder / ".lock").write_bytes(b"1000000000 killed\n")
    with locked(folder, "run", RunError):
        assert b"killed" not in (folder / ".lock").read_bytes()
    assert not (folder / ".lock").exists()


def test_a_living_engines_lock_is_renewed(s3, monkeypatch):
    monkeypatch.setattr(lock, "LEASE_SECONDS", 0.2)
    folder = place(f"{s3}/living")
    with locked(folder, "run", RunError):
        first = read_bytes(folder / ".lock")
        renewed = threading.Event()
        original = lock._lease

        def lease(owner):
            renewed.set()
            return original(owner)

        monkeypatch.setattr(lock, "_lease", lease)
        assert renewed.wait(30)
        assert first.split()[1] == read_bytes(folder / ".lock").split()[1]


def test_what_is_replaced_while_it_is_read_is_the_old_or_the_new_one(s3, monkeypatch):
    path = place(f"{s3}/replaced")
    path.write_bytes(b"the old one")
    files, name = store(path)
    info = files.info

    def replaced_after(*args, **kwargs):
        known = info(*args, **kwargs)
        files.pipe_file(name, b"the new one, which is longer")  # as another engine would
        return known

    monkeypatch.setattr(files, "info", replaced_after)
    assert read_bytes(path) in (b"the old one", b"the new one, which is longer")


def test_an_engine_that_stalled_leaves_its_successors_lease_alone(s3, monkeypatch):
    monkeypatch.setattr(lock, "LEASE_SECONDS", 0.2)
    folder = place(f"{s3}/stalled")
    files, name = store(folder / ".lock")
    looked, original = threading.Semaphore(0), lock._owner_of

    def owner_of(path):
        looked.release()
        return original(path)

    monkeypatch.setattr(lock, "_owner_of", owner_of)
    with locked(folder, "run", RunError):
        files.pipe_file(name, b"99999999999 successor\n")  # which found the lease run out
        for _ in range(3):
            assert looked.acquire(timeout=30)
        assert read_bytes(folder / ".lock") == b"99999999999 successor\n"
    assert (folder / ".lock").read_bytes() == b"99999999999 successor\n"


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("s3://runs/nothing", "no run here (no manifest.json)"),
        ("s3://no-such-bucket/run", "no run here (no manifest.json)"),
        ("nonsense://bucket/run", "nonsense"),
    ],
)
def test_a_wrong_address_is_one_line(s3, address, line):
    result = call("score", "--run", address)
    assert result.exit_code
    assert line in said(result)
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_store_that_does_not_answer_is_one_line(s3, monkeypatch):
    def unreachable(*_, **__):
        raise RuntimeError("Could not connect\nto the endpoint")  # botocore's errors have no more common base

    folder = place(f"{s3}/silent")
    monkeypatch.setattr(folder.fs, "cat_file", unreachable)
    monkeypatch.setattr(type(folder.fs), "_exists", unreachable)
    monkeypatch.setattr(type(folder.fs), "open", unreachable)
    with pytest.raises(RunError, match="Could not connect to the endpoint"):
        Run.open(folder)
