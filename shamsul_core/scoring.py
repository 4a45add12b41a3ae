"""From a radiograph's heatmaps to rows of the run's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from shamsul_core.cohort import CohortError

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.run import RadiographResult, Run
    from shamsul_core.segmentation import SegmentationSettings

Row: TypeAlias = "dict[str, Any]"
"""A row of one of the run's tables."""
