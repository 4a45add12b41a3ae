"""What would the model see in a radiograph of your own?"""

import streamlit as st

from dashboard import uploading, viewer
from dashboard.downloads import offer_downloads
from dashboard.guard import enter
from shamsul_core.figures.comparison import banner
from shamsul_core.figures.predictions import prediction_table
from shamsul_core.labels import OBSERVATIONS
from shamsul_core.upload.held import IMAGE_ID

LOOK_S = 0.3
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


def choose_pathology() -> None:
    """Go to the pathology chosen in the viewer."""
    st.session_state["upload_pathology"] = st.session_state["viewer"]["pathology"]


def shown_now() -> tuple[object, ...]:
    """Return what of the upload's job concerns the page at large."""
    return upload.digest, id(upload.job), upload.job.is_over


@st.fragment(run_every=None if upload.job.is_over else LOOK_S)
def show_case() -> None:
    """Show what there is so far, and how far the rest has come."""
    job, place = upload.job, desk.look(upload.job)
    if not job.is_over:
        share, words = uploading.progress_in_words(job, place)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(share, text=words)
            st.button("Cancel", on_click=desk.cancel, args=(job,), width="content")
    elif job.state in ("failed", "cancelled"):
        words = job.reason if job.state == "failed" else "Cancelled. What was ready stays."
        with st.container(horizontal=True, vertical_alignment="center"):
            (st.error if job.state == "failed" else st.info)(words)
            st.button("Explain again", on_click=uploading.ask_again, args=(upload, desk), width="content")
    for remark in upload.intake.remarks:
        st.caption(f":material/info: {remark}")
    if not job.outcomes:
        return
    held = upload.run(desk)
    pathologies = held.manifest.pathologies
    likeliest = max(pathologies, key=lambda name: job.probabilities.get(name, 0.0))
    pathology = st.session_state.setdefault("upload_pathology", likeliest)
    viewer.show(upload.scene(held, pathology), key="viewer", on_pathology=choose_pathology)
    if st.session_state.get("upload_shown") != shown_now():
        st.session_state["upload_shown"] = shown_now()
        st.rerun()  # the page at large: predictions at the side, downloads at the end


show_case()

with st.sidebar:
    if not upload.job.outcomes:
        st.stop()
    held = upload.run(desk)
    pathology = st.session_state["upload_pathology"]
    if upload.job.is_over:
        offer_downloads(held, upload.cohort, IMAGE_ID, pathology, held.scores)
    mask = st.file_uploader(
        f"Your mask of {pathology}",
        key=f"mask {upload.digest} {pathology}",
        help="PNG of the radiograph's size, white where you see it, or a segmentation JSON as CheXlocalize has it. "
        "Each method's IoU with it is then shown.",
    )
    if mask is not None and pathology not in upload.cohort.marked:
        wrong = uploading.take_mask(upload, mask.name, mask.getvalue(), pathology)
        if wrong:
            st.error(wrong)
        else:
            st.rerun()
    elif mask is None and pathology in upload.cohort.marked:
        del upload.cohort.marked[pathology]
        st.rerun()
    if warning := banner(held):
        st.warning(warning)
    st.markdown("**Predicted probability**")
    shown = {
        name: upload.job.probabilities[name] for name in OBSERVATIONS if name in upload.job.probabilities
    }
    st.html(prediction_table(shown, upload.cohort.radiograph.labels, pathology))
