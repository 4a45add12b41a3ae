"""What does each method point at in this radiograph, and does the expert agree?"""

import streamlit as st

from dashboard import filters, reading, viewer, worklist
from dashboard.address import choice, choose, write_address
from dashboard.choices import threshold_choice
from dashboard.downloads import offer_downloads
from dashboard.guard import enter
from dashboard.navigation import name_tab
from dashboard.warming import warm_up
from shamsul_core.cohort import CohortError
from shamsul_core.figures.predictions import prediction_table
from shamsul_core.run import RunError
from shamsul_core.worklist import next_case
from shamsul_core.worklist import worklist as listed_by

run, cohort = enter()
_, scores = reading.tables(run)
findings = reading.findings(run, cohort)
image_ids = list(findings["image_id"].unique())
if not image_ids:
    st.info(
        "This run holds no explained radiograph of its cohort yet. Come back when the engine has done its first."
    )
    st.stop()

pathologies = list(run.manifest.pathologies)
radiograph = cohort.radiographs[choice("radiograph", image_ids, image_ids[0], is_step=True)]
first_pathology = reading.first_pathology(scores, radiograph.id) or pathologies[0]
pathology = choice("pathology", pathologies, first_pathology, is_step=True)
name_tab("Compare", radiograph.id, pathology)


def choose_case() -> None:
    """Go to what was chosen in the worklist."""
    chosen = st.session_state["worklist"]["choice"]
    choose(radiograph=chosen["radiograph"], pathology=chosen["pathology"] or pathology)


def choose_pathology() -> None:
    """Go to the pathology chosen in the viewer."""
    choose(pathology=st.session_state["viewer"]["pathology"])


with st.sidebar:
    criteria, order = filters.choose(pathologies, run.manifest.methods)
    write_address()
    listed = listed_by(findings, criteria, **order)
    worklist.show(listed, shown=radiograph.id, total=len(image_ids), key="worklist", on_choice=choose_case)
    if listed.empty:
        st.caption("No radiograph meets these filters.")
    unread = reading.unread(run, image_ids)
    if unread:
        st.caption(f"{len(unread)} could not be explained.", help="\n\n".join(unread[:20]))

try:
    shown = viewer.show(
        reading.scene(run, radiograph.id, pathology), key="viewer", on_pathology=choose_pathology
    )
except (CohortError, RunError) as error:
    st.error(str(error))

ahead = next_case(listed, radiograph.id)
if ahead is not None:
    reading.look_ahead(run, ahead[0], ahead[1] or pathology)

with st.sidebar:
    offer_downloads(run, cohort, radiograph.id, pathology, scores)
    facts = [
        radiograph.view,
        radiograph.projection,
        radiograph.sex,
        radiograph.age and f"{radiograph.age} years",
    ]
    st.caption(" · ".join(str(fact) for fact in facts if fact))
    st.markdown("**Predicted probability**")
    probabilities = reading.probabilities(run, radiograph.id)
    table = st.container()
    decisions = reading.decisions(run, threshold_choice(), radiograph.id)
    table.html(prediction_table(probabilities, radiograph.labels, pathology, decisions))
    table.caption(
        "● labelled positive, ○ negative, ◐ uncertain, · blank; ✓ the model's decision agrees, ✗ not"
    )
warm_up(run)
