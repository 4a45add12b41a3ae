"""The command line: ``python -m shamsul_core COMMAND``.

Each command ends with what it wrote and what failed, and exits non-zero where nothing could be done. What is wrong
with its input is one line, never a traceback. Heavy libraries are imported by the command that needs them.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from shamsul_core.labels import LOCALISED_PATHOLOGIES
from shamsul_core.storage import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.engine import Plan, Report, Summary
    from shamsul_core.run import Run
    from shamsul_core.segmentation import SegmentationSettings

app = typer.Typer(
    name="python -m shamsul_core",
    help="Explain chest radiographs with four methods and hold them against the expert's contours. For research, not for diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(stderr=True)


def _run_place(address: str) -> Path:
    try:
        return place(address)
    except OSError as error:
        raise typer.BadParameter(str(error)) from error


CohortFolder = Annotated[Path, typer.Option("--cohort", help="Folder in the CheXpert/CheXlocalize layout.")]
RunFolder = Annotated[
    Path,
    typer.Option("--run", parser=_run_place, metavar="RUN", help="Folder of the run, or s3://bucket/folder."),
]
Preset = Annotated[str, typer.Option(help="Settings: 'default', or 'paper' as the paper's code has them.")]
Thresholds = Annotated[
    Path | None, typer.Option(help="CSV threshold,task: per-pathology thresholds in place of Otsu's.")
]
Cutoffs = Annotated[
    Path | None,
    typer.Option(help="CSV prob_threshold,mIoU,task: below its best cutoff a pathology's mask is empty."),
]
Smoothing = Annotated[
    int, typer.Option(min=0, help="Side of CheXlocalize's smoothing box in pixels, 0 for none.")
]


@app.command()
def explain(
    cohort: CohortFolder,
    model: Annotated[
        str, typer.Option(help="A .safetensors classifier of ours, or 'untrained' for a trial.")
    ],
    run: RunFolder,
    *,
    split: Annotated[
        str | None, typer.Option(help="train, val or test; otherwise the one with contours.")
    ] = None,
    preset: Preset = "default",
    method: Annotated[list[str] | None, typer.Option(help="lime, shap, gradcam, lrp; otherwise all.")] = None,
    pathology: Annotated[
        list[str] | None, typer.Option(help="Otherwise the ten that CheXlocalize localises.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share this machine's cores.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, whose workers then do the work.")
    ] = None,
) -> None:
    """Predict, explain, segment and score a cohort; called again, it goes on where it was."""
    with one_line_errors(), console.status("Reading the cohort and the model"):
        from shamsul_core.classifier import load_classifier
        from shamsul_core.cohort import open_cohort
        from shamsul_core.engine import Plan
        from shamsul_core.explain import EXPLAINERS, make_explainers
        from shamsul_core.labels import canonical_name
        from shamsul_core.memory import keep_freed_memory
        from shamsul_core.provenance import describe_run
        from shamsul_core.run import Run
        from shamsul_core.segmentation import PRESETS

        keep_freed_memory()
        opened = open_cohort(cohort, split=split)
        classifier = load_classifier(model)
        explainers = make_explainers(preset, method or list(EXPLAINERS))
        pathologies = [canonical_name(name) for name in pathology or LOCALISED_PATHOLOGIES]
        manifest = describe_run(run, opened, classifier, explainers, pathologies, preset)
        plan = Plan(opened, classifier, explainers, Run.create_or_resume(run, manifest), PRESETS[preset])
    for problem in opened.problems:
        console.print(f"[yellow]{problem}")
    if not classifier.is_trained:
        console.print("[yellow]An untrained network: its predictions and heatmaps mean nothing.")
    with one_line_errors(), progress_bar(len(opened.radiographs) * plan.steps) as report:
        summary = _explain(plan, model, report, workers, scheduler)
    console.print(
        f"{run}: {summary.explained} radiographs explained, {summary.explained_before} before, "
        f"{summary.unreadable} unreadable"
    )
    _report_failures(plan.run)
    if not summary.explained + summary.explained_before:
        raise typer.Exit(1)


@app.command()
def score(
    run: RunFolder,
    *,
    preset: Preset = "default",
    thresholds: Thresholds = None,
    probability_cutoffs: Cutoffs = None,
    smoothing: Smoothing = 0,
) -> None:
    """Segment and score a run's heatmaps again, without explaining again."""
    with one_line_errors(), console.status("Reading the run and its cohort"):
        from shamsul_core.cohort import open_cohort
        from shamsul_core.engine import score_run
        from shamsul_core.run import Run

        opened = Run.open(run)
        cohort = open_cohort(opened.cohort_folder, split=opened.manifest.cohort["split"])
        segmentation = _segmentation(preset, thresholds, probability_cutoffs, smoothing)
    with one_line_errors(), progress_bar(len(opened.explained_ids())) as report:
        score_run(opened, cohort, segmentation, report)
    console.print(f"{run}: {len(opened.scores)} scores")
    _report_failures(opened)


