"""The work plan: what of a cohort is to be explained, what is done, who does it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.chexpert import CHEXPERT
from shamsul_core.engine.without_findings import remove_findings
from shamsul_core.explain import Failure, Subject, explain_subject
from shamsul_core.files.lock import locked
from shamsul_core.heatmap import Heatmap
from shamsul_core.pairing import MappingError
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.run import RadiographResult, Run, RunError
from shamsul_core.run.ledger import Ledger
from shamsul_core.run.manifest import ALL
from shamsul_core.run.provenance import circumstances, name_of
from shamsul_core.run.scoring import score_result
from shamsul_core.vocabulary import DECISION_THRESHOLD, LOCALISED_PATHOLOGIES, NO_FINDING, canonical_name

if TYPE_CHECKING:
    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.cohort import Cohort, Radiograph
    from shamsul_core.explain import Explainer
    from shamsul_core.localisation.segmentation import SegmentationSettings
    from shamsul_core.pairing import Pairing
    from shamsul_core.run.tables import TableRow


@dataclass(frozen=True)
class Summary:
    """What a call of the engine did.

    Parameters
    ----------
    explained, explained_before
        Radiographs whose results this call added to the run, and those it had already.
    unreadable
        Radiographs that could not be read.
    failures
        Rows of the run's table of failures.
    """

    explained: int
    explained_before: int
    unreadable: int
    failures: int


@dataclass(frozen=True)
class Plan:
    """What is to be done for a run: all that a worker needs to know.

    Parameters
    ----------
    cohort, classifier, explainers
        What is explained, and by which methods.
    run
        Where the results go.
    segmentation
        How heatmaps become the masks that are scored.
    """

    cohort: Cohort
    classifier: Classifier
    explainers: Sequence[Explainer]
    run: Run
    segmentation: SegmentationSettings

    @property
    def steps(self) -> int:
        """Steps that each radiograph takes: one for each method, one for reading and scoring."""
        return len(self.explainers) + 1


@dataclass(frozen=True)
class Entry:
    """What came of one radiograph: its rows of the run's tables; its result lies in the run already.

    Parameters
    ----------
    image_id
        The radiograph's id.
    scores, failures
        Its rows of the two tables.
    is_explained
        Whether the run has a result of it.
    made_with
        Where it was explained just now: under what circumstances, which differ between machines.
    """

    image_id: str
    scores: Sequence[TableRow]
    failures: Sequence[TableRow]
    is_explained: bool = True
    made_with: Mapping[str, Any] | None = None


def pathologies_to_explain(
    pairing: Pairing, cohort: Cohort, wanted: Sequence[str] | None = None
) -> list[str]:
    """Return which of a model's observations a run explains.

    Parameters
    ----------
    pairing
        Of the model with the cohort.
    cohort
        By its own names.
    wanted
        Names that somebody asked for; by default what the model predicts and the cohort labels or marks, in the model's
        order, or whatever it predicts where the cohort says nothing. Of CheXpert's cohort the ten that CheXlocalize
        localises are meant, in its order, whether this split is marked or not.

    Raises
    ------
    MappingError
        The model predicts nothing of it.
    """
    predicted = [*(name for name, _ in pairing.pairs), *pairing.of_model_alone]
    if wanted is not None:
        asked = [canonical_name(name) for name in wanted]
    elif not cohort.observations:
        asked = predicted
    elif cohort.layout == CHEXPERT:
        asked = list(LOCALISED_PATHOLOGIES)
    else:
        asked = [name for name, _ in pairing.pairs]
    chosen = [name for name in dict.fromkeys(asked) if name in predicted and (wanted or name != NO_FINDING)]
    if not chosen:
        nothing = ", ".join(asked) or ", ".join(cohort.observations)
        message = f"the model has no output for {nothing}; it predicts {', '.join(predicted)}; --names pairs what has two names"
        raise MappingError(message)
    return chosen


HandOut: TypeAlias = Callable[[Plan, Sequence[str], OnStep], Iterable[Entry]]
"""Who does the work: brings these radiographs to the run and says what came of each, in any order."""


def in_this_process(plan: Plan, image_ids: Sequence[str], on_step: OnStep) -> Iterator[Entry]:
    """Bring one radiograph after the other to the run."""
    for image_id in image_ids:
        yield bring_to_run(plan, image_id, on_step)


def explain_cohort(
    plan: Plan,
    on_step: OnStep = say_nothing,
    hand_out: HandOut = in_this_process,
    *,
    image_ids: Sequence[str] | None = None,
) -> Summary:
    """Predict, explain, segment and score every radiograph of a cohort that the run does not hold yet.

    Each radiograph's result is on disk before its worker goes on, so that a kill costs at most those at work. A
    radiograph that cannot be read is written to the failures and tried again at the next call; the rest goes on.

    Parameters
    ----------
    on_step
        Called `Plan.steps` times for each of these radiographs that can be read.
    hand_out
        Who does the work: this process, or workers (`shamsul_core.engine.cluster.hand_out_to`).
    image_ids
        The radiographs to explain, ids of the cohort; ``None`` for all. Another call may go on with others.

    Raises
    ------
    RunError
        If another engine is at work on the run.
    OSError
        If the disk is full, the run cannot be written, or the workers' scheduler went away.
    """
    with locked(plan.run.folder, "run", RunError), Ledger.opened(plan.run, plan.segmentation) as ledger:
        before = {image_id for image_id in plan.run.explained_ids() if is_held(plan.run, image_id)}
        chosen = list(plan.cohort.radiographs) if image_ids is None else image_ids
        wanted = [image_id for image_id in chosen if image_id not in before or image_id not in ledger]
        for _ in range((len(chosen) - len(wanted)) * plan.steps):
            on_step("explained before")
        _keep_seen(plan, wanted)
        unreadable = 0
        for entry in hand_out(plan, wanted, on_step):
            if entry.made_with is not None:
                plan.run.note_circumstances(name_of(entry.made_with), entry.made_with)
            ledger.enter(entry.image_id, entry.scores, entry.failures)
            unreadable += not entry.is_explained
            on_step(entry.image_id)
        explained = len(plan.run.explained_ids()) - len(before)
        return Summary(explained, len(before), unreadable, ledger.failure_count)


def _keep_seen(plan: Plan, image_ids: Sequence[str]) -> None:
    """Keep what the network sees of the first of these radiographs, where it can be read."""
    if image_ids and not plan.run.has_seen:
        with suppress(CohortError):
            pixels = plan.cohort.radiographs[image_ids[0]].pixels()
            plan.run.write_seen(image_ids[0], plan.classifier.seen(pixels))


def bring_to_run(plan: Plan, image_id: str, on_step: OnStep = say_nothing) -> Entry:
    """Explain one radiograph, unless the run holds it, write its result and score it."""
    made_with = None
    if not is_held(plan.run, image_id):
        made_with = circumstances(plan.classifier)
        try:
            result = explain_one(plan, plan.cohort.radiographs[image_id], on_step)
        except CohortError as error:
            return failed(image_id, "read", str(error))
        plan.run.write(replace(result, made_with=name_of(made_with)))
    rows = score_result(plan.run, image_id, plan.cohort, plan.segmentation)
    return Entry(image_id, *rows, made_with=made_with)


def failed(image_id: str, step: str, error: str) -> Entry:
    """Return what came of a radiograph of which the run gets no result: at which step it failed, and why in one line."""
    row = {"image_id": image_id, "step": step, "method": None, "pathology": None, "error": error}
    return Entry(image_id, [], [row], is_explained=False)


def explain_one(plan: Plan, radiograph: Radiograph, on_step: OnStep) -> RadiographResult:
    """Predict and explain one radiograph.

    Raises
    ------
    CohortError
        If its pixels cannot be read.
    """
    pixels = radiograph.pixels()
    subject = Subject(plan.classifier, pixels)
    probabilities, novelty = plan.classifier.predict_novel(pixels)
    removals, unusable = remove_findings(
        plan.classifier, plan.cohort, radiograph.id, subject.inputs, plan.run.manifest.pathologies
    )
    pathologies = _to_explain(plan, radiograph, probabilities)
    outcomes: list[Heatmap | Failure] = []
    for explainer in plan.explainers:
        outcomes += explain_subject(explainer, subject, pathologies) if pathologies else []
        on_step(f"{radiograph.id} {explainer.title}")
    return RadiographResult(
        radiograph.id,
        (pixels.shape[0], pixels.shape[1]),
        probabilities,
        tuple(heatmap for heatmap in outcomes if isinstance(heatmap, Heatmap)),
        (
            *unusable,
            *(
                (failure.method, failure.pathology, failure.reason)
                for failure in outcomes
                if isinstance(failure, Failure)
            ),
        ),
        removals=removals,
        novelty=novelty,
    )


def _to_explain(plan: Plan, radiograph: Radiograph, probabilities: Mapping[str, float]) -> list[str]:
    """Return the run's pathologies that are to be explained on this radiograph."""
    pathologies = plan.run.manifest.pathologies
    if plan.run.manifest.explained == ALL:
        return list(pathologies)
    return present_or_predicted(plan.cohort, radiograph, probabilities, pathologies)


def present_or_predicted(
    cohort: Cohort, radiograph: Radiograph, probabilities: Mapping[str, float], pathologies: Sequence[str]
) -> list[str]:
    """Return those of the pathologies that are labelled positive, marked by experts or predicted on a radiograph.

    Predicted is what has a probability of `DECISION_THRESHOLD` or more.
    """
    marked = cohort.marked_on(radiograph.id)
    return [
        name
        for name in pathologies
        if probabilities.get(name, 0.0) >= DECISION_THRESHOLD
        or radiograph.labels.get(name) == 1
        or name in marked
    ]


def is_held(run: Run, image_id: str) -> bool:
    """Return whether a radiograph's result is there and whole; a damaged one is made again."""
    try:
        run.read_record(image_id)
    except RunError:
        return False
    return True
