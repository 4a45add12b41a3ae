"""A radiograph that a reader brought, from the moment it is taken in until it is erased."""

from __future__ import annotations

import itertools
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from shamsul_core.cohort import CohortError
from shamsul_core.figures.scene.comparison import comparison_scene
from shamsul_core.figures.scene.overlay import encode_scene, picture_of
from shamsul_core.imaging import Geometry, deidentified, is_dicom, to_8_bits
from shamsul_core.imaging.contours import read_contours
from shamsul_core.run.provenance import now
from shamsul_core.upload.in_memory import CohortInMemory, cohort_of_intake, run_of_job
from shamsul_core.upload.intake import IntakeError, take_in, take_in_mask
from shamsul_core.upload.job import Job, Offer

if TYPE_CHECKING:
    from shamsul_core.cohort.radiograph import PixelArray
    from shamsul_core.figures.scene.scene import Picture
    from shamsul_core.imaging.contours import ContourArray
    from shamsul_core.run.in_memory import RunInMemory
    from shamsul_core.upload.examples import Example
    from shamsul_core.upload.explanation_queue import ExplanationQueue
    from shamsul_core.upload.intake import Intake

_MOST_POINTS = 20_000
_MOST_CONTOURS = 100
_LONGEST_NAME = 60
_LOADING = {"source": "", "fingerprint": "", "is_trained": True}
"""Of a worker that has not said yet what it can do: the radiograph alone is shown."""


