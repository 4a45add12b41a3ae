"""Which cases show a method or the model at its best, at its worst, or most in doubt?"""

import streamlit as st

from dashboard import cards, reading, scroll
from dashboard.address import choice, write_address
from dashboard.export import offer_files
from dashboard.guard import enter
from dashboard.navigation import case_address
from dashboard.notes import show_banner, show_error, stopping_plainly
from shamsul_core.cases.selection import CRITERIA, best_multilabel, in_order
from shamsul_core.cohort import CohortError
from shamsul_core.cohort.truth_words import words_in
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.run import RunError
from shamsul_core.run.wording import titles_in_words, why_no_iou

PAIR = ["Lung Opacity", "Support Devices"]  # the paper's
MULTILABEL = (
    "The radiograph with the highest product of the two probabilities among those labelled positive for both."
)

run, cohort = enter()
show_banner(run)
with stopping_plainly():
    _, scores = reading.tables(run)
scores = scores[scores["image_id"].isin(list(cohort.radiographs))]
titles = run.manifest.titles
pathologies = list(run.manifest.pathologies)
truth = words_in(scores)
names = {name: criterion.titled(truth) for name, criterion in CRITERIA.items()}
if len(pathologies) > 1:
    names["multilabel"] = "Best multi-label"

criterion = choice("criterion", list(names), "best")
chosen = CRITERIA.get(criterion)
first = choice("first", pathologies, next(filter(pathologies.__contains__, PAIR + pathologies)))
others = [name for name in pathologies if name != first]
second = choice("second", others, next(filter(others.__contains__, PAIR[::-1] + others))) if others else first
method = choice("method", list(titles), next(iter(titles)))
write_address()
with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
    st.segmented_control("Cases", list(names), key="criterion", required=True, format_func=names.get)
    if chosen is None:
        st.selectbox("Positive for", pathologies, key="first", width=240)
        st.selectbox("and for", others, key="second", width=240)
        meaning, cases = MULTILABEL, best_multilabel(scores, first, second)
    else:
        meaning, here = chosen.explained(truth), scores
        if chosen.is_of_one_method:
            st.segmented_control(
                "Method",
                list(titles),
                key="method",
                required=True,
                format_func=lambda name: as_markdown(titles[name]),
                help=as_markdown(titles_in_words(titles) or "") or None,
            )
            here = scores[scores["method"] == method]
        cases = chosen.choose(here)
st.markdown(meaning)
cases = in_order(cases, pathologies)
if not cases:
    needs_marks = chosen is not None and chosen.needs_marks
    reason = needs_marks and why_no_iou(scores, has_marks=cohort.has_annotations)
    st.info(
        f"{as_markdown(reason)} *{CRITERIA['wrong'].title}* finds cases by probability and label."
        if reason
        else "No radiograph in this run meets this criterion."
    )
    st.stop()

with st.sidebar:
    offer_files(run, cohort, cases, names[criterion])
st.caption(
    f"Solid line: the experts' {truth.marked_as}. Dashed: each method's mask. Orange: evidence for the pathology; blue: against it. "
    "Hatched: the relevance is within two standard errors of zero."
)
drawn = []
for case in cases:
    try:
        drawn.append(reading.card(run, case, case_address(case.image_id, case.pathology)))
    except (CohortError, RunError) as error:
        show_error(f"{case.pathology}: {error}")
cards.show(drawn, key="cards")
scroll.remember(str(run.name), criterion, method, first, second)
