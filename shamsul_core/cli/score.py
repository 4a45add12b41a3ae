"""``score``: masks and scores again, from heatmaps that are there."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from shamsul_core.cli.options import Cutoffs, RunFolder, Smoothing, Thresholds, segmentation_settings
from shamsul_core.cli.terminal import console, progress_bar, report_failures, say, warn


def score(
    run: RunFolder,
    *,
    preset: Annotated[
        str | None, typer.Option(help="Settings: 'default' or 'paper'. Default: the run's own.")
    ] = None,
    thresholds: Thresholds = None,
    probability_cutoffs: Cutoffs = None,
    smoothing: Smoothing = 0,
) -> None:
    """Segment and score a run's heatmaps again, without explaining again."""
    with console.status("Reading the run and its cohort"):
        from shamsul_core.run import Run
        from shamsul_core.run.cohort import cohort_of

        opened = Run.open(run)
        cohort = cohort_of(opened)
        from shamsul_core.engine.rescoring import score_run
        from shamsul_core.engine.yardsticks import measure_yardsticks
        from shamsul_core.memory import keep_freed_memory
        from shamsul_core.run.scoring import segmentation_of

        keep_freed_memory()
        segmentation = segmentation_settings(
            preset or "default", thresholds, probability_cutoffs, smoothing, opened.manifest.methods
        )
        if preset is None:
            segmentation = replace(segmentation, sign=segmentation_of(opened).sign)
    for remark in cohort.remarks:
        warn(str(remark))
    with progress_bar(3 * len(opened.explained_ids())) as on_step:
        score_run(opened, cohort, segmentation, on_step)
        measure_yardsticks(opened, cohort, segmentation, on_step)
    say(f"{run}: {len(opened.scores)} scores")
    report_failures(opened)
