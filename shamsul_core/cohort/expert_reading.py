"""What experts marked: ground truth, human benchmark and salient points, put together from their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from shamsul_core.cohort.annotation import Annotation
from shamsul_core.cohort.annotation_file import ExpertFile
from shamsul_core.cohort.problems import CohortError, Problem, naming
from shamsul_core.imaging.contours import as_points, read_contours
from shamsul_core.imaging.rle import read_size, size_of_rle
from shamsul_core.vocabulary import LOCALISED_PATHOLOGIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from shamsul_core.cohort.radiograph import Size
    from shamsul_core.imaging.contours import ContourArray

Point: TypeAlias = tuple[float, float]
"""x and y in pixels."""


class ExpertReading:
    """All that one group of experts marked: encoded masks, the contours as drawn, or both.

    Parameters
    ----------
    segmentations, contours
        The two files, ``{image id: {pathology: ...}}`` in JSON; ``None`` where the cohort has not got one.
    """

    def __init__(self, segmentations: Path | None, contours: Path | None) -> None:
        self._masks = ExpertFile(segmentations)
        self._contours = ExpertFile(contours)

    @property
    def is_available(self) -> bool:
        """Whether at least one of the files could be read."""
        return self._masks.is_readable or self._contours.is_readable

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files or with single entries."""
        return self._masks.problems + self._contours.problems

    @property
    def entries(self) -> dict[str, str]:
        """The radiographs that one of the files has an entry for, and the name of that file."""
        beside = dict.fromkeys(self._contours.ids, self._contours.name)
        return beside | dict.fromkeys(self._masks.ids, self._masks.name)

    def annotation(self, image_id: str, pathology: str, size_of_radiograph: Callable[[], Size]) -> Annotation:
        """Return what the experts marked.

        Parameters
        ----------
        image_id
            The radiograph's id.
        pathology
            One of the ten localised pathologies, by CheXpert's name.
        size_of_radiograph
            Gives the radiograph's height and width in pixels; called only where the files do not give a size.

        Returns
        -------
        Annotation
            Empty where the files have nothing: they list only radiographs with something marked.

        Raises
        ------
        CohortError
            There is an entry, but nothing can be made of it.
        """
        rle = self._masks.get(image_id, pathology)
        if rle is None:
            return self._from_contours(image_id, pathology, size_of_radiograph)
        source = self._masks.name
        with naming(f"{source} {image_id} {pathology}"):
            # It says so itself where this is no mapping
            size = size_of_rle(rle)  # type: ignore[arg-type]
        polygons = self._contours_beside_mask(image_id, pathology, size)
        return Annotation(
            image_id=image_id,
            pathology=pathology,
            size=size,
            rle=rle,  # type: ignore[arg-type]
            polygons=polygons,
            source=source,
        )

    def _from_contours(
        self, image_id: str, pathology: str, size_of_radiograph: Callable[[], Size]
    ) -> Annotation:
        drawn = self._contours.get(image_id, pathology)
        source = self._contours.name if drawn is not None else ""
        stated = self._contours.get(image_id, "img_size")
        with naming(f"{self._contours.name} {image_id} {pathology}"):
            size = size_of_radiograph() if stated is None else read_size(stated)
            polygons = () if drawn is None else read_contours(drawn, size)
        return Annotation(image_id=image_id, pathology=pathology, size=size, polygons=polygons, source=source)

    def _contours_beside_mask(self, image_id: str, pathology: str, size: Size) -> tuple[ContourArray, ...]:
        # The mask is what is scored; without readable contours its own outlines are shown, and check() names them.
        try:
            return self._drawn(image_id, pathology, size)
        except CohortError:
            return ()

    def _drawn(self, image_id: str, pathology: str, size: Size) -> tuple[ContourArray, ...]:
        drawn = self._contours.get(image_id, pathology)
        with naming(f"{self._contours.name} {image_id} {pathology}"):
            return () if drawn is None else read_contours(drawn, size)

    def check(self, image_id: str, size: Size | None) -> Iterator[Problem]:
        """Try every annotation of one radiograph.

        Parameters
        ----------
        image_id
            The radiograph's id.
        size
            The radiograph's height and width; ``None`` where it cannot be read, and nothing is compared.

        Yields
        ------
        Problem
            A mask of another size, one that does not decode, contours that cannot be read or that the mask lacks.
        """
        for pathology in LOCALISED_PATHOLOGIES:
            try:
                yield from self._check_annotation(image_id, pathology, size)
            except CohortError as error:
                yield error.problem

    def _check_annotation(self, image_id: str, pathology: str, size: Size | None) -> Iterator[Problem]:
        if self._masks.get(image_id, pathology) is None and self._contours.get(image_id, pathology) is None:
            return
        annotation = self.annotation(image_id, pathology, lambda: size or (1, 1))
        if size is not None:
            yield from other_size(annotation, size)
        area = annotation.area
        if self._drawn(image_id, pathology, annotation.size) and area == 0:
            yield Problem(
                annotation.subject, "the expert drew contours, but the mask is empty; the mask is used"
            )


class SalientPoints:
    """The points that readers clicked as most representative (``hb_salient_pt_test.json``).

    Parameters
    ----------
    path
        The file; ``None`` where there is none.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = ExpertFile(path)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the file or with single entries."""
        return self._file.problems

    @property
    def entries(self) -> dict[str, str]:
        """The radiographs the file has an entry for, and its name."""
        return dict.fromkeys(self._file.ids, self._file.name)

    def points(self, image_id: str, pathology: str) -> tuple[Point, ...]:
        """Return the points (x, y) in pixels; none where the readers clicked nothing or there is no file.

        Raises
        ------
        CohortError
            There is an entry, but it is not a list of points.
        """
        with naming(f"{self._file.name} {image_id} {pathology}"):
            value = self._file.get(image_id, pathology)
            return () if value is None else tuple((float(x), float(y)) for x, y in as_points(value))

    def check(self, image_id: str, size: Size | None) -> Iterator[Problem]:
        """Try every point of one radiograph.

        Parameters
        ----------
        image_id
            The radiograph's id.
        size
            The radiograph's height and width, ``None`` where it cannot be read.

        Yields
        ------
        Problem
            Points that cannot be read or lie outside the radiograph.
        """
        for pathology in LOCALISED_PATHOLOGIES:
            try:
                points = np.array(self.points(image_id, pathology)).reshape(-1, 2)
            except CohortError as error:
                yield error.problem
                continue
            if size is not None and ((points < 0) | (points >= size[::-1])).any():
                message = f"a point lies outside the radiograph of {size[0]} × {size[1]}"
                yield Problem(f"{self._file.name} {image_id} {pathology}", message)


def other_size(annotation: Annotation, size: Size) -> Iterator[Problem]:
    """Yield a problem where a mask is not of its radiograph's size, height and width in pixels.

    Scores at another size would mean nothing.
    """
    if annotation.size != size:
        (height, width), (true_height, true_width) = annotation.size, size
        message = f"the mask is {height} × {width}, the radiograph {true_height} × {true_width}; they must be the same size"
        yield Problem(annotation.subject, message)
