"""What would the model see in a radiograph of your own?"""

from typing import Any

import streamlit as st

from dashboard import address, upload_parts, uploading, viewer, visit
from dashboard.downloads import offer_downloads
from dashboard.guard import enter
from dashboard.notes import show_error, show_note, show_novelty
from dashboard.readers import open_reviews, reader_name
from dashboard.review_form import ask
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.predictions import prediction_table
from shamsul_core.reviews import Case, ReviewsError

run, cohort = enter()
model = uploading.model_of(run)
if model is None:
    st.error(
        f"The model {as_markdown(run.manifest.model['source'])} of this run is not on this server, so no radiograph can be explained. "
        "Whoever runs this server can name a model in SHAMSUL_MODEL."
    )
    address.stop()
if not_yet := uploading.why_not_yet():
    st.header("Your own radiograph", anchor=False)
    upload_parts.show_not_yet(not_yet)
    address.stop()
queue = uploading.queue_of(model, run.manifest.pathologies)
with st.sidebar:
    visit.stay_in_touch()
upload = uploading.chosen()
if upload is None:
    st.header("Your own radiograph", anchor=False)
    upload_parts.show_card(queue)
    uploading.show_problems()
    upload_parts.show_empty(run, cohort, queue)
    address.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    st.header(as_markdown(upload.name), anchor=False, width="content")
    if upload.simulated:
        show_note(upload.simulated)
upload_parts.show_card(upload.queue)
uploading.show_problems()
show_novelty(upload.job.novelty)
with st.container(horizontal=True, vertical_alignment="center"):
    upload_parts.show_state(upload)
for remark in upload.intake.remarks:
    st.caption(f":material/info: {remark}")

own_run, probabilities = upload.run(), upload.job.probabilities
pathology = upload.shown_pathology(own_run)
is_rating = st.session_state.get("rate", False) and upload.job.is_over


def choose_pathology(pathology: str) -> None:
    """Go to the pathology chosen in the viewer."""
    upload.pathology = pathology


def draw(contour: dict[str, Any]) -> None:
    """Take what the reader drew."""
    upload.draw(contour["pathology"], contour["points"])


viewer.show(
    upload.scene(own_run, pathology, is_above_form=is_rating),
    key="viewer",
    on_pathology=choose_pathology,
    on_contour=draw,
)

with st.sidebar:
    uploading.choose_upload(upload)
    upload_parts.offer_another(queue)
    if upload.job.is_over and upload.job.outcomes:
        display = viewer.display("viewer", upload.image_id)
        offer_downloads(own_run, upload.cohort, upload.image_id, pathology, own_run.scores, display)
        uploading.offer_radiograph(upload)
        st.toggle("Rate these heatmaps", key="rate", help="Your ratings are saved; the radiograph is not.")
    upload_parts.take_mask(upload, pathology)
    if probabilities:
        st.markdown("**Predicted probability**")
        st.html(prediction_table(probabilities, upload.cohort.radiograph.labels, pathology))
    st.caption(upload_parts.KEPT)

if is_rating:
    reviews, reader = open_reviews(), reader_name()
    if reader is None:
        st.info("Enter your name in the sidebar. Each answer is saved as you give it.")
        address.stop()
    titles = own_run.manifest.titles
    case = Case(upload.image_id, pathology)
    try:
        ask(own_run, reviews, reader, case, titles, probabilities.get(pathology))
    except ReviewsError as error:
        show_error(error)
