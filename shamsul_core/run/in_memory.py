"""A run of one radiograph in memory, gone with its holder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from shamsul_core.localisation.segmentation import PRESETS
from shamsul_core.run.scoring import score_result
from shamsul_core.run.tables import score_table

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.heatmap import Heatmap
    from shamsul_core.run.manifest import Manifest
    from shamsul_core.run.result import RadiographResult


class RunInMemory:
    """A `RunReader` on one radiograph's result.

    Parameters
    ----------
    manifest
        Its preset says how the masks are made.
    result
        With its heatmaps.
    cohort
        What the heatmaps are scored against.
    """

    name = None

    def __init__(self, manifest: Manifest, result: RadiographResult, cohort: Cohort) -> None:
        self.manifest = manifest
        self._result = result
        rows, _ = score_result(self, result.image_id, cohort, PRESETS[manifest.preset])
        self.scores = score_table(rows)

    def explained_ids(self) -> list[str]:
        """Return the radiograph's id, alone."""
        return [self._result.image_id]

    def read(self, image_id: str) -> RadiographResult:
        """Return the result with all heatmaps."""
        return self._result

    def read_record(self, image_id: str) -> RadiographResult:
        """Return the result without its heatmaps."""
        return replace(self._result, heatmaps=())

    def heatmap(self, image_id: str, method: str, pathology: str) -> Heatmap | None:
        """Return a method's heatmap of a pathology; ``None`` where there is none."""
        wanted = (method, pathology)
        heatmaps = self._result.heatmaps
        return next((heatmap for heatmap in heatmaps if (heatmap.method, heatmap.pathology) == wanted), None)

    @property
    def predictions(self) -> pd.DataFrame:
        """image_id and the probability of each observation, one row."""
        return pd.DataFrame([{"image_id": self._result.image_id, **self._result.probabilities}])

    @property
    def segmentation(self) -> dict[str, Any]:
        """How the masks are made."""
        return PRESETS[self.manifest.preset].to_json()
