"""A reader's own radiograph in their session: taken in, queued, shown as it is explained; nothing of it on disk."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from shamsul_core.figures.comparison import comparison_scene
from shamsul_core.figures.overlay import encode_scene, picture_of
from shamsul_core.upload.desk import Desk, Job
from shamsul_core.upload.held import IMAGE_ID, HeldCohort, HeldRun, held_cohort, held_run
from shamsul_core.upload.intake import IntakeError, take_in, take_in_mask

if TYPE_CHECKING:
    from shamsul_core.figures.scene import Picture
    from shamsul_core.run import Run
    from shamsul_core.upload.intake import Intake

_KEY = "upload"
_MODEL = "SHAMSUL_MODEL"
TITLES = {"gradcam": "Grad-CAM", "lrp": "LRP", "lime": "LIME", "shap": "SHAP"}
_MOST_PASSES = 1300


@dataclass(eq=False)
class Upload:
    """What a session holds of the radiograph that its reader brought."""

    digest: str
    intake: Intake
    job: Job
    cohort: HeldCohort
    picture: Picture
    created: str
    _held: tuple[tuple[object, ...], HeldRun] | None = field(default=None, repr=False)
    _scene: tuple[tuple[object, ...], bytes] | None = field(default=None, repr=False)

    def run(self, desk: Desk) -> HeldRun:
        """Return what is known so far as a run; made anew when there is more."""
        key = (self.job.version, self.job.is_over, tuple(map(id, self.cohort.marked.values())))
        if self._held is None or self._held[0] != key:
            assert desk.about is not None  # noqa: S101 - there is a job's answer, so the worker has said it
            self._held = (key, held_run(self.job, desk.about, self.cohort, self.created))
        return self._held[1]

    def scene(self, run: HeldRun, pathology: str) -> bytes:
        """Return what the viewer shows."""
        key = (id(run), pathology)
        if self._scene is None or self._scene[0] != key:
            made = comparison_scene(run, self.cohort, IMAGE_ID, pathology, run.scores, self.picture)
            self._scene = (key, encode_scene(made))
        return self._scene[1]


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
    if file is None:
        if held is not None:
            desk.cancel(held.job)
            del st.session_state[_KEY]
        return None
    content = file.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    if held is not None and held.digest == digest:
        return held
    if held is not None:
        desk.cancel(held.job)
        del st.session_state[_KEY]
    try:
        intake = take_in(file.name, content)
    except IntakeError as error:
        st.error(_plain(str(error)))
        st.stop()
    cohort = held_cohort(intake)
    upload = Upload(digest, intake, desk.ask(intake.pixels), cohort, picture_of(intake.pixels), _now())
    st.session_state[_KEY] = upload
    return upload


def ask_again(upload: Upload, desk: Desk) -> None:
    """Queue the session's radiograph once more."""
    upload.job = desk.ask(upload.intake.pixels)


def take_mask(upload: Upload, name: str, content: bytes, pathology: str) -> str | None:
    """Take a reader's mask of a pathology; return what is wrong with it, ``None`` where nothing is."""
    try:
        upload.cohort.marked[pathology] = take_in_mask(
            name, content, upload.cohort.radiograph.size, pathology
        )
    except IntakeError as error:
        return str(error)
    return None


def progress_in_words(job: Job, place: int) -> tuple[float, str]:
    """Return how far a job has come, 0 to 1, and what is being done."""
    if job.state == "waiting":
        return 0.0, "Next in line" if place <= 1 else f"{place} radiographs before yours"
    ready = len(job.outcomes) / len(TITLES)
    if not job.method:
        return ready, "Predicting"
    words = f"{TITLES.get(job.method, job.method)} is being computed"
    if job.method in ("lime", "shap") and job.passes:
        share = min(job.passes / _MOST_PASSES, 1.0)
        left = (time.monotonic() - job.started) * (1 - share) / share
        words += f", {job.passes} of at most {_MOST_PASSES} forward passes, {left:.0f} s left at most"
        ready = min(0.5 + share / 2, 0.99)
    return ready, words


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _plain(text: str) -> str:
    """Return a sentence with a reader's file name in it so that it stays text."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]()<>#+-.!|$~:" else one for one in text)
