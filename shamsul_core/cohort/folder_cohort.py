"""What every cohort on a disk has in common, whatever its layout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from shamsul_core.cohort.expert_reading import other_size
from shamsul_core.cohort.problems import CohortError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shamsul_core.cohort.annotation import Annotation
    from shamsul_core.cohort.counterfactual import Counterfactual
    from shamsul_core.cohort.planted_sign import PlantedSign
    from shamsul_core.cohort.radiograph import Radiograph, Size
    from shamsul_core.cohort.radiograph_table import RadiographTable
    from shamsul_core.imaging import Geometry

ONE_UNNAMED = ("",)
"""Who looked at a radiograph where that is not known."""


class FolderCohort(ABC):
    """A folder's radiographs, and how what was marked on a stored picture lies on the one shown.

    Parameters
    ----------
    radiographs
        By id, in the label file's order.
    """

    def __init__(self, radiographs: RadiographTable) -> None:
        self._radiographs = radiographs
        self._geometries: dict[str, Geometry | None] = {}

    def __repr__(self) -> str:
        return f"<cohort {self.name}, {len(self._radiographs)} radiographs>"

    @property
    @abstractmethod
    def folder(self) -> Path:
        """The folder it was opened from."""

    @property
    @abstractmethod
    def split(self) -> str:
        """Which part of the folder it is."""

    @property
    def name(self) -> str:
        """Name of the folder and the split."""
        return f"{self.folder.resolve().name}/{self.split}"

    @property
    def radiographs(self) -> Mapping[str, Radiograph]:
        """The radiographs by id, in the order of the label file."""
        return self._radiographs

    @property
    @abstractmethod
    def simulated_note(self) -> str | None:
        """The text of ``SIMULATED.txt``."""

    @property
    def is_simulated(self) -> bool:
        """Whether a ``SIMULATED.txt`` says so."""
        return self.simulated_note is not None

    @property
    def is_readers_own(self) -> bool:
        """Whether its reader marked it: never, experts did."""
        return False

    def annotators(self, image_id: str) -> tuple[str, ...]:
        """Return one without a name, see `Cohort.annotators`."""
        return ONE_UNNAMED

    def counterfactual(self, image_id: str, pathology: str) -> Counterfactual | None:
        """Return that it is not known, see `Cohort.counterfactual`."""
        del image_id, pathology
        return None

    def planted_sign(self, image_id: str) -> PlantedSign | None:
        """Return that there is none, see `Cohort.planted_sign`."""
        del image_id
        return None

    def _geometry(self, image_id: str) -> Geometry | None:
        """Return how the radiograph lies, ``None`` where its file cannot be read; an annotation can be shown all the same."""
        if image_id not in self._geometries:
            try:
                self._geometries[image_id] = self._radiographs[image_id].geometry
            except CohortError:
                self._geometries[image_id] = None
        return self._geometries[image_id]

    def _as_shown(self, annotation: Annotation, drawn_on: Size | None = None) -> Annotation:
        """Return an annotation of the stored picture on the one shown; one drawn on what is shown stays as it is.

        Parameters
        ----------
        drawn_on
            Height and width that annotations may have been drawn on as well, to be brought to those stored.

        Raises
        ------
        CohortError
            It is of another size than any of these.
        """
        geometry = self._geometry(annotation.image_id)
        if geometry is None or annotation.size == geometry.shown != geometry.stored:
            return annotation
        if annotation.size == drawn_on:
            return annotation.as_shown(replace(geometry, stored=drawn_on))
        for problem in other_size(annotation, geometry.stored):
            raise CohortError(problem.message, subject=problem.subject)
        return annotation.as_shown(geometry)
