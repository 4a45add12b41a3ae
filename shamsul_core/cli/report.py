"""``report``: a run's tables and figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shamsul_core.cli.options import RunFolder
from shamsul_core.cli.terminal import console, say
from shamsul_core.vocabulary import DECISION_THRESHOLD

_FIXED = f"{DECISION_THRESHOLD:g}"


def report(
    run: RunFolder,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    *,
    threshold: Annotated[
        str,
        typer.Option(
            help=f"Decision threshold: {_FIXED}, or Youden, the best for each observation on this cohort."
        ),
    ] = _FIXED,
    u_zeros: Annotated[
        bool, typer.Option("--u-zeros", help="Count uncertain and blank labels as negative.")
    ] = False,
) -> None:
    """Write the paper's tables and figures for a run: one HTML, one PDF, and each as CSV, PNG or SVG."""
    with console.status("Writing the report") as status:
        from shamsul_core.run import Run
        from shamsul_core.run.cohort import cohort_of

        opened = Run.open(run)
        cohort = cohort_of(opened)
        from shamsul_core.report import write_report
        from shamsul_core.statistics.prediction.decisions import threshold_rule

        rule = threshold_rule(threshold)
        written = write_report(
            opened,
            cohort,
            out,
            rule=rule,
            blank_is_negative=u_zeros,
            on_step=lambda title: status.update(f"{title}: done"),
        )
    say(f"{out}: report.html, report.pdf and {len(written) - 2} tables and figures")