@app.command("import-maps")
def import_maps(
    maps: Annotated[Path, typer.Option(help="Folder with CheXlocalize's *_map.pkl files.")],
    cohort: CohortFolder,
    run: RunFolder,
    *,
    split: Annotated[
        str | None, typer.Option(help="train, val or test; otherwise the one with contours.")
    ] = None,
    name: Annotated[str, typer.Option(help="The method's short name in the run.")] = "gradcam",
    title: Annotated[str, typer.Option(help="The method's name for people.")] = "Grad-CAM (imported)",
    preset: Preset = "paper",
    thresholds: Thresholds = None,
    probability_cutoffs: Cutoffs = None,
    smoothing: Smoothing = 0,
) -> None:
    """Read CheXlocalize's own heatmaps as a run and score them as CheXlocalize does."""
    with one_line_errors(), console.status("Reading the cohort and the maps"):
        from shamsul_core.cohort import open_cohort
        from shamsul_core.engine import score_run
        from shamsul_core.importing import import_folder

        opened = open_cohort(cohort, split=split)
        segmentation = _segmentation(preset, thresholds, probability_cutoffs, smoothing)
    for problem in opened.problems:
        console.print(f"[yellow]{problem}")
    with one_line_errors(), progress_bar(None) as report:
        imported, problems = import_folder(maps, opened, run, name=name, title=title, report=report)
    for line in problems:
        console.print(f"[yellow]{line}")
    with one_line_errors(), progress_bar(len(imported.explained_ids())) as report:
        score_run(imported, opened, segmentation, report)
    console.print(f"{run}: {len(imported.explained_ids())} radiographs, {len(imported.scores)} scores")
    _report_failures(imported)
    if not imported.explained_ids():
        raise typer.Exit(1)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what is wrong with the input into one line and exit status 1."""
    try:
        yield
    except (ValueError, OSError) as error:
        console.print(f"[red]{error}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from error


@contextmanager
def progress_bar(total: int | None) -> Iterator[Report]:
    """Show a bar with the time left; what is yielded moves it by one step and says what was done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total)
        yield lambda doing: progress.update(task, advance=1, description=doing)


def _explain(plan: Plan, model: str, report: Report, workers: int, scheduler: str | None) -> Summary:
    from shamsul_core.engine import explain_cohort

    if workers == 1 and scheduler is None:
        return explain_cohort(plan, report)
    from shamsul_core import cluster

    with cluster.scheduler(scheduler) if scheduler else cluster.workers(workers) as client:
        return explain_cohort(plan, report, cluster.hand_out_to(client, cluster.WorkOrder.of(plan, model)))


def _segmentation(
    preset: str, thresholds: Path | None, probability_cutoffs: Path | None, smoothing: int
) -> SegmentationSettings:
    from dataclasses import replace

    from shamsul_core.chexlocalize import read_probability_cutoffs, read_thresholds
    from shamsul_core.segmentation import PRESETS

    if preset not in PRESETS:
        message = f"unknown preset {preset!r}; there are {', '.join(PRESETS)}"
        raise ValueError(message)
    return replace(
        PRESETS[preset],
        thresholds=read_thresholds(thresholds) if thresholds else None,
        probability_cutoffs=read_probability_cutoffs(probability_cutoffs) if probability_cutoffs else None,
        smoothing=smoothing,
    )


def _report_failures(run: Run) -> None:
    failures = run.failures
    for row in failures.head(10).itertuples():
        console.print(f"[yellow]failed: {row.image_id} {row.step}: {row.error}", soft_wrap=True)
    if len(failures) > 10:
        console.print(f"[yellow]and {len(failures) - 10} more in {run.folder / 'failures.parquet'}")
