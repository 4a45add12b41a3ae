"""What the rest of SHAMSUL knows of a cohort, whatever the layout on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shamsul_core.cohort.annotation import Annotation, Kind
    from shamsul_core.cohort.counterfactual import Counterfactual
    from shamsul_core.cohort.planted_sign import PlantedSign
    from shamsul_core.cohort.problems import Problem
    from shamsul_core.cohort.radiograph import Radiograph
    from shamsul_core.progress import OnStep


class Cohort(Protocol):
    """Radiographs, their labels, and what experts marked on them."""

    @property
    def name(self) -> str:
        """Name of the folder and the split, such as ``"chexlocalize/val"``."""
        ...

    @property
    def folder(self) -> Path:
        """The folder it was opened from."""
        ...

    @property
    def layout(self) -> str:
        """How its files lie, by the name that `open_cohort` takes, such as ``"chexpert"``."""
        ...

    @property
    def split(self) -> str:
        """``"train"``, ``"val"`` or ``"test"``; ``"all"`` where the files make no difference or none was wanted."""
        ...

    @property
    def observations(self) -> tuple[str, ...]:
        """Canonical names of what it labels or marks, in the order of its table."""
        ...

    @property
    def marked_pathologies(self) -> tuple[str, ...]:
        """Those of the observations of which experts mark places."""
        ...

    @property
    def radiographs(self) -> Mapping[str, Radiograph]:
        """The radiographs by id, in the order of the label file; each has a label, maybe blank, of each observation."""
        ...

    @property
    def has_annotations(self) -> bool:
        """Whether there is an expert annotation file and it could be read."""
        ...

    def annotation(self, image_id: str, pathology: str) -> Annotation | None:
        """Return what the experts marked, of several the union; empty where they marked nothing.

        What is drawn by default. Scores are of `annotations`, one by one.

        Parameters
        ----------
        image_id
            A radiograph of the cohort.
        pathology
            One of `marked_pathologies`.

        Returns
        -------
        Annotation or None
            ``None`` where nobody looked: there is no file of annotations, or it speaks of single findings only.

        Raises
        ------
        CohortError
            There is no such radiograph or pathology, or what the file has cannot be used.
        """
        ...

    def annotations(self, image_id: str, pathology: str) -> tuple[Annotation, ...]:
        """Return what each of the experts marked who looked at the radiograph, see `annotation`; none without a file.

        All of them are of one kind, see `truth_kind`.
        """
        ...

    def annotators(self, image_id: str) -> tuple[str, ...]:
        """Return who looked at a radiograph, in the order of `annotations`; one without a name where nobody is named.

        No image is opened.
        """
        ...

    def truth_kind(self, pathology: str) -> Kind:
        """Return as what a pathology is marked throughout the cohort.

        Raises
        ------
        CohortError
            It is not one of `marked_pathologies`.
        """
        ...

    def marked_on(self, image_id: str) -> tuple[str, ...]:
        """Return the pathologies that any expert marked on a radiograph; what cannot be read counts as not marked."""
        ...

    def human_benchmark(self, image_id: str, pathology: str) -> Annotation | None:
        """Return what the second group of radiologists marked, as `annotation` does; ``None`` without their file."""
        ...

    def salient_points(self, image_id: str, pathology: str) -> tuple[tuple[float, float], ...]:
        """Return the most representative points (x, y) in pixels that these radiologists clicked.

        Raises
        ------
        CohortError
            There is no such radiograph or pathology, or what the file has cannot be used.
        """
        ...

    def counterfactual(self, image_id: str, pathology: str) -> Counterfactual | None:
        """Return the same patient, exposure and noise without a finding; ``None`` where that is not known, as of patients.

        Raises
        ------
        CohortError
            There is no such radiograph, or what the file has cannot be used.
        """
        ...

    def planted_sign(self, image_id: str) -> PlantedSign | None:
        """Return the sign of a planted shortcut, and the same radiograph with it the other way round.

        ``None`` where no shortcut was planted, as in patients, or no truth is kept, as of the train split.

        Raises
        ------
        CohortError
            There is no such radiograph, or what the files have cannot be used.
        """
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files, as far as it shows without opening each image and mask."""
        ...

    @property
    def remarks(self) -> tuple[Problem, ...]:
        """What it does not have, though nothing is wrong: no annotations beside it, observations without labels."""
        ...

    @property
    def files(self) -> Mapping[str, tuple[Path, ...]]:
        """Where its files lie, by what they are."""
        ...

    def check(self, on_step: OnStep = ...) -> tuple[Problem, ...]:
        """Open every image and try every annotation; return `problems` and all that shows then.

        Parameters
        ----------
        on_step
            Called with each radiograph's id after it was checked; by default nothing is.
        """
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 over ids, labels and annotation files, as hexadecimal text; the pixels are not part of it."""
        ...

    @property
    def is_simulated(self) -> bool:
        """Whether the radiographs are simulated."""
        ...

    @property
    def is_readers_own(self) -> bool:
        """Whether whoever looks at it marked it themselves: its contours are then theirs and not the experts'."""
        ...

    @property
    def simulated_note(self) -> str | None:
        """The label to show with every simulated radiograph, ``None`` where they are real."""
        ...
