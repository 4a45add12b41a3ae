"""The cohort that a run explains, as the run knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shamsul_core.cohort import open_cohort
from shamsul_core.cohort.renamed import by_names

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.run.run import Run


def cohort_of(run: Run) -> Cohort:
    """Open the cohort of a run, where it lies now, by the run's names of its observations.

    Raises
    ------
    CohortError
        If it cannot be opened.
    """
    described = run.manifest.cohort
    # Runs from before there was more than one layout name none
    cohort = open_cohort(run.cohort_folder, split=described["split"], layout=described.get("layout"))
    return by_names(cohort, run.manifest.names)
