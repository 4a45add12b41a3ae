"""The proof on many workers: radiographs handed out to the processes of a Dask cluster, see `shamsul_core.engine.cluster`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from shamsul_core.engine.cluster import outcomes
from shamsul_core.engine.proving import Bench, Done, explainers_of, prove
from shamsul_core.files.storage import place
from shamsul_core.run import Run, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Client

    from shamsul_core.classifier.source import ModelSource
    from shamsul_core.engine.proving import Assignment, HandOut
    from shamsul_core.progress import OnStep

_one_at_a_time = Lock()


@dataclass(frozen=True, kw_only=True)
class ProofOrder:
    """What a worker opens to have the engine's bench.

    Parameters
    ----------
    run
        Absolute path or address that every worker can reach, as its cohort.
    model, other_model
        The run's model, and another training of it.
    device
        Where a worker runs the network, as `load_classifier` takes it.
    """

    run: str
    model: ModelSource
    other_model: ModelSource | None = None
    device: str = "cpu"

    def open(self) -> Bench:
        """Open the bench.

        Raises
        ------
        ValueError
            If run, cohort or model cannot be read here, or the model is another one than the run's.
        """
        from shamsul_core.classifier.weights import load_classifier
        from shamsul_core.run.cohort import cohort_of

        run = Run.open(place(self.run))
        classifier = load_classifier(self.model, self.device)
        if classifier.fingerprint != run.manifest.model["fingerprint"]:
            message = (
                f"{self.model.model}: not the model of {run.folder}, whose explanations are of another one"
            )
            raise RunError(message)
        other = None if self.other_model is None else load_classifier(self.other_model, self.device)
        if other is not None and other.fingerprint == classifier.fingerprint:
            message = f"{other.source}: the same model as the run's; give another training of it"
            raise RunError(message)
        explainers, _ = explainers_of(run)
        return Bench(run, cohort_of(run), classifier, explainers, other)


def hand_out_to(client: Client, order: ProofOrder) -> HandOut:
    """Return what hands out radiographs to a cluster's workers; one whose workers all ended is named and left out.

    Raises
    ------
    ConnectionError
        While radiographs are handed out, if the scheduler goes away.
    """

    def hand_out(bench: Bench, assignments: Sequence[Assignment], on_step: OnStep) -> Iterator[Done]:
        del bench
        for assignment, done in outcomes(client, prove_there, assignments, order=order):
            for test in assignment.tests:
                on_step(f"{assignment.image_id} {test}")
            killed = f"{assignment.image_id}: every worker that tested it was killed, perhaps out of memory"
            yield done or Done(assignment.image_id, (killed,))

    return hand_out


def prove_there(assignment: Assignment, order: ProofOrder) -> Done:
    """Do one radiograph's work; runs in a worker."""
    # A worker may have been given threads, but the explainers change the network while they run
    with _one_at_a_time:
        return prove(_opened(order), assignment)


@lru_cache(maxsize=1)
def _opened(order: ProofOrder) -> Bench:
    """Open a bench in a worker, which keeps it for all radiographs to come."""
    import cv2
    import torch

    from shamsul_core.memory import keep_freed_memory

    keep_freed_memory()
    cv2.setNumThreads(torch.get_num_threads())
    return order.open()
