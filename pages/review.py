"""What do you, the reader, think of these maps?"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import address, reading, review, showing, viewer
from dashboard.assigning import show_assigning
from dashboard.guard import enter
from dashboard.notes import show_error
from dashboard.readers import cases_of, judged, open_reviews, radiograph_scene, reader_name, scene
from dashboard.review_form import (
    COLUMN_PX,
    STYLE,
    Form,
    ask_first,
    ask_on_maps,
    probability_in_words,
    show_first,
)
from dashboard.review_results import show_results
from dashboard.sign_in import is_lead
from shamsul_core.cohort import CohortError
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.reviews import ALONE, WITH_MAPS, Case, ReviewsError, run_key
from shamsul_core.reviews.blinding import map_title, shuffled
from shamsul_core.run import RunError

run, _ = enter()
reviews = open_reviews()

PARTS = {"judge": "Judge", "results": "Results", "assign": "Assign"}


def choose_part() -> str:
    """Return which part of the page is shown; who does not lead judges."""
    if not is_lead():
        return "judge"
    part = address.choice("show", list(PARTS), "judge")
    with st.sidebar:
        st.segmented_control("Show", list(PARTS), required=True, key="show", format_func=PARTS.get)
    return part


def choose_case(cases: list[Case], first: Case, owner: str) -> Case:
    """Return the case to show, `first` where neither the address nor the reader named one."""
    among = "among the cases to review"
    image_ids = list(dict.fromkeys(case.image_id for case in cases))
    chosen = {"is_step": True, "owner": owner, "among": among}
    image_id = address.choice("radiograph", image_ids, first.image_id, **chosen)
    pathologies = [case.pathology for case in cases if case.image_id == image_id]
    otherwise = first.pathology if image_id == first.image_id else pathologies[0]
    return Case(image_id, address.choice("pathology", pathologies, otherwise, **chosen))


# ---- The page

if not any(widget in st.session_state for widget in ("show", "blinded")):
    # the page's own widgets, whose state Streamlit forgets with the page
    showing.arrive()
key = run_key(run.manifest)
methods = list(run.manifest.methods)
titles = run.manifest.titles
part = choose_part()
reader = reader_name()


def judge(reader: str) -> None:
    """Show a case to a reader: the radiograph alone and what is asked of it, then the maps and the rest."""
    cases, assigned = cases_of(run, reviews, reader)
    if not cases:
        st.info("There is nothing to review: no labelled or predicted finding is explained in this run.")
        return
    done = judged(reviews.answers(key, reader), methods)
    owner = f"review {reader}"
    first_unrated = next((listed for listed in cases if listed not in done), cases[0])
    case = choose_case(cases, first_unrated, owner)
    address.write_address()
    place = cases.index(case)
    rated = sum(listed in done for listed in cases[:assigned] or cases)
    is_blinded = show_progress(rated, assigned or len(cases), assigned)
    order = shuffled(methods, reader, case.image_id, case.pathology) if is_blinded else methods
    names = {method: map_title(i) if is_blinded else titles[method] for i, method in enumerate(order)}
    form = Form(run, reviews, reader, case, names, is_blinded)
    answers = form.given()
    step = WITH_MAPS if answers else ALONE

    def go(place: int) -> None:
        ahead = cases[int(place) % len(cases)]
        address.choose(owner, radiograph=ahead.image_id, pathology=ahead.pathology)

    pictures, questions, steps = lay_out()
    with pictures:
        if step == ALONE:
            viewer.show(radiograph_scene(run, case), key="viewer of the review")
        else:
            viewer.show(scene(run, case, order, is_blinded=is_blinded), key="viewer of the review")
    with questions:
        name_case(case, place, len(cases), assigned, is_rated=case in done)
        if step == ALONE:
            ask_first(form)
        else:
            show_first(answers)
            ask_on_maps(form)
    with steps:
        review.show_steps(place, len(cases), is_answered=case in done, key="steps", on_place=go)
    showing.open_step(reviews, key, reader, case, step)
    watch()


def lay_out() -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Return where the pictures stand, the questions beside them, and the steps from case to case below these."""
    st.html(f"<style>{STYLE}</style>")
    with st.container(horizontal=True, gap="small"):
        pictures = st.container(width="stretch")
        with st.container(width=COLUMN_PX, key="questions"):
            # of its own, so that what follows keeps its place, and hears keys, while the questions change
            questions = st.container(gap="xsmall")
            steps = st.container(key="case_steps")
    return pictures, questions, steps


def name_case(case: Case, place: int, total: int, assigned: int, *, is_rated: bool) -> None:
    """Show which case this is, whether it is rated, and what the model predicts."""
    number = (
        f"case {place + 1} of {total}" if place >= assigned else f"assigned case {place + 1} of {assigned}"
    )
    st.markdown(" · ".join([f"**{as_markdown(case.pathology)}**", number, *["rated"] * is_rated]))
    probability = reading.probabilities(run, case.image_id).get(case.pathology)
    if probability is not None:
        st.markdown(as_markdown(probability_in_words(case.pathology, probability)))


def show_progress(count: int, total: int, assigned: int) -> bool:
    """Show how far the reader is, and let them hide the methods' names; return whether these are hidden."""
    with st.sidebar:
        is_blinded = st.toggle(
            "Hide the methods' names",
            value=True,
            key="blinded",
            help="The heatmaps are called A, B, C and so on, in an order that changes with the case and the reader. "
            "Whether the names were hidden is saved with each answer.",
        )
        st.progress(
            count / total, text=f"{count} of {total} {'assigned cases' if assigned else 'cases'} rated"
        )
    return is_blinded


@st.fragment
def watch() -> None:
    """Note when the browser hides the page and shows it again, for the time that reading takes."""

    def change(sight: str) -> None:
        showing.change_sight(reviews, is_hidden=sight == "hidden")

    review.watch_sight(change)
    if showing.is_due():
        st.rerun()


try:
    if part != "judge":
        showing.close_step(reviews, "left")
        address.write_address()
    if part == "results":
        show_results(run, reviews, titles, reading.tables(run)[1])
    elif part == "assign":
        show_assigning(run, reviews)
    elif reader is None:
        address.keep_unread()
        st.info("Enter your name in the sidebar to see your first case. Each answer is saved as you give it.")
    else:
        judge(reader)
except ReviewsError as error:
    show_error(error)
    st.button("Try again")
except (CohortError, RunError) as error:
    show_error(error)
