"""The proof of a run: which radiographs' maps are tested by what, what is done, who does it, and its table.

Each test of a radiograph is a part of its own in the run, whole or not at all, so that a call goes on where the last one
stopped, with more radiographs or with other tests.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.patients import patient_of
from shamsul_core.engine.plan import present_or_predicted
from shamsul_core.engine.yardsticks import marks_of_run
from shamsul_core.explain import EXPLAINERS, PRESETS, Subject, make_explainers
from shamsul_core.files.lock import locked
from shamsul_core.localisation.scoring import expert_mask
from shamsul_core.progress import OnStep, say_nothing
from shamsul_core.proof import cause, faithfulness, randomisation, reproducibility, robustness
from shamsul_core.proof.catalogue import (
    CAUSE,
    FAITHFULNESS,
    RANDOMISATION,
    REPRODUCIBILITY,
    ROBUSTNESS,
    TESTS,
)
from shamsul_core.proof.examined import Examined
from shamsul_core.proof.maps import seen_of
from shamsul_core.proof.similarity import on_input
from shamsul_core.run import RunError
from shamsul_core.run.proof import ProofOfRun

if TYPE_CHECKING:
    from shamsul_core.classifier.classifier import Classifier
    from shamsul_core.cohort import Cohort
    from shamsul_core.explain import Explainer
    from shamsul_core.heatmap import FloatArray, Heatmap
    from shamsul_core.localisation.segmentation import Mask
    from shamsul_core.proof.catalogue import Measured
    from shamsul_core.proof.maps import Maps
    from shamsul_core.run import RadiographResult, Run

MEASURES: Mapping[str, Callable[[Examined], Iterator[Measured]]] = {
    FAITHFULNESS: faithfulness.measure,
    RANDOMISATION: randomisation.measure,
    ROBUSTNESS: robustness.measure,
    REPRODUCIBILITY: reproducibility.measure,
    CAUSE: cause.measure,
}
"""What measures each test; a sixth is one file in `shamsul_core.proof` and one entry here and in its catalogue."""

_ASKING_AGAIN = {RANDOMISATION, ROBUSTNESS, REPRODUCIBILITY}
"""Tests in which the methods explain again."""

_LIGHT_PX = 112

_WITH_MAPS = 12
"""Radiographs of whose cascades the maps are kept, small, to be looked at."""


@dataclass(frozen=True, eq=False)
class Bench:
    """What the maps of a run are tested with; all that a worker opens once.

    Parameters
    ----------
    run, cohort, classifier
        The run, with the cohort and the model that it explained.
    explainers
        Its methods, as far as they can be asked again; see `explainers_of`.
    other_model
        Another training of the same model, for `REPRODUCIBILITY`.
    """

    run: Run
    cohort: Cohort
    classifier: Classifier
    explainers: Sequence[Explainer]
    other_model: Classifier | None = None

    def part(self, test: str) -> str:
        """Return what the parts of a test are called: another model's have its fingerprint."""
        if test == REPRODUCIBILITY and self.other_model is not None:
            return f"{test} {self.other_model.fingerprint[:12]}"
        return test


@dataclass(frozen=True, eq=False)
class Assignment:
    """One radiograph's part of the work.

    Parameters
    ----------
    image_id, pathologies
        Whose maps.
    tests
        Those not done yet.
    location
        By pathology, the mean of other patients' marks.
    others
        By pathology, the radiograph of another patient with a map of it.
    keeps_maps
        Whether the maps of its cascade are kept.
    """

    image_id: str
    pathologies: Sequence[str]
    tests: Sequence[str]
    location: Mapping[str, FloatArray] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    keeps_maps: bool = False


@dataclass(frozen=True)
class Done:
    """What came of a radiograph: why what could not be done could not, a line each."""

    image_id: str
    problems: tuple[str, ...] = ()


HandOut: TypeAlias = Callable[[Bench, Sequence[Assignment], OnStep], Iterable[Done]]
"""Who does the work, see `here`."""


def here(bench: Bench, assignments: Sequence[Assignment], on_step: OnStep) -> Iterator[Done]:
    """Test one radiograph's maps after the other in this process."""
    for assignment in assignments:
        yield prove(bench, assignment, on_step)


