"""What every command says on the terminal, and how.

Much of it is foreign text, such as a file's name or what a library says of it: it is never taken for Rich's markup, nor
for the terminal's control sequences.
"""

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

from shamsul_core.progress import OnStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from shamsul_core.run import Run

console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Say what was done."""
    console.print(_plain(text))


def warn(text: str) -> None:
    """Say what is amiss, where the rest goes on."""
    console.print(_plain(text), style="yellow")


def warn_of(lines: Sequence[object], file: Path) -> None:
    """Warn of each, but of many that are alike of three; where that leaves any out, all are written to a file."""
    from shamsul_core.files.atomic import write_atomically
    from shamsul_core.messages import brief

    briefly = brief(lines, file)
    if briefly != [str(line) for line in lines]:
        write_atomically(file, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    for line in briefly:
        warn(line)


def fail(text: str) -> None:
    """Say what ended the command."""
    console.print(_plain(text), style="red")


@contextmanager
def progress_bar(total: int | None) -> Iterator[OnStep]:
    """Show a bar with the time left; what is yielded moves it by one step and says what was done."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total)
        yield lambda doing: progress.update(task, advance=1, description=_plain(doing))


def report_failures(run: Run) -> None:
    """Name a run's failures, of many that are alike three, and where the others stand.

    Raises
    ------
    typer.Exit
        With 1, after a line that says so, where a whole method or most radiographs failed: then the cause is seldom the
        single radiograph.
    """
    from shamsul_core.messages import brief

    failures = run.failures
    lines = (f"failed: {row.image_id} {row.step}: {row.error}" for row in failures.itertuples())
    for line in brief(lines, run.folder / "failures.parquet"):
        warn(line)
    widespread = _widespread(run, failures)
    for line in widespread:
        fail(f"{run.folder}: {line}")
    if widespread:
        raise typer.Exit(1)


def _widespread(run: Run, failures: pd.DataFrame) -> list[str]:
    made = set(run.scores.loc[run.scores["mask_area_px"].notna(), "method"])
    lines = [
        f"not one heatmap of {about['title']} could be made or scored"
        for method, about in run.manifest.methods.items()
        if method not in made and (failures["method"] == method).any()
    ]
    is_unread = failures["method"].isna() & failures["pathology"].isna()
    unread, explained = failures.loc[is_unread, "image_id"].nunique(), len(run.explained_ids())
    if unread > explained:
        lines.append(f"{unread} of {unread + explained} radiographs could not be read")
    return lines


def _plain(text: str) -> str:
    r"""Return text without what a terminal would obey.

    >>> _plain("a\x1b[2Jb\nc")
    'a�[2Jb\nc'
    """
    return "".join(
        character if character.isprintable() or character == "\n" else "\ufffd" for character in text
    )
