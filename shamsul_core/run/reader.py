"""What figures, pages and files ask of a run, wherever it lies: on disk (`Run`) or in memory (`RunInMemory`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from shamsul_core.heatmap import Heatmap
    from shamsul_core.run.manifest import Manifest
    from shamsul_core.run.result import RadiographResult


class RunReader(Protocol):
    """A run to be read; each of these raises `RunError` where what is asked for is not there or cannot be read."""

    @property
    def manifest(self) -> Manifest:
        """What was explained, with which model and settings."""

    @property
    def name(self) -> str | None:
        """Of its folder; ``None`` of a run in memory."""

    def explained_ids(self) -> list[str]:
        """Return the ids of the radiographs explained so far, sorted."""

    def read(self, image_id: str) -> RadiographResult:
        """Return a radiograph's result with all its heatmaps."""

    def read_record(self, image_id: str) -> RadiographResult:
        """Return a radiograph's result without its heatmaps, which is quick."""

    def heatmap(self, image_id: str, method: str, pathology: str) -> Heatmap | None:
        """Return a method's heatmap; ``None`` where the method failed or was not asked."""

    @property
    def predictions(self) -> pd.DataFrame:
        """image_id and the probability of each observation, one row per radiograph."""

    @property
    def scores(self) -> pd.DataFrame:
        """One row per radiograph, pathology and method, see `SCORE_COLUMNS`."""

    @property
    def segmentation(self) -> dict[str, Any] | None:
        """How the scores' masks were made (`SegmentationSettings.to_json`); ``None`` before there are scores."""
