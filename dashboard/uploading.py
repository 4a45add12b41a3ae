"""What a reader does with the radiographs that they brought: bring, choose, remove."""

from __future__ import annotations

import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import visit
from dashboard.notes import show_error
from shamsul_core.classifier.model_card import read_card
from shamsul_core.classifier.source import ModelSource
from shamsul_core.cohort import CohortError
from shamsul_core.extras import is_there, remedy
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.imaging import to_8_bits
from shamsul_core.run.model import model_of as model_of_run
from shamsul_core.upload.examples import Example, choose_examples
from shamsul_core.upload.explanation_queue import ExplanationQueue
from shamsul_core.upload.intake import IntakeError
from shamsul_core.upload.upload import Upload

if TYPE_CHECKING:
    from shamsul_core.classifier.model_card import ModelCard
    from shamsul_core.cohort import Cohort
    from shamsul_core.run import Run

_MODEL = "SHAMSUL_MODEL"
_CHOSEN, _PROBLEMS, _TURN = "upload chosen", "upload problems", "upload turn"
AS_STORED, AS_SHOWN = "The file as stored", "The radiograph as shown here"
"""On which picture a mask was drawn, where the radiograph was turned to be shown."""

_THUMBNAIL_PX = 240

_INSTALLING = "SHAMSUL_INSTALLING"
"""The file in which ``make run`` says how far it has come with installing what explains, see ``.make/serve.py``."""

_NOT_YET = {
    "installing": "What explains radiographs is still being installed on this server, which can take some minutes. This page "
    "opens by itself when it is ready; all other pages can be used meanwhile.",
    "failed": "What explains radiographs could not be installed on this server. All other pages can be used. Whoever runs "
    "this server finds the reason in `.venv/upload.log`, and tries again by stopping it and entering `make run`.",
}


def why_not_yet() -> str | None:
    """Return why nothing can be explained here at the moment, in Markdown; ``None`` where it can."""
    file = os.environ.get(_INSTALLING)
    if file:
        with suppress(OSError):
            return _NOT_YET[Path(file).read_text(encoding="utf-8")]
    if is_there("explain"):
        return None
    return (
        "This server only shows finished runs: what explains radiographs is not installed. Whoever runs it can install it; "
        f"this page then opens by itself:\n\n```\n{remedy('explain')}\n```"
    )


def model_of(run: Run) -> ModelSource | None:
    """Return the model to explain with: of the environment, else the run's, beside it or where it was."""
    told = os.environ.get(_MODEL)
    return ModelSource(model=told) if told else model_of_run(run)


@st.cache_resource(show_spinner=False, max_entries=1)
def queue_of(model: ModelSource, pathologies: tuple[str, ...]) -> ExplanationQueue:
    """Return the one queue of this server, at which a run's pathologies are explained."""
    return ExplanationQueue(model, pathologies)


def card_of(queue: ExplanationQueue) -> ModelCard | None:
    """Return the card of the model that explains; ``None`` where nothing is known."""
    try:
        return read_card(queue.model.model)
    except (OSError, ValueError):
        return None


@st.cache_resource(show_spinner=False, max_entries=4)
def examples(_cohort: Cohort, folder: str) -> list[tuple[Example, bytes]]:
    """Return radiographs to try, each with a small JPEG of it; one that cannot be read is left out."""
    examples_and_pictures = []
    for example in choose_examples(_cohort):
        try:
            examples_and_pictures.append((example, _thumbnail(example)))
        except CohortError:
            continue
    return examples_and_pictures


def _thumbnail(example: Example) -> bytes:
    picture = Image.fromarray(to_8_bits(example.radiograph.pixels()))
    picture.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    file = BytesIO()
    picture.save(file, "jpeg", quality=85)
    return file.getvalue()


# Bring, choose, remove


def file_key(purpose: str) -> str:
    """Return the key of a file uploader; another each time a file was taken, so that the widget itself holds none."""
    return f"{purpose} {st.session_state.get(_TURN, 0)}"


