"""``proof``: whether a run's maps can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.cli.options import RunFolder
from shamsul_core.cli.terminal import console, progress_bar, say, warn, warn_of
from shamsul_core.proof.catalogue import REPRODUCIBILITY, TESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shamsul_core.engine.proving import Bench
    from shamsul_core.engine.proving_cluster import ProofOrder
    from shamsul_core.progress import OnStep


def proof(
    run: RunFolder,
    *,
    model: Annotated[
        str | None, typer.Option(help="The run's model. Default: where the run says, or beside the run.")
    ] = None,
    other_model: Annotated[
        str | None,
        typer.Option(help="Another training of the same model, for reproducibility: do its maps agree?"),
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(TESTS)}; may be repeated. Default: all.")
    ] = None,
    radiographs: Annotated[
        int,
        typer.Option(
            min=1,
            help="At most so many radiographs, drawn by lot; with more, those that are done stay. Some minutes each on two cores.",
        ),
    ] = 20,
    device: Annotated[str, typer.Option(help="Where the network runs: cpu, or cuda for a GPU.")] = "cpu",
    workers: Annotated[
        int, typer.Option(min=1, help="Number of processes sharing this machine's cores.")
    ] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers do the work.")
    ] = None,
) -> None:
    """Test whether a run's maps can be believed: faithful, of this model, stable, on the cause; run again to resume."""
    unknown = [name for name in test or () if name not in TESTS]
    if unknown:
        message = f"unknown test {unknown[0]!r}; there are {', '.join(TESTS)}"
        raise ValueError(message)
    with console.status("Reading the run, its cohort and its model"):
        from shamsul_core.classifier.source import ModelSource
        from shamsul_core.engine.proving import draw, explainers_of, possible
        from shamsul_core.engine.proving_cluster import ProofOrder
        from shamsul_core.files.storage import absolute
        from shamsul_core.memory import keep_freed_memory
        from shamsul_core.run import Run
        from shamsul_core.run.model import source_of

        keep_freed_memory()
        opened = Run.open(run)
        other = None if other_model is None else ModelSource.of(other_model)
        order = ProofOrder(
            run=absolute(opened.folder), model=source_of(opened, model), other_model=other, device=device
        )
        bench = order.open()
        wanted = possible(bench, test or list(TESTS))
        cases = draw(opened, bench.cohort, radiographs)
    for line in explainers_of(opened)[1]:
        warn(f"{run}: {line}")
    if test and REPRODUCIBILITY in test and other is None:
        warn("reproducibility needs another training of the same model; give --other-model")
    with progress_bar(len(wanted) * len(cases)) as on_step:
        problems = _prove(bench, order, wanted, radiographs, on_step, workers, scheduler)
    warn_of(problems, run / "proof-problems.txt")
    table = opened.proof
    say(
        f"{run}: {table['image_id'].nunique()} radiographs tested ({', '.join(table['test'].unique())}); "
        f"the page Proof shows what came of it"
    )
    if table.empty:
        raise typer.Exit(1)


def _prove(
    bench: Bench,
    order: ProofOrder,
    tests: Sequence[str],
    count: int,
    on_step: OnStep,
    workers: int,
    scheduler: str | None,
) -> list[str]:
    from shamsul_core.engine.proving import prove_run

    if workers == 1 and scheduler is None:
        return prove_run(bench, tests, count, on_step)
    from shamsul_core.engine import cluster, proving_cluster

    with cluster.scheduler(scheduler) if scheduler else cluster.workers(workers) as client:
        return prove_run(bench, tests, count, on_step, proving_cluster.hand_out_to(client, order))
