"""A reader's own radiograph in their session: taken in, queued, shown as it is explained; nothing of it on disk."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st
from PIL import Image

from shamsul_core.cohort import CohortError
from shamsul_core.cohort.annotations import read_contours
from shamsul_core.figures.comparison import comparison_scene
from shamsul_core.figures.overlay import encode_scene, picture_of
from shamsul_core.provenance import now
from shamsul_core.upload.deidentify import deidentified
from shamsul_core.upload.desk import Desk, Job
from shamsul_core.upload.held import HeldCohort, HeldRun, held_cohort, held_run
from shamsul_core.upload.intake import IntakeError, is_dicom, take_in, take_in_mask

if TYPE_CHECKING:
    from shamsul_core.cohort.annotations import ContourArray
    from shamsul_core.figures.scene import Picture
    from shamsul_core.run import Run
    from shamsul_core.upload.desk import About
    from shamsul_core.upload.intake import Intake

_KEY = "upload"
_MODEL = "SHAMSUL_MODEL"
_MOST_POINTS = 20_000
_MOST_CONTOURS = 100


@dataclass(eq=False)
class Upload:
    """What a session holds of the radiograph that its reader brought."""

    content: bytes = field(repr=False)
    intake: Intake
    job: Job
    cohort: HeldCohort
    picture: Picture
    created: str
    marks: int = 0  # counts up with each change of what the reader marked
    _held: tuple[tuple[object, ...], HeldRun] | None = field(default=None, repr=False)
    _scene: tuple[tuple[object, ...], bytes] | None = field(default=None, repr=False)

    @property
    def image_id(self) -> str:
        """Of the radiograph."""
        return self.cohort.radiograph.id

    @property
    def progress(self) -> tuple[int, bool]:
        """What changes whenever there is more to show."""
        return self.job.version, self.job.is_over

    def run(self, desk: Desk) -> HeldRun:
        """Return what is known so far as a run; made anew when there is more."""
        key = (self.job, *self.progress, self.marks)
        if self._held is None or self._held[0] != key:
            about = cast("About", desk.about)  # there is a job's answer, so the worker has said it
            self._held = (key, held_run(self.job, about, self.cohort, self.created))
        return self._held[1]

    def scene(self, run: HeldRun, pathology: str, *, is_above_form: bool = False) -> bytes:
        """Return what the viewer shows."""
        key = (run, pathology, is_above_form)
        if self._scene is None or self._scene[0] != key:
            made = comparison_scene(run, self.cohort, self.image_id, pathology, run.scores, self.picture)
            made = replace(made, can_draw=True)
            if is_above_form:
                made = made.above_form()
            self._scene = (key, encode_scene(made))
        return self._scene[1]

    def draw(self, pathology: str, points: object) -> None:
        """Add a contour that the viewer sent, or take the last one back where it sent none."""
        drawn = self.cohort.drawn.get(pathology, ())
        if points is None:
            self.cohort.drawn[pathology] = drawn[:-1]
        elif len(drawn) < _MOST_CONTOURS and (contour := self._contour(points)) is not None:
            self.cohort.drawn[pathology] = (*drawn, contour)
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

    def load_mask(self, pathology: str, name: str, content: bytes) -> str | None:
        """Take a mask from a file; return what is wrong with it, ``None`` where nothing is."""
        try:
            mask = take_in_mask(name, content, self.cohort.radiograph.size, pathology)
        except IntakeError as error:
            return plain(str(error))
        self.cohort.loaded[pathology] = mask
        self.marks += 1
        return None

    def drop_mask(self, pathology: str) -> None:
        """Forget the mask from a file."""
        del self.cohort.loaded[pathology]
        self.marks += 1

    def saved(self) -> bytes:
        """Return the radiograph without its patient's data: a DICOM file as DICOM, any other as PNG."""
        if is_dicom(self.content):
            return deidentified(self.content)
        file = BytesIO()
        Image.fromarray(self.intake.pixels).save(file, "png")
        return file.getvalue()


def model_of(run: Run) -> str | None:
    """Return the model to explain with: of the environment, else the run's, beside it or where it was."""
    told = os.environ.get(_MODEL)
    if told:
        return told
    source = str(run.manifest.model["source"])
    places = (run.folder.parent / source, Path(source))
    return next((str(one) for one in places if one.is_file()), None)


@st.cache_resource(show_spinner=False, max_entries=1)
def desk_of(model: str) -> Desk:
    """Return the one desk of this server."""
    return Desk(model)


def current(file: st.runtime.uploaded_file_manager.UploadedFile | None, desk: Desk) -> Upload | None:
    """Return the session's upload, taking in what the reader brought; stop the page with a sentence where it cannot be."""
    held: Upload | None = st.session_state.get(_KEY)
    content = None if file is None else file.getvalue()
    if held is not None and held.content == content:
        return held
    if held is not None:
        desk.cancel(held.job)
        del st.session_state[_KEY]
    if file is None or content is None:
        return None
    try:
        intake = take_in(file.name, content)
    except IntakeError as error:
        st.error(plain(str(error)))
        st.stop()
    cohort = held_cohort(intake)
    upload = Upload(content, intake, desk.ask(intake.pixels), cohort, picture_of(intake.pixels), now())
    st.session_state[_KEY] = upload
    return upload


def ask_again(upload: Upload, desk: Desk) -> None:
    """Queue the session's radiograph once more."""
    upload.job = desk.ask(upload.intake.pixels)


def progress_in_words(job: Job, place: int, desk: Desk) -> tuple[float, str]:
    """Return how far a job has come, 0 to 1, and what is being done."""
    if job.state == "waiting":
        return 0.0, "Next in line" if place <= 1 else f"{place} radiographs before yours"
    if not job.method:
        return 0.0, "Predicting"
    methods = cast("About", desk.about).methods  # the worker has said it before it began
    ready, method = len(job.outcomes) / len(methods), methods[job.method]
    words = f"{method['title']} is being computed"
    sampling = method["settings"].get("sampling")
    if sampling and job.passes:
        most = sampling["budget"]
        share = min(job.passes / most, 1.0)
        left = (time.monotonic() - job.started) * (1 - share) / share
        words += f", {job.passes} of at most {most} forward passes, {left:.0f} s left at most"
        ready = min(0.5 + share / 2, 0.99)
    return ready, words


def plain(text: str) -> str:
    """Return a sentence with a reader's file name in it so that it stays text."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]()<>#+-.!|$~:" else one for one in text)


def offer_radiograph(upload: Upload) -> None:
    """Offer the radiograph itself, its patient's data taken out."""
    kind = "dcm" if is_dicom(upload.content) else "png"
    st.download_button(
        "Radiograph without patient data",
        upload.saved,
        f"{upload.image_id}.{kind}",
        "application/dicom" if kind == "dcm" else "image/png",
        on_click="ignore",
        width="stretch",
        icon=":material/shield_person:",
        help="DICOM is deidentified by PS3.15's basic profile and more; of any other file the picture alone is kept. "
        "Text burnt into the picture stays: look for names before you pass it on.",
    )
