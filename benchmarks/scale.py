"""How far workers carry: ``python -m benchmarks.scale --cohort COHORT [--copies 6] [--workers 1 2] [--model MODEL]``.

Makes a cohort of so many copies (each shifted a little) of the first radiograph of `COHORT`, explains it with each number of workers on this
machine (all methods and pathologies, preset ``default``), and prints radiographs a minute and each worker's most
memory. Until the workers are started and have read the model, which each does once, is timed apart.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from shamsul_core.classifier.weights import load_classifier
from shamsul_core.cohort import open_cohort
from shamsul_core.engine import cluster
from shamsul_core.engine.plan import Plan, explain_cohort
from shamsul_core.explain import make_explainers
from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run import Run
from shamsul_core.run.provenance import describe_run
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES
from tests.made import make_cohort


def plan_of(cohort: Path, model: str, run: Path) -> Plan:
    """Open what `python -m shamsul_core explain` opens with its defaults."""
    opened, classifier, explainers = open_cohort(cohort), load_classifier(model), make_explainers()
    manifest = describe_run(run, opened, classifier, explainers, LOCALISED_PATHOLOGIES, "default")
    return Plan(opened, classifier, explainers, Run.create_or_resume(run, manifest), PRESETS["default"])


def most_memory() -> float:
    """Return the most memory that this process ever had, in GB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e9


def measure(count: int, cohort: Path, model: str, run: Path) -> str:
    """Explain a cohort with so many workers and return a row of the table."""
    started = time.perf_counter()
    with cluster.workers(count) as client:
        client.wait_for_workers(count)
        plan = plan_of(cohort, model, run)
        order = cluster.WorkOrder.of(plan, model)
        client.run(cluster.opened, order)
        ready = time.perf_counter() - started
        started = time.perf_counter()
        summary = explain_cohort(plan, hand_out=cluster.hand_out_to(client, order))
        minutes = (time.perf_counter() - started) / 60
        memory = max(client.run(most_memory).values())
    return f"| {count} | {ready:.1f} | {summary.explained / minutes:.2f} | {memory:.2f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--cohort", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=6)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--model", default="untrained")
    given = parser.parse_args()
    pixels = next(iter(open_cohort(given.cohort).radiographs.values())).pixels()
    print(
        f"{given.copies} radiographs of {pixels.shape[0]} × {pixels.shape[1]} pixels, model {given.model}\n"
    )
    print("| workers | s until ready | radiographs a minute | GB a worker, at most |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        copies = make_cohort(Path(folder, "cohort"), given.copies, pixels)
        for count in given.workers:
            print(measure(count, copies, given.model, Path(folder, f"run{count}")), flush=True)
