"""``explain``: a cohort goes in, a run comes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.classifier.source import ModelSource
from shamsul_core.cli.options import (
    CohortFolder,
    CohortLayout,
    CohortSplit,
    Model,
    Names,
    Output,
    Prompts,
    RunFolder,
    Weights,
)
from shamsul_core.cli.terminal import (
    console,
    progress_bar,
    report_failures,
    say,
    warn,
    warn_of,
)
from shamsul_core.cohort.renamed import by_names
from shamsul_core.pairing import pair, read_mapping
from shamsul_core.progress import OnStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.engine.plan import Plan, Summary


def explain(
    cohort: CohortFolder,
    model: Model,
    run: RunFolder,
    *,
    output: Output = None,
    weights: Weights = None,
    prompts: Prompts = None,
    split: CohortSplit = None,
    layout: CohortLayout = None,
    names: Names = None,
    preset: Annotated[
        str,
        typer.Option(
            help="Settings: 'default', 'paper' for those of the paper's code, or 'all' for every method's default."
        ),
    ] = "default",
    method: Annotated[
        list[str] | None,
        typer.Option(
            help="lime, shap, gradcam, lrp, hirescam, gradcampp, ig, smoothgrad, occlusion, rise, relevancy, rollout, or FILE.py:FUNCTION for one of your own, which is executed; may be repeated. Default: the first four, with --preset all every one."
        ),
    ] = None,
    hide: Annotated[
        str | None,
        typer.Option(
            help="What LIME, SHAP and occlusion put in the place of what they hide: grey (default), blur, 'local mean' or inpainted."
        ),
    ] = None,
    pathology: Annotated[
        list[str] | None,
        typer.Option(
            help="Pathology to explain; may be repeated. Default: all that the model predicts and the cohort labels or marks; with CheXpert's cohort, the ten that CheXlocalize localises."
        ),
    ] = None,
    present_or_predicted: Annotated[
        bool,
        typer.Option(
            "--present-or-predicted",
            help="On each radiograph, explain only pathologies that are labelled, marked by the experts or predicted.",
        ),
    ] = False,
    only_marked: Annotated[
        bool,
        typer.Option("--only-marked", help="Explain only radiographs on which experts marked anything."),
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Explain only so many radiographs, the first of the cohort.")
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(help="Text file with a radiograph's id a line: explain only these."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where the network runs: cpu, or cuda for a GPU.")] = "cpu",
    workers: Annotated[
        int, typer.Option(min=1, help="Number of processes sharing this machine's cores.")
    ] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers do the work.")
    ] = None,
) -> None:
    """Predict, explain, segment and score a cohort; run again to resume."""
    with console.status("Reading the cohort and the model"):
        from shamsul_core.cohort import open_cohort

        opened = open_cohort(cohort, split=split, layout=layout)
        source = ModelSource(
            model=model,
            output=output,
            weights=weights,
            prompts=prompts,
            observations=opened.observations or None,
        )
        chosen = _chosen(opened, ids, only_marked=only_marked)[:limit]
        plan, remarks = _plan(
            run,
            opened,
            source,
            device,
            names=None if names is None else read_mapping(names),
            methods=method,
            pathologies=pathology,
            preset=preset,
            hide=hide,
            is_sparse=present_or_predicted,
        )
    warn_of([*opened.problems, *opened.remarks], run / "problems.txt")
    for remark in remarks:
        warn(remark)
    with progress_bar(len(chosen) * plan.steps) as on_step:
        summary = _explain(plan, chosen, source, device, on_step, workers, scheduler)
    say(
        f"{run}: {summary.explained} radiographs explained, {summary.explained_before} before, "
        f"{summary.unreadable} unreadable"
    )
    if summary.explained or not plan.run.has_yardsticks:
        from shamsul_core.engine.yardsticks import measure_yardsticks

        with progress_bar(2 * len(plan.run.explained_ids())) as on_step:
            measure_yardsticks(plan.run, plan.cohort, plan.segmentation, on_step)
    report_failures(plan.run)
    if not summary.explained + summary.explained_before:
        raise typer.Exit(1)


def _plan(
    folder: Path,
    cohort: Cohort,
    model: ModelSource,
    device: str,
    *,
    names: Mapping[str, str] | None,
    methods: Sequence[str] | None,
    pathologies: Sequence[str] | None,
    preset: str,
    hide: str | None,
    is_sparse: bool,
) -> tuple[Plan, list[str]]:
    """Return what is to be done, and what is to be said of it before it begins."""
    # These take seconds: what is wrong with the cohort was said before
    from shamsul_core.classifier.leak import leak_in_words
    from shamsul_core.classifier.weights import load_classifier
    from shamsul_core.engine.plan import Plan, pathologies_to_explain
    from shamsul_core.explain import make_explainers
    from shamsul_core.memory import keep_freed_memory
    from shamsul_core.run import Run
    from shamsul_core.run.manifest import ALL, PRESENT_OR_PREDICTED
    from shamsul_core.run.provenance import circumstances, describe_run
    from shamsul_core.run.scoring import segmentation_of
    from shamsul_core.run.wording import mixture_in_words

    keep_freed_memory()
    classifier = load_classifier(model, device)
    explainers = make_explainers(preset, methods or None, hide)
    pairing = pair(classifier.pathologies, cohort.observations, names)
    renamed = by_names(cohort, pairing.names)
    wanted = pathologies_to_explain(pairing, cohort, pathologies)
    explained = PRESENT_OR_PREDICTED if is_sparse else ALL
    manifest = describe_run(folder, renamed, classifier, explainers, wanted, preset, explained, pairing.names)
    begun = Run.create_or_resume(folder, manifest)
    remarks = list(pairing.lines()) if pathologies is None and cohort.observations else []
    mixed = mixture_in_words(begun.manifest, circumstances(classifier))
    if mixed and begun.explained_ids():
        remarks.append(f"{folder}: {mixed}")
    if leak := leak_in_words(classifier.card, cohort):
        remarks.append(leak)
    if not classifier.is_trained:
        remarks.append("An untrained network: its predictions and heatmaps mean nothing.")
    return Plan(renamed, classifier, explainers, begun, segmentation_of(begun)), remarks


def _chosen(cohort: Cohort, ids: Path | None, *, only_marked: bool) -> list[str]:
    """Return the ids that a file names, or all, in the cohort's order; of them those that are marked."""
    named = list(cohort.radiographs) if ids is None else _named(cohort, ids)
    chosen = [image_id for image_id in named if cohort.marked_on(image_id)] if only_marked else named
    if not chosen:
        message = (
            f"{cohort.folder}: experts marked nothing on any of these radiographs; leave --only-marked out"
        )
        raise ValueError(message)
    return chosen


