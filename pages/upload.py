"""What would the model see in a radiograph of your own?"""

import streamlit as st

from dashboard import uploading, viewer
from dashboard.downloads import offer_downloads
from dashboard.guard import enter
from dashboard.readers import open_reviews, reader_name
from dashboard.review_form import ask
from shamsul_core.figures.comparison import banner
from shamsul_core.figures.predictions import prediction_table
from shamsul_core.labels import OBSERVATIONS
from shamsul_core.reviews import Case, ReviewsError

LOOK_S = 0.5
KEPT = (
    "It stays in the server's memory while this page is open: nothing of it is written to disk or logged. What you "
    "download holds the picture and none of the file's other data."
)

run, _ = enter()
model = uploading.model_of(run)
if model is None:
    st.error(
        f"The model {run.manifest.model['source']} of this run is not here, so nothing can be explained. "
        "Whoever started the dashboard can give one in SHAMSUL_MODEL."
    )
    st.stop()
desk = uploading.desk_of(model)

with st.sidebar:
    file = st.file_uploader("Your radiograph", key="file", help=f"DICOM, PNG, JPEG or TIFF. {KEPT}")
upload = uploading.current(file, desk)
if upload is None:
    st.subheader("A radiograph of your own", anchor=False)
    st.markdown(
        "Drop a frontal chest radiograph at the side: DICOM, PNG, JPEG or TIFF. Grad-CAM is there at once, LRP "
        f"next, LIME and SHAP within a minute or two. {KEPT}"
    )
    st.stop()
is_rating = st.session_state.get("rate", False)


def choose_pathology() -> None:
    """Go to the pathology chosen in the viewer."""
    st.session_state["upload_pathology"] = st.session_state["viewer"]["pathology"]


def draw() -> None:
    """Take what the reader drew."""
    contour = st.session_state["viewer"]["contour"]
    upload.draw(contour["pathology"], contour["points"])


@st.fragment(run_every=LOOK_S)
def show_progress(shown: tuple[int, bool]) -> None:
    """Show how far it has come, and the whole page anew when there is more than what is shown."""
    place = desk.look(upload.job)
    share, words = uploading.progress_in_words(upload.job, place, desk)
    st.progress(share, text=words)
    if shown != upload.progress:
        st.rerun()


with st.container(horizontal=True, vertical_alignment="center"):
    job, progress = upload.job, upload.progress
    if not job.is_over:
        show_progress(progress)
        st.button("Cancel", on_click=desk.cancel, args=(job,), width="content")
    elif job.state != "done":
        if job.state == "failed":
            st.error(uploading.plain(job.reason))
        else:
            st.info("Cancelled. What was ready stays.")
        st.button("Explain again", on_click=uploading.ask_again, args=(upload, desk), width="content")
for remark in upload.intake.remarks:
    st.caption(f":material/info: {remark}")
if not upload.job.outcomes:
    st.stop()

held, probabilities = upload.run(desk), upload.job.probabilities
likeliest = max(held.manifest.pathologies, key=lambda name: probabilities.get(name, 0.0))
pathology = st.session_state.setdefault("upload_pathology", likeliest)
viewer.show(
    upload.scene(held, pathology, is_above_form=is_rating),
    key="viewer",
    on_pathology=choose_pathology,
    on_contour=draw,
)

with st.sidebar:
    if upload.job.is_over:
        offer_downloads(held, upload.cohort, upload.image_id, pathology, held.scores)
        uploading.offer_radiograph(upload)
        st.toggle("Rate these maps", key="rate", help="Your opinion is kept, the radiograph is not.")
    mask = st.file_uploader(
        f"Your mask of {pathology}",
        key=f"mask {upload.created} {upload.image_id} {pathology}",
        help="PNG of the radiograph's size, white where you see it, or a segmentation JSON as CheXlocalize has it. "
        "Each method's IoU with it is then shown. You can also draw on the pictures.",
    )
    if mask is not None and pathology not in upload.cohort.loaded:
        wrong = upload.load_mask(pathology, mask.name, mask.getvalue())
        if wrong:
            st.error(wrong)
        else:
            st.rerun()
    elif mask is None and pathology in upload.cohort.loaded:
        upload.drop_mask(pathology)
        st.rerun()
    if warning := banner(held):
        st.warning(warning)
    st.markdown("**Predicted probability**")
    shown = {name: probabilities[name] for name in OBSERVATIONS if name in probabilities}
    st.html(prediction_table(shown, upload.cohort.radiograph.labels, pathology))

if is_rating and upload.job.is_over:
    reviews, reader = open_reviews(), reader_name()
    if reader is None:
        st.info("Give your name at the side. Answers are saved as you give them.")
        st.stop()
    titles = {name: str(about["title"]) for name, about in held.manifest.methods.items()}
    case = Case(upload.image_id, pathology)
    try:
        ask(held, reviews, reader, case, titles, probabilities.get(pathology))
    except ReviewsError as error:
        st.error(str(error))
