"""Many workers: radiographs handed out to the processes of a Dask cluster, on this machine or on many.

A worker opens cohort, model and run once, from a `WorkOrder`. It writes each radiograph's result into the run itself and
returns only the rows for the tables, so that what a worker has finished is never lost with it.
"""

from __future__ import annotations

import logging
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import dask
from dask.system import CPU_COUNT
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, as_completed

from shamsul_core.classifier.source import ModelSource
from shamsul_core.engine.plan import Entry, Plan, bring_to_run, failed
from shamsul_core.files.storage import absolute, place
from shamsul_core.run import Run, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Worker

    from shamsul_core.engine.plan import HandOut
    from shamsul_core.progress import OnStep

T = TypeVar("T")
Item = TypeVar("Item")

_DEATHS_BEFORE_SUSPICION = 1
_RESTART = "2 minutes"
"""How long a worker that ended may take to come back, which on a busy machine is more than Dask's 15 s; after that it
is given up and another is started."""

_one_at_a_time = Lock()


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """What a worker, in another process or on another machine, opens to have the engine's plan.

    Parameters
    ----------
    cohort, model, run
        Absolute paths or addresses that every worker can reach; `model` as `load_classifier` takes it.
    layout, split
        Of the cohort, as `open_cohort` takes them.
    names
        The run's names of observations that the cohort calls otherwise, each with the cohort's.
    preset, methods, pathologies
        As the command line has them: names of `PRESETS`, of `EXPLAINERS`, and of observations.
    hide
        What hidden parts are hidden behind, as `make_explainers` takes it.
    device
        Where a worker runs the network, as `load_classifier` takes it.
    """

    cohort: str
    layout: str
    split: str
    names: tuple[tuple[str, str], ...]
    model: ModelSource
    preset: str
    methods: tuple[str, ...]
    pathologies: tuple[str, ...]
    run: str
    device: str = "cpu"
    hide: str | None = None

    @classmethod
    def of(cls, plan: Plan, model: str | ModelSource, device: str = "cpu") -> WorkOrder:
        """Describe a plan; `model` and `device` are what its classifier was loaded from and to."""
        methods = plan.run.manifest.methods
        return cls(
            cohort=absolute(plan.cohort.folder),
            layout=plan.cohort.layout,
            split=plan.cohort.split,
            names=tuple(plan.run.manifest.names.items()),
            model=ModelSource.of(model).with_files(_reachable),
            preset=plan.run.manifest.preset,
            # A method of one's own is found by its function alone
            methods=tuple(methods[name]["settings"].get("function", name) for name in methods),
            pathologies=plan.run.manifest.pathologies,
            run=absolute(plan.run.folder),
            device=device,
            hide=next(
                (one["settings"]["hide"] for one in methods.values() if "hide" in one["settings"]), None
            ),
        )

    def open(self) -> Plan:
        """Open the plan.

        Raises
        ------
        ValueError
            If cohort, model or run cannot be read here, or are not those of the engine; says which.
        """
        from shamsul_core.classifier.weights import load_classifier
        from shamsul_core.cohort import open_cohort
        from shamsul_core.cohort.renamed import by_names
        from shamsul_core.explain import make_explainers
        from shamsul_core.run.provenance import describe_run
        from shamsul_core.run.scoring import segmentation_of

        names = dict(self.names)
        cohort = by_names(open_cohort(place(self.cohort), split=self.split, layout=self.layout), names)
        classifier = load_classifier(self.model, self.device)
        explainers = make_explainers(self.preset, self.methods, self.hide)
        run = Run.open(place(self.run))
        here = describe_run(
            run.folder,
            cohort,
            classifier,
            explainers,
            self.pathologies,
            self.preset,
            run.manifest.explained,
            names,
        )
        differences = run.manifest.differences(here)
        if differences:
            message = (
                f"{run.folder}: a worker has another {', '.join(differences)} than the engine; give all machines "
                f"the same files and the same version of SHAMSUL"
            )
            raise RunError(message)
        return Plan(cohort, classifier, explainers, run, segmentation_of(run))


def _reachable(path: str) -> str:
    there = place(path)
    return absolute(there) if there.exists() else path


