"""``explain``: a cohort goes in, a run comes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.cli.options import CohortFolder, Preset, RunFolder
from shamsul_core.cli.terminal import (
    console,
    progress_bar,
    report_failures,
    say,
    warn,
    warn_of,
)
from shamsul_core.progress import OnStep
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.cohort import Cohort
    from shamsul_core.engine.plan import Plan, Summary


def explain(
    cohort: CohortFolder,
    model: Annotated[
        str,
        typer.Option(
            help="A SHAMSUL .safetensors classifier, a Keras .h5 file, a torchvision state dict with its .json, torchxrayvision:<weights>, or 'untrained' for a trial."
        ),
    ],
    run: RunFolder,
    *,
    split: Annotated[
        str | None, typer.Option(help="train, val or test. Default: the split with contours.")
    ] = None,
    preset: Preset = "default",
    method: Annotated[
        list[str] | None, typer.Option(help="lime, shap, gradcam or lrp; may be repeated. Default: all.")
    ] = None,
    pathology: Annotated[
        list[str] | None,
        typer.Option(
            help="Pathology to explain; may be repeated. Default: the ten that CheXlocalize localises."
        ),
    ] = None,
    present_or_predicted: Annotated[
        bool,
        typer.Option(
            "--present-or-predicted",
            help="On each radiograph, explain only pathologies that are labelled, marked by the experts or predicted.",
        ),
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

        opened = open_cohort(cohort, split=split)
        # The others take seconds: what is wrong with the cohort is said first
        from shamsul_core.classifier.weights import load_classifier
        from shamsul_core.engine.plan import Plan
        from shamsul_core.explain import EXPLAINERS, make_explainers
        from shamsul_core.memory import keep_freed_memory
        from shamsul_core.run import Run
        from shamsul_core.run.manifest import ALL, PRESENT_OR_PREDICTED
        from shamsul_core.run.provenance import circumstances, describe_run
        from shamsul_core.run.scoring import segmentation_of
        from shamsul_core.run.wording import mixture_in_words
        from shamsul_core.vocabulary import canonical_name

        keep_freed_memory()
        classifier = load_classifier(model, device)
        explainers = make_explainers(preset, method or list(EXPLAINERS))
        wanted = [canonical_name(name) for name in pathology or LOCALISED_PATHOLOGIES]
        pathologies = [name for name in wanted if name in classifier.pathologies]
        missing = [name for name in wanted if name not in classifier.pathologies]
        if not pathologies:
            message = f"{model}: has no output for {', '.join(missing)}"
            raise ValueError(message)
        manifest = describe_run(
            run,
            opened,
            classifier,
            explainers,
            pathologies,
            preset,
            PRESENT_OR_PREDICTED if present_or_predicted else ALL,
        )
        begun = Run.create_or_resume(run, manifest)
        chosen = _chosen(opened, ids)[:limit]
        mixed = mixture_in_words(begun.manifest, circumstances(classifier))
        plan = Plan(opened, classifier, explainers, begun, segmentation_of(begun))
    warn_of([*opened.problems, *opened.remarks], run / "problems.txt")
    if missing:
        warn(f"{model}: has no output for {', '.join(missing)}; these are left out")
    if mixed and begun.explained_ids():
        warn(f"{run}: {mixed}")
    if not classifier.is_trained:
        warn("An untrained network: its predictions and heatmaps mean nothing.")
    with progress_bar(len(chosen) * plan.steps) as on_step:
        summary = _explain(plan, chosen, model, device, on_step, workers, scheduler)
    say(
        f"{run}: {summary.explained} radiographs explained, {summary.explained_before} before, "
        f"{summary.unreadable} unreadable"
    )
    report_failures(plan.run)
    if not summary.explained + summary.explained_before:
        raise typer.Exit(1)


def _chosen(cohort: Cohort, ids: Path | None) -> list[str]:
    """Return the ids that a file names, in the cohort's order, or all."""
    if ids is None:
        return list(cohort.radiographs)
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
    model: str,
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
