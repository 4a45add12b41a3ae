"""``tune``: each pathology's threshold of best mean IoU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.cli.options import Preset, RunFolder, segmentation_settings
from shamsul_core.cli.terminal import console, progress_bar, say, warn, warn_of

if TYPE_CHECKING:
    from shamsul_core.run import Run


def tune(
    run: RunFolder,
    *,
    out: Annotated[
        Path,
        typer.Option(
            help="CSV to write, with columns threshold,task; one per method, with its name added and in a column, if there are several."
        ),
    ] = Path("tuning_results.csv"),
    cutoffs_out: Annotated[
        Path | None,
        typer.Option(
            help="CSV to write, with columns prob_threshold,mIoU,task, to tune probability cutoffs too."
        ),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="Method to tune; may be repeated. Default: all in the run.")
    ] = None,
    preset: Preset = "default",
    every_level: Annotated[
        bool, typer.Option("--every-level", help="Try all 256 grey levels instead of 0.2, 0.3, ..., 0.8.")
    ] = False,
) -> None:
    """Find each pathology's threshold with the best mean IoU with the experts' contours, as CheXlocalize's scripts do."""
    with console.status("Reading the run and its cohort"):
        from shamsul_core.run import Run
        from shamsul_core.run.cohort import cohort_of

        opened = Run.open(run)
        cohort = cohort_of(opened)
        from shamsul_core.engine.tuning import outlined_pathologies, tune_probability_cutoffs, tune_thresholds
        from shamsul_core.interchange.chexlocalize import write_probability_cutoffs, write_thresholds
        from shamsul_core.memory import keep_freed_memory

        keep_freed_memory()
        methods = _methods(opened, method)
        sign = segmentation_settings(preset, None, None, 0).sign
        cutoffs = {name: tune_probability_cutoffs(opened, name, preset) for name in methods if cutoffs_out}
        if not cohort.has_annotations:
            message = f"{cohort.folder}: the cohort has no expert annotations to tune on"
            raise ValueError(message)
        if not outlined_pathologies(opened, cohort):
            message = (
                f"{cohort.folder}: experts drew boxes or points here, and thresholds are tuned on contours"
            )
            raise ValueError(message)
        for path in (out, cutoffs_out):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar(len(opened.explained_ids())) as on_step:
        tunings, problems = tune_thresholds(
            opened, cohort, sign, methods=methods, every_level=every_level, on_step=on_step
        )
    warn_of(problems, out.with_name(f"{out.stem}_problems.txt"))
    for name, tuned in tunings.items():
        path = _of_method(out, name, methods)
        best = {pathology: tuning.threshold for pathology, tuning in tuned.items()}
        write_thresholds(path, best, method=name if len(methods) > 1 else None)
        say(f"{path}: tuned on {sum(len(tuning.ious) for tuning in tuned.values())} heatmaps")
        untuned = [pathology for pathology, tuning in tuned.items() if not len(tuning.ious)]
        if untuned:
            warn(f"{path}: nothing to tune on for {', '.join(untuned)}; the lowest threshold is used")
        if cutoffs_out:
            write_probability_cutoffs(_of_method(cutoffs_out, name, methods), cutoffs[name])
            say(f"{_of_method(cutoffs_out, name, methods)}: probability cutoffs")


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
