"""What every command says on the terminal, and how."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shamsul_core.run import Run
    from shamsul_core.scoring import Report

console = Console(stderr=True)


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


def report_failures(run: Run) -> None:
    """Name the first of a run's failures, and where the others stand."""
    failures = run.failures
    for row in failures.head(10).itertuples():
        console.print(f"[yellow]failed: {row.image_id} {row.step}: {row.error}", soft_wrap=True)
    if len(failures) > 10:
        console.print(f"[yellow]and {len(failures) - 10} more in {run.folder / 'failures.parquet'}")