def explainers_of(run: Run) -> tuple[list[Explainer], list[str]]:
    """Return a run's methods, to be asked again, and a line for each that cannot be.

    A run's own methods are somebody's code, which no run may name to be executed.
    """
    manifest = run.manifest
    names = [name for name in manifest.methods if name in EXPLAINERS]
    made = make_explainers(manifest.preset, names) if manifest.preset in PRESETS else []
    same = [
        explainer
        for explainer in made
        if json.loads(json.dumps(asdict(explainer.settings))) == manifest.methods[explainer.name]["settings"]
    ]
    kept = {explainer.name for explainer in same}
    lines = [
        f"{title} cannot be asked again with the settings of this run: it is tested by its maps alone"
        for name, title in manifest.titles.items()
        if name not in kept
    ]
    return same, lines


def draw(run: Run, cohort: Cohort, count: int) -> dict[str, list[str]]:
    """Draw radiographs whose maps are tested, with the pathologies that are labelled, marked or predicted there.

    Returns
    -------
    dict
        The same radiographs for the same `count`, and these among those of a larger one.
    """
    table = run.predictions.set_index("image_id")
    names, rows = [str(name) for name in table.columns], table.to_numpy(np.float64).tolist()
    probabilities = {
        str(image_id): dict(zip(names, row, strict=True))
        for image_id, row in zip(table.index, rows, strict=True)
    }
    cases = {}
    for image_id in sorted(run.explained_ids(), key=lambda name: zlib.crc32(f"proof {name}".encode())):
        if image_id not in cohort.radiographs:
            continue
        known = probabilities.get(image_id, {})
        pathologies = present_or_predicted(
            cohort, cohort.radiographs[image_id], known, run.manifest.pathologies
        )
        if pathologies:
            cases[image_id] = pathologies
        if len(cases) == count:
            break
    return cases


def prove_run(
    bench: Bench,
    tests: Sequence[str],
    count: int,
    on_step: OnStep = say_nothing,
    hand_out: HandOut = here,
) -> list[str]:
    """Test the maps of a sample of a run's radiographs, but for what is done already, and write the table.

    Parameters
    ----------
    tests
        Of `TESTS`; those in which the methods explain again are left out where none can.
    count
        Radiographs at most.
    on_step
        Called once for each test of each radiograph.
    hand_out
        Who does the work: this process, or workers (`shamsul_core.engine.proving_cluster`).

    Returns
    -------
    list of str
        What could not be done, a line each; the rest is done, and this is tried again by the next call.

    Raises
    ------
    RunError
        If another engine is at work on the run, or a result cannot be read.
    OSError
        If the run cannot be written, or the workers' scheduler went away.
    """
    proof = ProofOfRun(bench.run)
    problems: list[str] = []
    with locked(bench.run.folder, "run", RunError):
        assignments, done = _assign(bench, tests, count)
        for _ in range(done):
            on_step("tested before")
        try:
            for outcome in hand_out(bench, assignments, on_step):
                problems += outcome.problems
        finally:
            if assignments or not (bench.run.folder / "proof.parquet").exists():
                proof.gather()
    return problems


def possible(bench: Bench, tests: Sequence[str]) -> list[str]:
    """Return those of the tests that can be made, in the order of `TESTS`."""
    can_ask = bool(bench.explainers)
    return [
        test
        for test in TESTS
        if test in tests
        and (can_ask or test not in _ASKING_AGAIN)
        and (bench.other_model is not None or test != REPRODUCIBILITY)
    ]


def _assign(bench: Bench, tests: Sequence[str], count: int) -> tuple[list[Assignment], int]:
    """Return what is to be done, and how many tests of radiographs were done before."""
    proof = ProofOfRun(bench.run)
    wanted = possible(bench, tests)
    cases = draw(bench.run, bench.cohort, count)
    done = {test: proof.done(bench.part(test)) for test in wanted}
    left = {image_id: [test for test in wanted if image_id not in done[test]] for image_id in cases}
    before = sum(len(wanted) - len(tests_left) for tests_left in left.values())
    if not any(left.values()):
        return [], before
    marks = marks_of_run(bench.run, bench.cohort)
    others = _others(cases)
    with_maps = set(list(cases)[:_WITH_MAPS])
    assignments = []
    for image_id, pathologies in cases.items():
        if not left[image_id]:
            continue
        means = {name: marks[name].location(image_id) for name in pathologies}
        location = {name: _light(mean) for name, mean in means.items() if mean is not None}
        assignments.append(
            Assignment(
                image_id, pathologies, left[image_id], location, others[image_id], image_id in with_maps
            )
        )
    return assignments, before


def _light(location: FloatArray) -> FloatArray:
    """Return a map that is smooth in fewer places, since it travels to a worker."""
    return np.asarray(cv2.resize(location, (_LIGHT_PX, _LIGHT_PX), interpolation=cv2.INTER_AREA), np.float32)