@contextmanager
def workers(count: int) -> Iterator[Client]:
    """Start so many worker processes on this machine, which share its cores, and end them with the block.

    They also end, whatever they are at, when this process is killed.
    """
    threads = str(max(1, CPU_COUNT // count))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    with (
        dask.config.set(
            {
                "distributed.scheduler.allowed-failures": _DEATHS_BEFORE_SUSPICION,
                "distributed.deploy.lost-worker-timeout": _RESTART,
            }
        ),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            # Any free port: another engine may have the usual one
            dashboard_address="127.0.0.1:0",
            # A worker keeps its freed memory, which Dask would take for a leak and pause it
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            env=dict.fromkeys(names, threads),
        ) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(_IgnoringInterrupts())
        # Replaces those given up
        cluster.adapt(minimum=count, maximum=count)
        yield client


class _IgnoringInterrupts(WorkerPlugin):
    """Ctrl-C reaches every process of a terminal; the engine, which ends its workers, is to answer alone."""

    def setup(self, worker: Worker) -> None:
        del worker
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def scheduler(address: str) -> Iterator[Client]:
    """Connect to the scheduler of a Dask cluster.

    Parameters
    ----------
    address
        Such as ``"tcp://10.0.0.1:8786"``; it is waited for for 10 seconds.

    Raises
    ------
    ConnectionError
        If none answers there.
    """
    # What it has to say is said in one line here
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=10)
    except OSError as error:
        message = f"{address}: no Dask scheduler answers there; start one with: dask scheduler"
        raise ConnectionError(message) from error
    with client:
        yield client


def hand_out_to(client: Client, order: WorkOrder) -> HandOut:
    """Return what hands out an engine's radiographs to a cluster's workers.

    A worker that ends takes nothing along: its radiograph is given to another. One whose workers ended again and again
    is tried once more, alone, and if that ends a worker too, it is a failure; the rest goes on.

    Raises
    ------
    ConnectionError
        While radiographs are handed out, if the scheduler goes away.
    """

    def hand_out(plan: Plan, image_ids: Sequence[str], on_step: OnStep) -> Iterator[Entry]:
        suspects = []
        for image_id, entry in outcomes(client, explain_here, image_ids, order=order):
            if entry is None:
                suspects.append(image_id)
                continue
            _tell(plan, image_id, on_step)
            yield entry
        # One after the other, since others on the same worker are blamed for its end too
        for suspect in suspects:
            ((_, entry),) = outcomes(client, explain_here, [suspect], order=order)
            _tell(plan, suspect, on_step)
            message = "every worker that tried to explain it was killed, perhaps out of memory; see the workers' logs"
            yield entry or failed(suspect, "explain", message)

    return hand_out


def explain_here(image_id: str, order: WorkOrder) -> Entry:
    """Do one radiograph's work; runs in a worker."""
    # A worker may have been given threads, but the explainers change the network while they run
    with _one_at_a_time:
        return bring_to_run(opened(order), image_id)


@lru_cache(maxsize=1)
def opened(order: WorkOrder) -> Plan:
    """Open a plan in a worker, which keeps it for all radiographs to come."""
    import cv2
    import torch

    from shamsul_core.memory import keep_freed_memory

    keep_freed_memory()
    # torch has it from OMP_NUM_THREADS, OpenCV counts all cores
    cv2.setNumThreads(torch.get_num_threads())
    return order.open()


def outcomes(
    client: Client, work: Callable[..., T], items: Sequence[Item], **shared: Any
) -> Iterator[tuple[Item, T | None]]:
    """Yield what came of each item as it comes; ``None`` where its workers ended.

    Parameters
    ----------
    work
        Runs in a worker, on one item and what all share; never returns ``None``.

    Raises
    ------
    ConnectionError
        If the scheduler goes away.
    """
    futures = client.map(work, items, pure=False, **shared)
    whose = {future.key: item for future, item in zip(futures, items, strict=True)}
    ended: Any = as_completed(futures, with_results=True, raise_errors=False)
    # So that the scheduler forgets each once it is done
    del futures
    for future, outcome in ended:
        if future.status == "finished":
            yield whose[future.key], outcome
        elif future.status != "error":
            address = client.scheduler.address if client.scheduler else "Dask"
            message = (
                f"{address}: the scheduler is gone; finished results are kept: run the same command again"
            )
            raise ConnectionError(message)
        elif isinstance(outcome[1], KilledWorker):
            yield whose[future.key], None
        else:
            raise outcome[1]


def _tell(plan: Plan, image_id: str, on_step: OnStep) -> None:
    for _ in plan.explainers:
        on_step(image_id)
