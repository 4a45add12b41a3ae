"""``import-maps``: heatmaps and masks of others as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shamsul_core.cli.options import (
    CohortFolder,
    Cutoffs,
    Preset,
    RunFolder,
    Smoothing,
    Thresholds,
    segmentation_settings,
)
from shamsul_core.cli.terminal import console, progress_bar, report_failures, say, warn_of


def import_maps(
    cohort: CohortFolder,
    run: RunFolder,
    *,
    maps: Annotated[Path | None, typer.Option(help="Folder with CheXlocalize's *_map.pkl files.")] = None,
    segmentations: Annotated[
        Path | None,
        typer.Option(help="Instead of maps: a segmentation JSON in the format of CheXlocalize's eval.py."),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(
            help="A run whose heatmaps are copied and scored unchanged, to compare the masks with them."
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="train, val or test; all, too, except in CheXpert's layout. Default: the split that experts marked."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="The method's short name in the run. Default: for maps as their folder says, such as lime_maps, else gradcam; imported for masks."
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="The method's name as displayed.")] = None,
    preset: Preset = "paper",
    thresholds: Thresholds = None,
    probability_cutoffs: Cutoffs = None,
    smoothing: Smoothing = 0,
) -> None:
    """Read others' heatmaps or masks, in CheXlocalize's formats, as a run and score them as CheXlocalize does."""
    with console.status("Reading the cohort and the maps"):
        if (maps is None) == (segmentations is None) or (beside is not None and segmentations is None):
            message = "give either --maps FOLDER, or --segmentations FILE, optionally with --beside RUN"
            raise ValueError(message)
        from shamsul_core.cohort import open_cohort

        opened = open_cohort(cohort, split=split)
        from shamsul_core.engine.rescoring import score_run
        from shamsul_core.engine.yardsticks import measure_yardsticks
        from shamsul_core.interchange.importing import import_folder, import_segmentations
        from shamsul_core.memory import keep_freed_memory
        from shamsul_core.run import Run
        from shamsul_core.run.scoring import segmentation_of

        keep_freed_memory()
        segmentation = segmentation_settings(
            preset, thresholds, probability_cutoffs, smoothing, [name] if name else ()
        )
    with progress_bar(None) as on_step:
        if maps is not None:
            imported, problems = import_folder(maps, opened, run, name=name, title=title, on_step=on_step)
        elif segmentations is not None:
            others = None if beside is None else Run.open(beside)
            if others is not None:
                segmentation = segmentation_of(others)
            imported, problems = import_segmentations(
                segmentations,
                opened,
                run,
                name=name or "imported",
                title=title or "Imported masks",
                beside=others,
                on_step=on_step,
            )
    warn_of([*opened.problems, *opened.remarks, *problems], run / "problems.txt")
    with progress_bar(3 * len(imported.explained_ids())) as on_step:
        score_run(imported, opened, segmentation, on_step)
        measure_yardsticks(imported, opened, segmentation, on_step)
    say(f"{run}: {len(imported.explained_ids())} radiographs, {len(imported.scores)} scores")
    report_failures(imported)
    if not imported.explained_ids():
        raise typer.Exit(1)
