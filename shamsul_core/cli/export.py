"""``export``: a run as CheXlocalize's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shamsul_core.cli.options import RunFolder
from shamsul_core.cli.terminal import console, progress_bar, say, warn_of


def export(run: RunFolder, out: Annotated[Path, typer.Option(help="Folder to write to.")]) -> None:
    """Write heatmaps and masks as CheXlocalize's scripts read them."""
    with console.status("Reading the run and its cohort"):
        from shamsul_core.run import Run
        from shamsul_core.run.cohort import cohort_of

        opened = Run.open(run)
        cohort = cohort_of(opened)
        from shamsul_core.interchange.exporting import export_run  # torch
    with progress_bar(len(opened.explained_ids())) as on_step:
        maps, problems = export_run(opened, cohort, out, on_step)
        warn_of(problems, out / "problems.txt")
    say(f"{out}: {maps} heatmaps of {len(opened.explained_ids())} radiographs")
    if not maps:
        raise typer.Exit(1)
