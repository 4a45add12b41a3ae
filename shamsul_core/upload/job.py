"""One radiograph to be explained, and what the worker can explain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from shamsul_core.heatmap import Heatmap

State: TypeAlias = Literal["waiting", "working", "done", "failed", "cancelled"]

FailureWords: TypeAlias = tuple[str, str, str]


@dataclass(eq=False)
class Job:
    """One radiograph to be explained. What the worker has sent so far is in it; only the queue changes it.

    Parameters
    ----------
    probabilities
        Of each observation, empty until predicted.
    novelty
        How new it is to the model, see `shamsul_core.classifier.novelty`; ``None`` where that is not known.
    outcomes
        Of each method that is ready: its heatmaps, and (method, pathology, reason) where there is none.
    method, passes
        What is being worked on, and the forward passes so far of all methods.
    share
        How much of the forward passes is done, 0 to 1.
    left_s
        Seconds until everything is done, by the speed measured on this radiograph and by as many forward passes as the
        radiograph before needed; ``None`` before anything was measured. It never rises.
    version
        Counts up with each method that is ready, and at the end.
    reason
        Why it failed, a sentence.
    """

    pixels: npt.NDArray[np.uint8 | np.uint16]
    state: State = "waiting"
    probabilities: Mapping[str, float] = field(default_factory=dict)
    novelty: float | None = None
    outcomes: dict[str, tuple[list[Heatmap], list[FailureWords]]] = field(default_factory=dict)
    method: str = ""
    passes: int = 0
    share: float = 0.0
    left_s: float | None = None
    version: int = 0
    reason: str = ""
    measured_from: tuple[float, int] | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether its reader gave it up."""
        return self.state == "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Offer:
    """What the worker can explain: its model, methods and pathologies, as a run's manifest has them."""

    model: Mapping[str, Any]
    methods: Mapping[str, Mapping[str, Any]]
    pathologies: tuple[str, ...]
