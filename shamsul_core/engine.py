"""The work plan: what of a cohort is to be explained, what is done, who does it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from filelock import FileLock, Timeout

from shamsul_core.cohort import CohortError
from shamsul_core.explain import Failure, Subject, explain_subject
from shamsul_core.heatmap import Heatmap
from shamsul_core.ledger import Ledger
from shamsul_core.run import RadiographResult, Run, RunError
from shamsul_core.scoring import Row, score_result

if TYPE_CHECKING:
    from pathlib import Path

    from shamsul_core.classifier import Classifier
    from shamsul_core.cohort import Cohort, Radiograph
    from shamsul_core.explain import Explainer
    from shamsul_core.segmentation import SegmentationSettings

Report: TypeAlias = Callable[[str], None]
"""Called after each step with what was done."""


@dataclass(frozen=True)
class Summary:
    """What a call of the engine did."""

    explained: int
    explained_before: int
    unreadable: int
    failures: int


@dataclass(frozen=True)
class Plan:
    """What is to be done for a run: all that a worker needs to know."""

    cohort: Cohort
    classifier: Classifier
    explainers: Sequence[Explainer]
    run: Run
    segmentation: SegmentationSettings

    @property
    def steps(self) -> int:
        """Steps that each radiograph takes: one for each method, one for reading and scoring."""
        return len(self.explainers) + 1


def explain_cohort(plan: Plan, report: Report = lambda _: None) -> Summary:
    """Predict, explain, segment and score every radiograph of a cohort that the run does not hold yet.

    Each radiograph's result is on disk before the next begins, so that a kill costs at most the one at work. A
    radiograph that cannot be read is written to the failures and tried again at the next call; the rest goes on.

    Parameters
    ----------
    report
        Called `Plan.steps` times for each radiograph of the cohort.

    Raises
    ------
    RunError
        If another engine is at work on the run.
    OSError
        If the disk is full or the run cannot be written.
    """
    with alone(plan.run.folder), Ledger.opened(plan.run, plan.segmentation) as ledger:
        before = _readable(plan.run)
        unreadable = 0
        for image_id, radiograph in plan.cohort.radiographs.items():
            if image_id not in before:
                try:
                    plan.run.write(explain_one(plan, radiograph, report))
                except CohortError as error:
                    unreadable += 1
                    ledger.enter(image_id, [], [_failure(image_id, "read", str(error))])
                    continue
            if image_id not in ledger:
                ledger.enter(image_id, *score_result(plan.run, image_id, plan.cohort, plan.segmentation))
            report(image_id)
        explained = len(plan.run.explained_ids()) - len(before)
        return Summary(explained, len(before), unreadable, ledger.failure_count)


def explain_one(plan: Plan, radiograph: Radiograph, report: Report) -> RadiographResult:
    """Predict and explain one radiograph.

    Raises
    ------
    CohortError
        If its pixels cannot be read.
    """
    pixels = radiograph.pixels()
    subject = Subject(plan.classifier, pixels)
    probabilities = plan.classifier.predict(pixels)
    outcomes: list[Heatmap | Failure] = []
    for explainer in plan.explainers:
        outcomes += explain_subject(explainer, subject, plan.run.manifest.pathologies)
        report(f"{radiograph.id} {explainer.title}")
    return RadiographResult(
        radiograph.id,
        (pixels.shape[0], pixels.shape[1]),
        probabilities,
        tuple(one for one in outcomes if isinstance(one, Heatmap)),
        tuple((one.method, one.pathology, one.reason) for one in outcomes if isinstance(one, Failure)),
    )


def score_run(
    run: Run, cohort: Cohort, segmentation: SegmentationSettings, report: Report = lambda _: None
) -> None:
    """Segment and score every heatmap of the run anew, without explaining again.

    Raises
    ------
    RunError
        If another engine is at work on the run, or a result cannot be read.
    """
    with alone(run.folder), Ledger.opened(run, segmentation, keep_scores=False) as ledger:
        for image_id in run.explained_ids():
            ledger.enter(image_id, *score_result(run, image_id, cohort, segmentation))
            report(image_id)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a run for one engine at a time.

    The lock is the operating system's, on ``.lock`` in the run, and goes with the process that holds it.

    Raises
    ------
    RunError
        If another engine holds it.
    """
    try:
        with FileLock(folder / ".lock", blocking=False):
            for left_by_a_kill in folder.rglob(".*.part"):
                left_by_a_kill.unlink()
            yield
    except Timeout as error:
        message = f"{folder}: another engine is at work on this run; wait for it or give another folder"
        raise RunError(message) from error


def _readable(run: Run) -> set[str]:
    """Return the ids whose results are there and whole; a damaged one is explained again."""
    return {image_id for image_id in run.explained_ids() if _is_readable(run, image_id)}


def _is_readable(run: Run, image_id: str) -> bool:
    try:
        run.read_record(image_id)
    except RunError:
        return False
    return True


def _failure(image_id: str, step: str, error: str) -> Row:
    return {"image_id": image_id, "step": step, "method": None, "pathology": None, "error": error}
