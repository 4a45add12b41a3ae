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
    device: Annotated[str, typer.Option(help="Where the network runs: cpu, or cuda for a GPU.")] = "cpu",
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
        classifier = load_classifier(model, device)
        explainers = make_explainers(preset, method or list(EXPLAINERS))
        pathologies = [canonical_name(name) for name in pathology or LOCALISED_PATHOLOGIES]
        manifest = describe_run(run, opened, classifier, explainers, pathologies, preset)
        plan = Plan(opened, classifier, explainers, Run.create_or_resume(run, manifest), PRESETS[preset])
    for problem in opened.problems:
        console.print(f"[yellow]{problem}")
    if not classifier.is_trained:
        console.print("[yellow]An untrained network: its predictions and heatmaps mean nothing.")
    with one_line_errors(), progress_bar(len(opened.radiographs) * plan.steps) as report:
        summary = _explain(plan, model, device, report, workers, scheduler)
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
        from shamsul_core.memory import keep_freed_memory
        from shamsul_core.run import Run

        keep_freed_memory()
        opened = Run.open(run)
        cohort = open_cohort(opened.cohort_folder, split=opened.manifest.cohort["split"])
        segmentation = _segmentation(preset, thresholds, probability_cutoffs, smoothing)
    with one_line_errors(), progress_bar(len(opened.explained_ids())) as report:
        score_run(opened, cohort, segmentation, report)
    console.print(f"{run}: {len(opened.scores)} scores")
    _report_failures(opened)


@app.command()
def tune(
    run: RunFolder,
    *,
    out: Annotated[
        Path, typer.Option(help="CSV threshold,task to write; of several methods one each, its name added.")
    ] = Path("tuning_results.csv"),
    cutoffs_out: Annotated[
        Path | None,
        typer.Option(help="CSV prob_threshold,mIoU,task of the probability cutoffs, to be tuned too."),
    ] = None,
    method: Annotated[list[str] | None, typer.Option(help="Of the run; otherwise all.")] = None,
    preset: Preset = "default",
    every_level: Annotated[
        bool, typer.Option("--every-level", help="Try all 256 grey levels in place of 0.2, 0.3, ..., 0.8.")
    ] = False,
) -> None:
    """Find each pathology's threshold of best mean IoU, as CheXlocalize's scripts do."""
    with one_line_errors(), console.status("Reading the run and its cohort"):
        from shamsul_core.chexlocalize import write_probability_cutoffs, write_thresholds
        from shamsul_core.cohort import open_cohort
        from shamsul_core.memory import keep_freed_memory
        from shamsul_core.run import Run
        from shamsul_core.tuning import tune_probability_cutoffs, tune_thresholds

        keep_freed_memory()
        opened = Run.open(run)
        cohort = open_cohort(opened.cohort_folder, split=opened.manifest.cohort["split"])
        methods = _methods(opened, method)
        sign = _segmentation(preset, None, None, 0).sign
        cutoffs = {name: tune_probability_cutoffs(opened, name, preset) for name in methods if cutoffs_out}
        if not cohort.has_annotations:
            message = f"{cohort.folder}: the cohort has no expert annotations to tune on"
            raise ValueError(message)
    with one_line_errors(), progress_bar(len(opened.explained_ids())) as report:
        tunings, problems = tune_thresholds(
            opened, cohort, sign, methods=methods, every_level=every_level, report=report
        )
    for line in problems:
        console.print(f"[yellow]{line}", soft_wrap=True)
    with one_line_errors():
        for name, found in tunings.items():
            path = _of_method(out, name, methods)
            write_thresholds(path, {pathology: one.threshold for pathology, one in found.items()})
            console.print(f"{path}: tuned on {sum(len(one.ious) for one in found.values())} heatmaps")
            untuned = [pathology for pathology, one in found.items() if not len(one.ious)]
            if untuned:
                console.print(
                    f"[yellow]{path}: nothing to tune on for {', '.join(untuned)}; the lowest stands"
                )
            if cutoffs_out:
                write_probability_cutoffs(_of_method(cutoffs_out, name, methods), cutoffs[name])
                console.print(f"{_of_method(cutoffs_out, name, methods)}: probability cutoffs")


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
        from shamsul_core.memory import keep_freed_memory

        keep_freed_memory()
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


def _methods(run: Run, chosen: list[str] | None) -> list[str]:
    """Return the methods asked for, otherwise the run's."""
    unknown = sorted(set(chosen or ()) - set(run.manifest.methods))
    if unknown:
        message = (
            f"{run.folder}: no method {unknown[0]!r} in this run; there are {', '.join(run.manifest.methods)}"
        )
        raise ValueError(message)
    return chosen or list(run.manifest.methods)


def _of_method(path: Path, method: str, methods: list[str]) -> Path:
    """Return a file's name with the method's in it where there are several."""
    return path if len(methods) == 1 else path.with_stem(f"{path.stem}_{method}")


def _explain(
    plan: Plan, model: str, device: str, report: Report, workers: int, scheduler: str | None
) -> Summary:
    from shamsul_core.engine import explain_cohort

    if workers == 1 and scheduler is None:
        return explain_cohort(plan, report)
    from shamsul_core import cluster

    with cluster.scheduler(scheduler) if scheduler else cluster.workers(workers) as client:
        return explain_cohort(
            plan, report, cluster.hand_out_to(client, cluster.WorkOrder.of(plan, model, device))
        )


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
