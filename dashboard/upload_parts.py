"""The parts of the page *upload*."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import uploading, visit
from dashboard.notes import show_error, show_note
from shamsul_core.classifier.source import UNTRAINED as UNTRAINED_MODEL
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.model_card import model_card_html
from shamsul_core.figures.scene.notes import UNTRAINED
from shamsul_core.run.wording import cohort_title
from shamsul_core.upload.progress import progress_in_words

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.run import Run
    from shamsul_core.upload.explanation_queue import ExplanationQueue
    from shamsul_core.upload.upload import Upload

_LOOK_S = 0.5
_INSTALLING_LOOK_S = 3.0

KEPT = (
    "It is kept only in the server's memory; nothing is written to disk or logged. It is erased, also from the process that "
    "explains it, when you press *Remove this radiograph*, or 15 minutes after your last activity. It survives reloading "
    "this tab; once the tab is closed nobody can open it."
)
TAKEN = "DICOM, PNG, JPEG or TIFF, one frontal chest radiograph per file."
_DROP_STYLE = """<style>
.st-key-drop [data-testid="stFileUploaderDropzone"] { min-height: max(14rem, calc(100vh - 18.5rem));
  flex-direction: column; justify-content: center; align-items: center; border: 2px dashed #55606a; }
.st-key-drop [data-testid="stFileUploaderDropzone"] > * { flex: 0 0 auto; }
</style>"""


def show_card(queue: ExplanationQueue) -> None:
    """Say what the model that explains was trained on, before it says anything."""
    if queue.model.model == UNTRAINED_MODEL:
        show_note(UNTRAINED)
    else:
        st.html(model_card_html(uploading.card_of(queue), queue.model.without_folders().model))


@st.fragment(run_every=_INSTALLING_LOOK_S)
def show_not_yet(why: str) -> None:
    """Say why nothing can be explained yet, and show the whole page anew as soon as that has changed."""
    if uploading.why_not_yet() != why:
        st.rerun()
    st.info(why)


def show_empty(run: Run, cohort: Cohort, queue: ExplanationQueue) -> None:
    """Show where to drop a radiograph, what is taken, and three to try."""
    drop, examples = st.columns([0.68, 0.32], gap="large")
    with drop.container(key="drop"):
        st.html(_DROP_STYLE)
        _offer_file("Drop a frontal chest radiograph here", queue)
        st.caption(f"{TAKEN} Grad-CAM appears first, then LRP; LIME and SHAP take a minute or two. {KEPT}")
    with examples:
        _show_examples(cohort, str(run.folder), queue)


def offer_another(queue: ExplanationQueue) -> None:
    """Offer to bring one more radiograph."""
    _offer_file("Add a radiograph", queue, help=f"{TAKEN} {KEPT}")


def _offer_file(label: str, queue: ExplanationQueue, *, help: str | None = None) -> None:  # noqa: A002 - Streamlit's word
    key = uploading.file_key("file")
    st.file_uploader(
        label, key=key, help=help, accept_multiple_files=True, on_change=uploading.bring, args=(key, queue)
    )


def _show_examples(cohort: Cohort, folder: str, queue: ExplanationQueue) -> None:
    examples = uploading.examples(cohort, folder)
    if not examples:
        return
    st.markdown("**Or try an example**")
    note = examples[0][0].simulated
    st.caption(as_markdown(note or f"From the radiographs of this run ({cohort_title(cohort)})."))
    for example, thumbnail in examples:
        picture, words = st.columns([0.42, 0.58], vertical_alignment="center")
        picture.image(thumbnail, alt=f"Radiograph with {example.finding}")
        words.button(
            example.finding, on_click=uploading.bring_example, args=(example, queue), width="stretch"
        )


def show_state(upload: Upload) -> None:
    """Show how far it has come, and what can be done about it."""
    job, queue = upload.job, upload.queue
    if not job.is_over:
        _show_progress(upload, upload.progress)
        st.button("Cancel", on_click=queue.cancel, args=(job,), width="content")
    elif job.state != "done":
        if job.state == "failed":
            show_error(job.reason)
        else:
            st.info("Cancelled. Heatmaps that were already finished are still shown.")
        st.button("Explain again", on_click=upload.ask_again, width="content")
    st.toggle(
        "Bones are dark: invert",
        value=upload.is_inverted,
        key=f"invert {upload.number}",
        on_change=upload.invert,
        width="content",
        help="The model expects bright bones. This inverts the radiograph and explains it again.",
    )
    st.button(
        "Remove this radiograph",
        icon=":material/delete:",
        on_click=uploading.remove,
        args=(upload,),
        width="content",
        help=f"Erases the radiograph from the server at once. {KEPT}",
    )


@st.fragment(run_every=_LOOK_S)
def _show_progress(upload: Upload, progress_shown: tuple[object, ...]) -> None:
    """Show how far it has come, and the whole page anew when there is more than what is shown."""
    visit.note_life()
    methods = upload.queue.offer.methods if upload.queue.offer else {}
    share, words = progress_in_words(upload.job, upload.queue.look(upload.job), methods)
    st.progress(share, text=words)
    if progress_shown != upload.progress:
        st.rerun()


def take_mask(upload: Upload, pathology: str) -> None:
    """Let the reader load a mask of a pathology, or remove it."""
    replaces = "A mask replaces your drawn contour, and drawing a contour replaces the mask."
    if pathology in upload.cohort.loaded:
        st.button(
            f"Remove the mask of {pathology}",
            on_click=upload.drop_mask,
            args=(pathology,),
            width="stretch",
            help=replaces,
        )
        return
    geometry = upload.geometry
    if geometry.stored == geometry.shown and not geometry.is_as_stored:  # the mask's size does not tell
        st.radio(
            "The mask was drawn on",
            (uploading.AS_STORED, uploading.AS_SHOWN),
            key=uploading.drawn_on_key(upload),
            help="The file's orientation is not upright, so the radiograph was turned to be shown.",
        )
    key = uploading.file_key("mask")
    st.file_uploader(
        f"Your mask of {pathology}",
        key=key,
        on_change=uploading.bring_mask,
        args=(key, upload, pathology),
        help="A PNG of the same size as the radiograph, white (or opaque) where you see the finding, or a JSON file of "
        f"CheXlocalize, COCO or Label Studio. Each method's IoU (intersection over union) with it is then shown. {replaces}",
    )
