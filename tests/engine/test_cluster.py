"""Many workers: that they make what one process makes, that nothing ends with a worker, a scheduler or a disk."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

import pandas as pd
import psutil
import pytest
import torch

from shamsul_core.classifier.weights import load_classifier, save_classifier
from shamsul_core.engine import cluster
from shamsul_core.engine.plan import explain_cohort
from shamsul_core.files.storage import place
from shamsul_core.run import Run, RunError
from tests.cli.test_cli import call, said
from tests.engine.test_plan import PATHOLOGIES, make_plan
from tests.faults import Faults
from tests.made import image_id, make_cohort

ROOT = Path(__file__).parents[2]
COUNT = 6
IDS = [image_id(number) for number in range(1, COUNT + 1)]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return make_cohort(tmp_path_factory.mktemp("made") / "cohort", COUNT)


@pytest.fixture(scope="module")
def model(classifier, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_classifier(classifier, path)
    return path


@pytest.fixture(scope="module")
def loaded(model):
    return load_classifier(str(model))


@pytest.fixture(scope="module")
def client(s3):
    """Two workers; with two cores, each has one thread."""
    with cluster.workers(2) as client:
        yield client


@pytest.fixture
def faults(client, tmp_path):
    """A folder into which a test writes what is to go wrong, see `tests.faults`."""
    folder = tmp_path / "faults"
    folder.mkdir()
    client.register_plugin(Faults(folder))
    yield folder
    client.unregister_worker_plugin("faults")


@pytest.fixture(scope="module")
def undisturbed(cohort, loaded, tmp_path_factory):
    """What one process makes, with as many threads as a worker has."""
    plan = make_plan(cohort, tmp_path_factory.mktemp("undisturbed") / "run", loaded)
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, cluster.CPU_COUNT // 2))
    explain_cohort(plan)
    torch.set_num_threads(before)
    return plan.run


@pytest.fixture
def plan(cohort, loaded, tmp_path):
    return make_plan(cohort, tmp_path / "run", loaded)


def explain(plan, client, model, on_step=lambda _: None):
    return explain_cohort(plan, on_step, cluster.hand_out_to(client, cluster.WorkOrder.of(plan, str(model))))


def assert_equal(run, other, but=()):
    for name in ("predictions", "scores", "failures"):
        one, two = (getattr(which, name) for which in (run, other))
        two = two[~two["image_id"].isin(but)].reset_index(drop=True)
        pd.testing.assert_frame_equal(one[~one["image_id"].isin(but)].reset_index(drop=True), two)
    for name in set(other.explained_ids()) - set(but):
        assert run.path_of(name).read_bytes() == other.path_of(name).read_bytes()


def times_explained(faults):
    return pd.Series((faults / "explained").read_text().split()).value_counts().to_dict()


def test_two_workers_make_what_one_process_makes(plan, client, model, faults, undisturbed):
    steps = []
    summary = explain(plan, client, model, steps.append)
    assert (summary.explained, summary.unreadable, summary.failures) == (COUNT, 0, 0)
    assert len(steps) == COUNT * plan.steps
    assert times_explained(faults) == dict.fromkeys(IDS, 1)
    assert_equal(plan.run, undisturbed)
    assert explain(plan, client, model).explained_before == COUNT
    assert times_explained(faults) == dict.fromkeys(IDS, 1)


@pytest.mark.parametrize(("when", "again"), [("kill once", 1), ("kill once when written", 0)])
def test_a_killed_worker_takes_nothing_along(plan, client, model, faults, undisturbed, when, again):
    (faults / f"{when} {IDS[2]}").touch()
    assert explain(plan, client, model).explained == COUNT
    assert not (faults / f"{when} {IDS[2]}").exists()
    assert times_explained(faults) == dict.fromkeys(IDS, 1) | {IDS[2]: 1 + again}
    assert_equal(plan.run, undisturbed)


def test_a_radiograph_that_ends_every_worker_is_a_failure_and_the_rest_goes_on(
    plan, client, model, faults, undisturbed
):
    (faults / f"kill {IDS[1]}").touch()
    summary = explain(plan, client, model)
    assert (summary.explained, summary.unreadable) == (COUNT - 1, 1)
    (failure,) = plan.run.failures.to_dict("records")
    assert (failure["image_id"], failure["step"]) == (IDS[1], "explain")
    assert "every worker that tried to explain it was killed" in failure["error"]
    assert_equal(plan.run, undisturbed, but=[IDS[1]])
    (faults / f"kill {IDS[1]}").unlink()
    assert explain(plan, client, model).explained == 1
    assert_equal(plan.run, undisturbed)


def test_an_unreadable_radiograph_is_a_failure(cohort, loaded, tmp_path, client, model, undisturbed):
    folder = shutil.copytree(cohort, tmp_path / "cohort")
    path = folder / "CheXpert" / "val" / "patient00004" / "study1" / "view1_frontal.jpg"
    path.write_bytes(path.read_bytes()[:1000])
    plan = make_plan(folder, tmp_path / "run", loaded)
    summary = explain(plan, client, model)
    assert (summary.explained, summary.unreadable) == (COUNT - 1, 1)
    (failure,) = plan.run.failures.to_dict("records")
    assert (failure["image_id"], failure["step"]) == (IDS[3], "read")
    assert "view1_frontal.jpg" in failure["error"]
    assert_equal(plan.run, undisturbed, but=[IDS[3]])


def test_a_full_disk_stops_the_workers_and_loses_nothing(plan, client, model, faults, undisturbed):
    (faults / "full").touch()
    with pytest.raises(OSError, match=r"free some space and run the same command again: .*heatmaps"):
        explain(plan, client, model)
    assert not list(plan.run.folder.rglob("*.part"))
    (faults / "full").unlink()
    # A worker may have gone on with one that it had been given
    summary = explain(plan, client, model)
    assert summary.explained + summary.explained_before == COUNT
    assert_equal(plan.run, undisturbed)


def test_a_worker_with_another_model_stops_the_engine(plan, client, model, classifier, tmp_path):
    other = dataclasses.replace(classifier, pathologies=tuple(reversed(classifier.pathologies)))
    save_classifier(other, tmp_path / "other.safetensors")
    with pytest.raises(RunError, match="a worker has another model than the engine"):
        explain(plan, client, tmp_path / "other.safetensors")
    assert plan.run.explained_ids() == []


def test_two_workers_write_into_an_object_store(cohort, loaded, s3, client, model, undisturbed):
    plan = make_plan(cohort, place(f"{s3}/workers"), loaded)
    assert explain(plan, client, model).explained == COUNT
    assert_equal(Run.open(place(f"{s3}/workers")), undisturbed)


def test_a_scheduler_that_goes_away_is_one_line_and_what_is_explained_is_kept(
    start, cohort, model, tmp_path, undisturbed, monkeypatch
):
    address, family = started_cluster(start, tmp_path)
    command = ("explain", "--cohort", cohort, "--model", model, "--run", tmp_path / "run")
    command += ("--method", "gradcam", "--method", "lrp", *(f"--pathology={one}" for one in PATHOLOGIES))

    @contextmanager
    def ending_the_scheduler(total):
        yield lambda _: family[0].kill()

    with monkeypatch.context() as patch:
        # The package's attribute of this name is the command; the module is found by its import.
        patch.setattr(import_module("shamsul_core.cli.explain"), "progress_bar", ending_the_scheduler)
        stopped = call(*command, "--scheduler", address)
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, "workers that outlive their scheduler"
    assert stopped.exit_code == 1
    assert f"{address}: the scheduler is gone; finished results are kept" in said(stopped)
    assert "Traceback" not in stopped.output
    done = Run.open(tmp_path / "run").explained_ids()
    assert 1 <= len(done) <= COUNT
    undisturbed_there = {
        path.name: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.safetensors")
    }
    resumed = call(*command)
    assert f"{COUNT - len(done)} radiographs explained, {len(done)} before" in said(resumed)
    for name, written in undisturbed_there.items():
        assert (tmp_path / "run" / "heatmaps" / name).stat().st_mtime_ns == written
    run = Run.open(tmp_path / "run")
    assert run.failures.empty
    assert len(run.scores) == len(undisturbed.scores)


@pytest.mark.parametrize("how", ["kill -9", "Ctrl-C"])
def test_no_worker_outlives_its_engine(start, cohort, small_model, tmp_path, how):
    arguments = ("--cohort", cohort, "--model", small_model, "--run", tmp_path / "run", "--method", "lime")
    with (tmp_path / "said").open("w", encoding="utf-8") as said_there:
        engine = start("shamsul_core", "explain", *arguments, "--workers", "2", output=said_there)
    wait_for(lambda: list(tmp_path.glob("run/heatmaps/patient*")))
    workers = engine.children(recursive=True)
    assert len(workers) >= 2
    if how == "kill -9":
        engine.kill()
    else:
        os.killpg(engine.pid, signal.SIGINT)  # as a terminal does
    _, alive = psutil.wait_procs([engine, *workers], timeout=60)
    assert not alive
    assert "Traceback" not in (tmp_path / "said").read_text(encoding="utf-8")
    assert 1 <= len(Run.open(tmp_path / "run").explained_ids()) <= COUNT


def started_cluster(start, folder):
    """Start a scheduler and two workers as the README says; return its address and all their processes."""
    about = folder / "scheduler.json"
    scheduler = start(
        "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", about
    )
    wait_for(lambda: about.exists() and about.read_text())
    address = json.loads(about.read_text())["address"]
    workers = start(
        "dask",
        "worker",
        address,
        "--nworkers",
        "2",
        "--nthreads",
        "1",
        "--memory-limit",
        "0",
        "--no-dashboard",
    )
    with cluster.scheduler(address) as client:
        client.wait_for_workers(2, timeout=60)
    return address, [scheduler, workers, *workers.children(recursive=True)]


@pytest.fixture
def start():
    """Start a module as a process, which with all that it started ends with the test at the latest."""
    started = []

    def start(*command, output=subprocess.DEVNULL):
        threads = str(max(1, cluster.CPU_COUNT // 2))
        started.append(
            psutil.Popen(
                [sys.executable, "-m", *map(str, command)],
                cwd=ROOT,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=os.environ | {"OMP_NUM_THREADS": threads},
            )
        )
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(is_there):
    deadline = time.monotonic() + 240
    while not is_there():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # polling another process; nothing is timed by it
