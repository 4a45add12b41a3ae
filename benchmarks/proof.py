"""Seconds and forward passes of each test of the methods, for one radiograph.

``python -m benchmarks.proof --run RUN`` draws radiographs as ``shamsul proof`` does, and for each test prints the seconds a
radiograph, its forward passes, and passes a second; nothing is written to the run. Passes are those of the fast
network; the few that gradients are taken of are in the seconds alone.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from shamsul_core.classifier import fast
from shamsul_core.cli.options import RunFolder  # noqa: TC001 (typer reads it)
from shamsul_core.engine.proving import MEASURES, Assignment, draw, examine, possible
from shamsul_core.engine.proving_cluster import ProofOrder
from shamsul_core.engine.yardsticks import marks_of_run
from shamsul_core.memory import keep_freed_memory
from shamsul_core.proof.catalogue import TESTS
from shamsul_core.run import Run
from shamsul_core.run.model import source_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import nn

passes: Counter[str] = Counter()


def main(
    run: RunFolder,
    radiographs: int = 1,
    test: Annotated[list[str] | None, typer.Option(help="May be repeated; all by default.")] = None,
) -> None:
    """Print the table."""
    keep_freed_memory()
    _count_fast_passes()
    opened = Run.open(run)
    bench = ProofOrder(run=str(opened.folder), model=source_of(opened)).open()
    marks = marks_of_run(opened, bench.cohort)
    cases = draw(opened, bench.cohort, radiographs)
    count = sum(map(len, cases.values()))
    print(f"{len(cases)} radiographs, {count} pathologies, {len(bench.explainers)} methods; a radiograph:")
    print("test               seconds   passes  passes a second")
    for name in possible(bench, test or list(TESTS)):
        seconds = 0.0
        passes.clear()
        for image_id, pathologies in cases.items():
            means = {one: marks[one].location(image_id) for one in pathologies}
            location = {one: mean for one, mean in means.items() if mean is not None}
            examined = examine(bench, Assignment(image_id, pathologies, [name], location))
            begun = time.perf_counter()
            list(MEASURES[name](examined))
            seconds += time.perf_counter() - begun
        made = passes["fast"]
        rate = f"{made / seconds:15.1f}" if made else "              –"
        print(f"{name:16} {seconds / len(cases):9.2f} {made / len(cases):8.0f}  {rate}")


def _count_fast_passes() -> None:
    """Count what goes through the fast networks, those of randomised layers too."""
    from shamsul_core.classifier import classifier

    made: Callable[..., Callable[[torch.Tensor], torch.Tensor]] = fast.fast_copy

    def counting(network: nn.Module, dtype: torch.dtype) -> Callable[[torch.Tensor], torch.Tensor]:
        own = made(network, dtype)

        def run(batch: torch.Tensor) -> torch.Tensor:
            passes["fast"] += len(batch)
            return own(batch)

        return run

    classifier.fast_copy = counting  # type: ignore[attr-defined]


if __name__ == "__main__":
    typer.run(main)