@dataclass(eq=False)
class Upload:
    """A radiograph that a reader brought, what is found out about it, and what they marked on it.

    Parameters
    ----------
    name
        What its reader calls it.
    intake
        What was taken in.
    queue
        That explains it.
    dicom
        The file, where it is DICOM.
    simulated
        The label of a simulated radiograph; ``None`` for any other.
    pathology
        That the reader looks at; ``None`` until they chose one.
    is_inverted
        Whether dark and bright are exchanged, for the model as well.
    marks
        Counts up with each change of what the reader marked.
    number
        No other upload of this server has it.
    uid_secret
        Of which the UIDs of what is saved are made: the same ones each time.
    """

    name: str
    intake: Intake
    queue: ExplanationQueue
    dicom: bytes | None = field(default=None, repr=False)
    simulated: str | None = None
    pathology: str | None = None
    is_inverted: bool = False
    marks: int = 0
    created: str = field(default_factory=now)
    number: int = field(default_factory=itertools.count(1).__next__)
    uid_secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    cohort: CohortInMemory = field(init=False)
    picture: Picture = field(init=False, repr=False)
    job: Job = field(init=False)
    _run: tuple[tuple[object, ...], RunInMemory] | None = field(default=None, repr=False)
    _scene: tuple[tuple[object, ...], bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._begin()

    @classmethod
    def of_file(cls, name: str, content: bytes, queue: ExplanationQueue) -> Upload:
        """Take a file in and queue it.

        Raises
        ------
        IntakeError
            If it is no radiograph that can be explained.
        """
        dicom = content if is_dicom(content) else None
        return cls(name[:_LONGEST_NAME], take_in(name, content), queue, dicom)

    @classmethod
    def of_example(cls, example: Example, queue: ExplanationQueue) -> Upload:
        """Queue a radiograph of the run's cohort."""
        return cls(
            example.title, example.intake(), queue, simulated=example.simulated, pathology=example.finding
        )

    @cached_property
    def _inverted(self) -> PixelArray:
        pixels: PixelArray = np.iinfo(self.intake.pixels.dtype).max - self.intake.pixels
        return pixels

    def _begin(self) -> None:
        pixels = self._inverted if self.is_inverted else self.intake.pixels
        self.cohort = cohort_of_intake(self.intake, pixels, self.simulated)
        self.picture = picture_of(to_8_bits(pixels))
        self.job = self.queue.ask(pixels)

    @property
    def image_id(self) -> str:
        """Of the radiograph."""
        return self.cohort.radiograph.id

    @property
    def progress(self) -> tuple[object, ...]:
        """What changes whenever there is more to show."""
        return self.job, self.job.version, self.job.method, self.job.state, self.queue.offer is None

    # What the reader asks for

    def ask_again(self) -> None:
        """Queue it once more, unless it is queued: a button that is pressed twice asks once."""
        if self.job.is_over:
            self.job = self.queue.ask(self.cohort.radiograph.pixels_in_memory)

    def invert(self) -> None:
        """Exchange dark and bright, for the model as well, and queue it anew; what was marked stays."""
        marked = self.cohort.loaded, self.cohort.drawn
        self.queue.cancel(self.job)
        self.is_inverted = not self.is_inverted
        self._begin()
        self.cohort.loaded, self.cohort.drawn = marked

    def erase(self) -> None:
        """Give it up and leave nothing of it, whoever still holds on to this object."""
        self.queue.forget(self.job)
        self.job.outcomes.clear()
        self.job.probabilities = {}
        self.job.novelty = None
        self.dicom = self._run = self._scene = None
        self.name = ""
        for pixels in (self.intake.pixels, self._inverted):
            with suppress(ValueError):  # of an array that belongs to another, which goes with that
                pixels.setflags(write=True)
                pixels.fill(0)
        self.picture = picture_of(to_8_bits(self.intake.pixels))
        self.cohort.loaded.clear()
        self.cohort.drawn.clear()

    def draw(self, pathology: str, points: object) -> None:
        """Add a contour that the viewer sent, or take the last one back where it sent none."""
        drawn = self.cohort.drawn.get(pathology, ())
        if points is None:
            self.cohort.drawn[pathology] = drawn[:-1]
        elif len(drawn) < _MOST_CONTOURS and (contour := self._contour(points)) is not None:
            self.cohort.draw(pathology, contour)
        self.marks += 1

    def _contour(self, points: object) -> ContourArray | None:
        """Return a contour, n × 2, of what a browser sent, which may be anything; ``None`` where it is none."""
        if not isinstance(points, list) or not 6 <= len(points) <= _MOST_POINTS or len(points) % 2:
            return None
        try:
            contours = [np.array(points, np.float64).reshape(-1, 2)]
            (contour,) = read_contours(contours, self.cohort.radiograph.size)
        except (ValueError, TypeError, CohortError):
            return None
        return contour

    @property
    def geometry(self) -> Geometry:
        """How the radiograph lies in its file."""
        return self.intake.geometry or self.cohort.radiograph.geometry

    def load_mask(self, pathology: str, name: str, content: bytes, *, as_stored: bool = True) -> str | None:
        """Take a mask from a file; return what is wrong with it, ``None`` where nothing is; see `take_in_mask`."""
        try:
            mask = take_in_mask(
                name, content, self.geometry, pathology, image_name=self.name, as_stored=as_stored
            )
        except IntakeError as error:
            return str(error)
        self.cohort.load(pathology, mask)
        self.marks += 1
        return None

    def drop_mask(self, pathology: str) -> None:
        """Forget the mask from a file."""
        self.cohort.loaded.pop(pathology, None)
        self.marks += 1

    # What is shown and saved

    def run(self) -> RunInMemory:
        """Return what is known so far as a run; made anew when there is more."""
        key = (*self.progress, self.marks)
        if self._run is None or self._run[0] != key:
            offer = self.queue.offer or Offer(_LOADING, {}, self.queue.pathologies)
            self._run = (key, run_of_job(self.job, offer, self.cohort, self.created))
        return self._run[1]

    def shown_pathology(self, run: RunInMemory) -> str:
        """Return the pathology to show: the one chosen, else the likeliest."""
        pathologies = run.manifest.pathologies
        if self.pathology in pathologies:
            return str(self.pathology)
        return max(pathologies, key=lambda name: self.job.probabilities.get(name, 0.0))

    def scene(self, run: RunInMemory, pathology: str, *, is_above_form: bool = False) -> bytes:
        """Return what the viewer shows; the page itself says what holds of everything on it."""
        key = (run, pathology, is_above_form)
        if self._scene is None or self._scene[0] != key:
            made = comparison_scene(run, self.cohort, self.image_id, pathology, run.scores, self.picture)
            made = replace(made, banner=None)
            if is_above_form:
                made = made.above_form()
            self._scene = (key, encode_scene(made))
        return self._scene[1]

    def saved(self) -> bytes:
        """Return the radiograph without its patient's data: a DICOM file as DICOM, any other as PNG."""
        if self.dicom is not None:
            return deidentified(self.dicom, self.uid_secret)
        file = BytesIO()
        Image.fromarray(self.intake.pixels).save(file, "png")
        return file.getvalue()
