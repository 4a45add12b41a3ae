"""What does each method point at in this radiograph, and does the expert agree?"""

from dataclasses import replace
from html import escape
from typing import Any

import streamlit as st

from dashboard import address, case_list, filters, reading, viewer
from dashboard.address import choice, choose, write_address
from dashboard.choices import threshold_choice
from dashboard.downloads import offer_downloads
from dashboard.guard import enter
from dashboard.navigation import name_tab, proof_address
from dashboard.notes import show_error
from dashboard.warming import warm_up
from shamsul_core.cases.case_list import explained_pathology, next_case
from shamsul_core.cohort import CohortError
from shamsul_core.cohort.truth_words import words_of_cohort
from shamsul_core.figures.colours import LINK
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.figures.html.predictions import prediction_table
from shamsul_core.messages import brief
from shamsul_core.run import RunError
from shamsul_core.run.wording import PROJECTIONS

run, cohort = enter()
_, scores = reading.tables(run)
listing, prediction = st.sidebar.container(), st.sidebar.container()
with prediction:
    table = st.container()
    rule = threshold_choice()
cases = reading.cases_of(run, rule)
if not cases.image_ids:
    st.info("No radiograph of this run has been explained yet. Come back when the first one is done.")
    address.stop()

pathologies = list(run.manifest.pathologies)
radiograph = cohort.radiographs[choice("radiograph", cases.image_ids, cases.image_ids[0], is_step=True)]
first_pathology = explained_pathology(cases.table, radiograph.id) or pathologies[0]
pathology = choice("pathology", pathologies, first_pathology, is_step=True)
name_tab("Compare", radiograph.id, pathology)


def pathology_of(image_id: str, named: str | None) -> str:
    """Return what to show of another radiograph: what the list names, else the present pathology if explained there."""
    return named or explained_pathology(cases.table, image_id, pathology) or pathology


def choose_case(chosen: dict[str, Any]) -> None:
    """Go to what was chosen in the case list."""
    image_id = chosen["radiograph"]
    choose(radiograph=image_id, pathology=pathology_of(image_id, chosen["pathology"]))


def choose_pathology(pathology: str) -> None:
    """Go to the pathology chosen in the viewer."""
    choose(pathology=pathology)


criteria, order = filters.read(pathologies, run.manifest.methods)
write_address()

# The list first, since it hears keys; then the pictures, which the reader waits for
listed = reading.listed(run, cases, rule, criteria, order)
with listing:
    narrowing = st.container()
    case_list.show(
        listed.rows,
        selected=radiograph.id,
        total=len(cases.image_ids),
        explained=listed.explained,
        key="case_list",
        on_choice=choose_case,
    )

try:
    scene = reading.scene(run, radiograph.id, pathology, rule)
    viewer.show(scene, key="viewer", on_pathology=choose_pathology)
except (CohortError, RunError) as error:
    show_error(error)

with narrowing:
    filters.offer(
        pathologies,
        run.manifest.titles,
        rule,
        criteria,
        words_of_cohort(cohort),
        is_novelty_known=not reading.novelty(run).empty,
    )
with listing:
    if listed.table.empty:
        st.caption("No radiograph matches these filters.")
    unread = reading.unread(run, cases)
    if unread:
        st.caption(
            f"{len(unread)} could not be explained.",
            help="\n\n".join(map(as_markdown, brief(unread)[:20])),
        )

ahead = next_case(listed.table, radiograph.id)
if ahead is not None:
    reading.look_ahead(run, ahead[0], pathology_of(*ahead), rule)

with table:
    thresholds = reading.thresholds(run, rule)
    display = replace(viewer.display("viewer", radiograph.id), decides=thresholds)
    offer_downloads(run, cohort, radiograph.id, pathology, scores, display)
    if pathology in reading.proof_pathologies(run, radiograph.id):
        address_of_proof = escape(proof_address(radiograph.id, pathology))
        st.html(f'<a style="color:{LINK}" href="{address_of_proof}">These maps put to the proof</a>')
    facts = [
        radiograph.view,
        radiograph.projection,
        radiograph.sex,
        radiograph.age and f"{radiograph.age} years",
    ]
    st.caption(" · ".join(as_markdown(fact) for fact in facts if fact), help=PROJECTIONS)
    st.markdown("**Predicted probability**")
    probabilities = reading.probabilities(run, radiograph.id)
    st.html(prediction_table(probabilities, radiograph.labels, pathology, thresholds))
    st.caption(
        "● labelled positive, ○ negative, ◐ uncertain, · blank; ✓ the prediction agrees with the label, "
        "✗ it does not"
    )
warm_up(run)