def _named(cohort: Cohort, ids: Path) -> list[str]:
    """Return the ids that a file names, in the cohort's order."""
    lines = ids.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    named = {line.strip(): number for number, line in enumerate(lines, 1) if line.strip()}
    for name, number in named.items():
        if name not in cohort.radiographs:
            example = next(iter(cohort.radiographs))
            message = (
                f"{ids} line {number}: {name!r} is no radiograph of this cohort and split, as {example} is"
            )
            raise ValueError(message)
    if not named:
        message = f"{ids}: names no radiograph"
        raise ValueError(message)
    return [image_id for image_id in cohort.radiographs if image_id in named]


def _explain(
    plan: Plan,
    chosen: Sequence[str],
    model: ModelSource,
    device: str,
    on_step: OnStep,
    workers: int,
    scheduler: str | None,
) -> Summary:
    from shamsul_core.engine.plan import explain_cohort

    if workers == 1 and scheduler is None:
        return explain_cohort(plan, on_step, image_ids=chosen)
    from shamsul_core.engine import cluster

    with cluster.scheduler(scheduler) if scheduler else cluster.workers(workers) as client:
        hand_out = cluster.hand_out_to(client, cluster.WorkOrder.of(plan, model, device))
        return explain_cohort(plan, on_step, hand_out, image_ids=chosen)
