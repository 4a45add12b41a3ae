"""Cohorts: radiographs, their labels, and what experts marked on them.

>>> from shamsul_core.cohort import open_cohort
>>> cohort = open_cohort("data")  # doctest: +SKIP
>>> cohort.annotation("patient64541_study1_view1_frontal", "Cardiomegaly").mask().shape  # doctest: +SKIP
(2320, 2828)
"""

from shamsul_core.cohort.annotation import Annotation
from shamsul_core.cohort.interface import Cohort
from shamsul_core.cohort.opening import open_cohort
from shamsul_core.cohort.problems import CohortError, Problem
from shamsul_core.cohort.radiograph import Radiograph

__all__ = ["Annotation", "Cohort", "CohortError", "Problem", "Radiograph", "open_cohort"]