def _others(cases: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Return for each radiograph and pathology the next radiograph of another patient with the same pathology."""
    having = defaultdict(list)
    for image_id, pathologies in cases.items():
        for name in pathologies:
            having[name].append(image_id)
    chosen: dict[str, dict[str, str]] = {image_id: {} for image_id in cases}
    for name, image_ids in having.items():
        for place, image_id in enumerate(image_ids):
            following = [*image_ids[place + 1 :], *image_ids[:place]]
            another = next((one for one in following if patient_of(one) != patient_of(image_id)), None)
            if another is not None:
                chosen[image_id][name] = another
    return chosen


def prove(bench: Bench, assignment: Assignment, on_step: OnStep = say_nothing) -> Done:
    """Make the tests of one radiograph's maps and write their parts."""
    image_id, proof = assignment.image_id, ProofOfRun(bench.run)
    try:
        examined = examine(bench, assignment)
    except CohortError as error:
        for _ in assignment.tests:
            on_step(image_id)
        return Done(image_id, (f"{image_id}: {error}",))
    problems = []
    for test in assignment.tests:
        keep: dict[str, Maps] | None = {} if test == RANDOMISATION and assignment.keeps_maps else None
        try:
            rows = list(MEASURES[test](examined) if keep is None else randomisation.measure(examined, keep))
        except (ValueError, RuntimeError, MemoryError) as error:
            problems.append(f"{image_id} {test}: {' '.join(str(error).split())[:300]}")
        else:
            if keep:
                proof.write_maps(image_id, _to_keep(examined, keep))
            proof.write_part(bench.part(test), test, image_id, rows)
        on_step(f"{image_id} {test}")
    return Done(image_id, tuple(problems))


def examine(bench: Bench, assignment: Assignment) -> Examined:
    """Return what the tests of one radiograph are given.

    Raises
    ------
    CohortError
        If the radiograph, or what is known of it, cannot be read.
    RunError
        If its result cannot be read.
    """
    run, cohort, image_id = bench.run, bench.cohort, assignment.image_id
    subject = Subject(bench.classifier, cohort.radiographs[image_id].pixels())
    result = run.read(image_id)
    size_px = bench.classifier.preprocessing.size_px
    pathologies = [name for name in assignment.pathologies if name in bench.classifier.pathologies]
    maps = {
        (heatmap.method, heatmap.pathology): _on_input(heatmap, subject, size_px)
        for heatmap in result.heatmaps
        if heatmap.pathology in pathologies
    }
    others: Maps = {}
    for name, other_id in assignment.others.items():
        for method in run.manifest.methods:
            heatmap = run.heatmap(other_id, method, name)
            if heatmap is not None:
                others[method, name] = on_input(heatmap, size_px)
    changed, falls = _removals(cohort, image_id, result, pathologies)
    return Examined(
        subject=subject,
        pathologies=pathologies,
        maps=dict(maps),
        explainers=bench.explainers,
        seed=zlib.crc32(image_id.encode()),
        location=assignment.location,
        experts=_experts(cohort, image_id, result, pathologies),
        changed=changed,
        falls=falls,
        others=others,
        other_model=bench.other_model,
    )


def _on_input(heatmap: Heatmap, subject: Subject, size_px: int) -> FloatArray:
    if heatmap.field == subject.field:
        return on_input(heatmap, size_px)
    # Imported, of the whole radiograph
    return seen_of(heatmap.relevance, subject.field, size_px)


def _experts(
    cohort: Cohort, image_id: str, result: RadiographResult, pathologies: Sequence[str]
) -> dict[str, Mask]:
    masks = {}
    for name in pathologies:
        mask, nothing = expert_mask(cohort, image_id, result.size, name)
        if mask is not None and nothing is None:
            masks[name] = mask
    return masks


def _removals(
    cohort: Cohort, image_id: str, result: RadiographResult, pathologies: Sequence[str]
) -> tuple[dict[str, Mask], dict[str, float]]:
    changed = {}
    for name in set(pathologies) & set(result.removals):
        counterfactual = cohort.counterfactual(image_id, name)
        if counterfactual is not None:
            changed[name] = counterfactual.changed
    return changed, {name: result.removals[name].change for name in changed}


def _to_keep(examined: Examined, cascade: Mapping[str, Maps]) -> dict[tuple[str, str, str], FloatArray]:
    """Return the maps of a cascade, the network's own first, by stage, method and pathology."""
    stages = {"": examined.reference, **cascade}
    return {
        (stage, method, pathology): values
        for stage, maps in stages.items()
        for (method, pathology), values in maps.items()
        if not isinstance(values, str)
    }
