"""What do you, the reader, think of these maps?"""

import streamlit as st

from dashboard import reading, viewer
from dashboard.assigning import show_assigning
from dashboard.guard import enter
from dashboard.readers import cases_of, judged, open_reviews, reader_name, scene
from dashboard.review_form import ask, show_results
from dashboard.sign_in import is_lead
from shamsul_core.cohort import CohortError
from shamsul_core.reviews import ReviewsError, run_key
from shamsul_core.reviews.blinding import map_title, shuffled
from shamsul_core.run import RunError

run, _ = enter()
reviews = open_reviews()
reader = reader_name()
methods = list(run.manifest.methods)
titles = {name: str(about["title"]) for name, about in run.manifest.methods.items()}

view = "Judge"
if is_lead():
    view = st.segmented_control(
        "Show", ["Judge", "Results", "Assign"], default="Judge", required=True, key="part"
    )
try:
    if view == "Results":
        show_results(run, reviews, titles, reading.tables(run)[1])
        st.stop()
    if view == "Assign":
        show_assigning(run, reviews)
        st.stop()
    if reader is None:
        st.info(
            "Give your name at the side, and the first case is shown. Answers are saved as you give them."
        )
        st.stop()
    cases, assigned = cases_of(run, reviews, reader)
    if not cases:
        st.info("There is nothing to judge: this run explains no finding that is labelled or predicted.")
        st.stop()
    done = judged(reviews.answers(run_key(run.manifest), reader), methods)
    place_key = f"place of {reader}"
    if (
        not 0 <= st.session_state.get(place_key, -1) < len(cases)
    ):  # resume at the first that is not judged yet
        st.session_state[place_key] = next((i for i, one in enumerate(cases) if one not in done), 0)
    place = st.session_state[place_key]
    case = cases[place]

    def go(step: int) -> None:
        """Go so many cases on."""
        st.session_state[place_key] = (place + step) % len(cases)

    with st.sidebar:
        is_blinded = st.toggle(
            "Hide the methods' names",
            value=True,
            key="blinded",
            help="Maps are shown as A, B, C, ... in an order that is your own and differs from case to case.",
        )
        asked = cases[:assigned] or cases
        count = sum(one in done for one in asked)
        st.progress(
            count / len(asked), text=f"{count} of {len(asked)} {'assigned cases ' if assigned else ''}rated"
        )
        with st.container(horizontal=True):
            st.button("Previous", on_click=go, args=(-1,), shortcut="ArrowLeft")
            st.button("Next", on_click=go, args=(1,), type="primary", shortcut="ArrowRight")

    order = shuffled(methods, reader, case.image_id, case.pathology) if is_blinded else methods
    names = {method: map_title(i) if is_blinded else titles[method] for i, method in enumerate(order)}
    number = (
        f"assigned case {place + 1} of {assigned}"
        if place < assigned
        else f"case {place + 1} of {len(cases)}"
    )
    about = [f"**{case.pathology}**", number, *["rated"] * (case in done)]
    st.markdown(" · ".join(about))
    viewer.show(scene(run, case, order if is_blinded else None), key=f"review {is_blinded}")
    probabilities = reading.probabilities(run, case.image_id)
    ask(run, reviews, reader, case, names, probabilities.get(case.pathology))
except ReviewsError as error:
    st.error(str(error))
    st.button("Try again")
except (CohortError, RunError) as error:
    st.error(str(error))