def _files(key: str) -> list[tuple[str, bytes]]:
    """Return name and content of what an uploader was given, and leave nothing of it with Streamlit."""
    given = st.session_state.get(key)
    # What was taken already comes once more, without its content, where the browser had not yet heard of it.
    files = [
        file for file in (given if isinstance(given, list) else [given]) if isinstance(file, UploadedFile)
    ]
    contents = [(file.name, file.getvalue()) for file in files]
    context = get_script_run_ctx()
    for file in files:
        if context is not None:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    if files:
        st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
        st.session_state[_PROBLEMS] = []
    return contents


def bring(key: str, queue: ExplanationQueue) -> None:
    """Take in what the reader gave an uploader, and queue it."""
    taken = []
    for name, content in _files(key):
        if full := visit.why_full():
            _tell(full)
            break
        try:
            taken.append(Upload.of_file(name, content, queue))
        except IntakeError as error:
            _tell(str(error))
            continue
        visit.shelve(taken[-1])
    if taken:
        st.session_state[_CHOSEN] = taken[0].number


def bring_example(example: Example, queue: ExplanationQueue) -> None:
    """Queue a radiograph of the run's cohort."""
    st.session_state[_PROBLEMS] = []
    if full := visit.why_full():
        _tell(full)
        return
    try:
        upload = Upload.of_example(example, queue)
    except CohortError as error:
        _tell(str(error))
        return
    visit.shelve(upload)
    st.session_state[_CHOSEN] = upload.number


def bring_mask(key: str, upload: Upload, pathology: str) -> None:
    """Take in a mask of the reader's."""
    as_stored = st.session_state.get(drawn_on_key(upload), AS_STORED) == AS_STORED
    for name, content in _files(key):
        problem = upload.load_mask(pathology, name, content, as_stored=as_stored)
        if problem is not None:
            _tell(problem)


def drawn_on_key(upload: Upload) -> str:
    """Return under which key the session knows on which picture the reader's masks were drawn."""
    return f"drawn on {upload.number}"


def remove(upload: Upload) -> None:
    """Erase a radiograph at once."""
    st.session_state[_PROBLEMS] = []
    visit.remove(upload)


def _tell(problem: str) -> None:
    st.session_state[_PROBLEMS].append(problem)


def show_problems() -> None:
    """Say what was wrong with what the reader brought last, and what was erased meanwhile."""
    for problem in st.session_state.get(_PROBLEMS, []):
        show_error(problem)
    if visit.was_erased():
        st.info("Your radiograph was erased after 15 minutes without activity. Upload it again to continue.")


def chosen() -> Upload | None:
    """Return the upload that the reader looks at; ``None`` where they brought none."""
    brought = visit.uploads()
    wanted = st.session_state.get(_CHOSEN)
    return next((upload for upload in brought if upload.number == wanted), brought[-1] if brought else None)


def choose_upload(upload: Upload) -> None:
    """Let the reader go between the radiographs that they brought."""
    names = {upload.number: as_markdown(upload.name) for upload in visit.uploads()}
    if len(names) > 1:
        st.radio(
            "Your radiographs",
            list(names),
            index=list(names).index(upload.number),
            format_func=lambda number: names[number],
            key=f"which {list(names)} {upload.number}",
            on_change=_choose,
            args=(f"which {list(names)} {upload.number}",),
        )


def _choose(key: str) -> None:
    st.session_state[_PROBLEMS] = []
    st.session_state[_CHOSEN] = st.session_state[key]


def offer_radiograph(upload: Upload) -> None:
    """Offer the radiograph itself, its patient's data taken out."""
    kind = "png" if upload.dicom is None else "dcm"
    st.download_button(
        "Download de-identified radiograph",
        upload.saved,
        f"{upload.image_id}.{kind}",
        "application/dicom" if kind == "dcm" else "image/png",
        on_click="ignore",
        width="stretch",
        icon=":material/shield_person:",
        help="A DICOM file is de-identified beyond the basic profile of the DICOM standard (PS3.15); of any other file "
        "only the picture is kept. Text burnt into the picture stays: check it for names before you share it.",
    )
