"""What does each method point at in this radiograph, and does the expert agree?"""

import streamlit as st

from dashboard import reading, viewer
from dashboard.address import choice_in_address, write_to_address
from dashboard.guard import enter
from shamsul_core.cohort import CohortError
from shamsul_core.figures.predictions import prediction_table, sign_of
from shamsul_core.labels import OBSERVATIONS
from shamsul_core.run import RunError

run, cohort = enter()
predictions, scores = reading.tables(run)
image_ids = [image_id for image_id in run.explained_ids() if image_id in cohort.radiographs]
if not image_ids:
    st.info(
        "This run holds no explained radiograph of its cohort yet. Come back when the engine has done its first."
    )
    st.stop()

pathologies = list(run.manifest.pathologies)
choice_in_address("radiograph", image_ids, image_ids[0])
radiograph = cohort.radiographs[st.session_state["radiograph"]]
marked = reading.marked_pathologies(scores, radiograph.id)
choice_in_address("pathology", pathologies, next(iter(marked), pathologies[0]))


def step(by: int) -> None:
    """Go to the next or the previous radiograph."""
    place = image_ids.index(st.session_state["radiograph"]) + by
    st.session_state["radiograph"] = image_ids[place % len(image_ids)]


with st.sidebar:
    st.selectbox("Radiograph", image_ids, key="radiograph", help="Type to search.")
    previous, following = st.columns(2)
    previous.button("Previous", icon=":material/chevron_left:", on_click=step, args=(-1,), width="stretch")
    following.button("Next", icon=":material/chevron_right:", on_click=step, args=(1,), width="stretch")
    facts = [
        radiograph.view,
        radiograph.projection,
        radiograph.sex,
        radiograph.age and f"{radiograph.age} years",
    ]
    st.caption(" · ".join(str(fact) for fact in facts if fact))

st.pills(
    "Pathology",
    pathologies,
    key="pathology",
    required=True,
    format_func=lambda name: (
        f"{name} {sign_of(radiograph.labels.get(name))}" + (" ✎" if name in marked else "")
    ),
    help="● labelled positive, ○ negative, ◐ uncertain, · blank; ✎ an expert drew a contour.",
    label_visibility="collapsed",
)
write_to_address("radiograph", "pathology")
pathology = st.session_state["pathology"]

try:
    viewer.show(reading.scene(run, radiograph.id, pathology), key="viewer")
except (CohortError, RunError) as error:
    st.error(str(error))

with st.sidebar:
    st.markdown("**Predicted probability**")
    row = predictions[predictions["image_id"] == radiograph.id]
    probabilities = {} if row.empty else {name: row[name].iloc[0] for name in OBSERVATIONS if name in row}
    st.html(prediction_table(probabilities, radiograph.labels, pathology))
    st.caption("● labelled positive, ○ negative, ◐ uncertain, · blank")
