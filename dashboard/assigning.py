"""Where a lead asks readers to judge cases, and sees how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import reading, sign_in
from dashboard.readers import judged
from shamsul_core.cases.selection import CRITERIA
from shamsul_core.cohort.truth_words import words_in
from shamsul_core.reviews import run_key
from shamsul_core.reviews.worklists import chosen, explained, present_or_predicted, written

if TYPE_CHECKING:
    from shamsul_core.reviews import Case, Reviews
    from shamsul_core.run import Run

_BY_CRITERION, _BY_PATHOLOGY, _WRITTEN = "By criterion", "By pathology", "From a list"


def show_assigning(run: Run, reviews: Reviews) -> None:
    """Let a lead choose readers and cases, and show what is assigned."""
    key = run_key(run.manifest)
    readers = sorted({*reviews.readers(key), *sign_in.known_readers()})
    left, right = st.columns([2, 3], gap="large")
    with left:
        names = st.multiselect(
            "Readers",
            readers,
            key="assign_to",
            accept_new_options=True,
            placeholder="Choose or type a name",
            help="The name they sign in with, usually their e-mail."
            if sign_in.is_on()
            else "The name they enter.",
        )
        readers = list(dict.fromkeys(filter(None, map(sign_in.known_as, names))))
        cases = _choose_cases(run)
        counts = f"{_count(len(cases), 'case')} to {_count(len(readers), 'reader')}"
        if st.button(f"Assign {counts}", disabled=not (cases and readers)):
            reviews.assign(key, readers, cases, by=sign_in.reader() or "")
            st.success(f"Assigned {counts}, replacing earlier assignments. Answers are kept.")
    with right:
        st.markdown("**Selected cases**")
        st.dataframe(
            pd.DataFrame(
                [(case.image_id, case.pathology) for case in cases], columns=["Radiograph", "Pathology"]
            ),
            hide_index=True,
            height=300,
        )
    _show_assigned(run, reviews)


def _choose_cases(run: Run) -> list[Case]:
    _, scores = reading.tables(run)
    ways = (_BY_CRITERION, _BY_PATHOLOGY, _WRITTEN)
    way = st.segmented_control("Cases", ways, default=_BY_CRITERION, required=True, key="assign_way")
    if way == _WRITTEN:
        text = st.text_area(
            "One case per line: radiograph, pathology", key="assign_list", height=160, max_chars=200_000
        )
        cases, unknown = written(text, set(explained(scores)))
        if unknown:
            st.text(f"Not explained in this run: {'; '.join(unknown[:5])}{'; ...' if unknown[5:] else ''}")
        return cases
    if way == _BY_PATHOLOGY:
        pathology = st.selectbox("Labelled or predicted", run.manifest.pathologies, key="assign_pathology")
        return present_or_predicted(scores, pathology)
    truth = words_in(scores)
    criterion = st.selectbox(
        "Criterion",
        list(CRITERIA),
        format_func=lambda name: CRITERIA[name].titled(truth),
        key="assign_criterion",
    )
    st.caption(CRITERIA[criterion].explained(truth))
    return chosen(CRITERIA[criterion].choose(scores), set(explained(scores)))


def _show_assigned(run: Run, reviews: Reviews) -> None:
    key = run_key(run.manifest)
    latest = reviews.worklists(key).drop_duplicates("reader", keep="last")
    latest = latest[latest["cases"].map(len) > 0]
    if latest.empty:
        st.info("No cases are assigned yet: readers judge every finding that is labelled or predicted.")
        return
    answers = reviews.answers(key)
    done = {name: judged(theirs, list(run.manifest.methods)) for name, theirs in answers.groupby("reader")}
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Reader": worklist.reader,
                    "Rated": f"{len(done.get(worklist.reader, set()).intersection(worklist.cases))} of {len(worklist.cases)}",
                    "Assigned (UTC)": worklist.assigned,
                    "Assigned by": worklist.assigned_by,
                }
                for worklist in latest.sort_values("reader").itertuples()
            ]
        ),
        hide_index=True,
        column_config={"Assigned (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")},
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
