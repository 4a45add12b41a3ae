"""The questions of a review as a form that saves each answer as it is given, and what the readers said."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.notes import show_banner
from shamsul_core.reviews import CASE, QUESTIONS, ReviewsError, run_key
from shamsul_core.reviews.results import against_iou, agreement, method_results

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from shamsul_core.reviews import Case, Question, Reviews
    from shamsul_core.run import Run


def ask(
    run: Run,
    reviews: Reviews,
    reader: str,
    case: Case,
    names: Mapping[str, str],
    probability: float | None,
) -> None:
    """Show the questions on a case: those on the case first, then those on each map below one another.

    Parameters
    ----------
    names
        Of the methods, as the reader is to see them and in their order.
    probability
        That the model gives the case's pathology, 0 to 1; ``None`` where it gives none.
    """
    given = reviews.of_case(run_key(run.manifest), reader, case)
    on_case, *on_maps = st.columns(1 + len(names), gap="small")  # each under its panel
    one = partial(_widget, run, reviews, reader, case, given, names)
    with on_case:
        st.markdown("**This case**")
        if probability is not None:
            st.caption(f"The model gives {case.pathology} a probability of {probability:.2f}.")
        for question in QUESTIONS.values():
            if not question.is_per_method:
                one(question, CASE)
    for column, (method, name) in zip(on_maps, names.items(), strict=True):
        with column:
            st.markdown(f"**{name}**")
            for question in QUESTIONS.values():
                if question.is_per_method:
                    one(question, method)


def show_results(run: Run, reviews: Reviews, titles: Mapping[str, str], scores: pd.DataFrame) -> None:
    """Show what the readers think of each method, how far they agree, and whether with the IoU."""
    show_banner(run)
    key = run_key(run.manifest)
    answers = reviews.answers(key)
    if answers.empty:
        st.info("Nobody has judged a case of this run yet.")
        return
    results = method_results(answers, list(titles))
    readers = answers["reader"].nunique()
    st.markdown(f"{readers} {'reader' if readers == 1 else 'readers'}, {results['n'].sum()} ratings of maps")
    st.dataframe(
        results.assign(method=results["method"].map(titles)).rename(
            columns={
                "method": "Method",
                "n": "Ratings",
                "readers": "Readers",
                "mean": "Significance, mean (1 to 5)",
                "deviation": "Standard deviation",
                "covers_wholly": "Covers the finding wholly",
                "marks_much": "Marks much beside it",
                "best": "Chosen as best",
            }
        ),
        hide_index=True,
        placeholder="–",
        column_config={
            "Significance, mean (1 to 5)": st.column_config.NumberColumn(format="%.2f"),
            "Standard deviation": st.column_config.NumberColumn(format="%.2f"),
            "Covers the finding wholly": st.column_config.NumberColumn(format="percent"),
            "Marks much beside it": st.column_config.NumberColumn(format="percent"),
        },
    )
    alpha, pairs = agreement(answers)
    rho, count = against_iou(answers, scores)
    st.markdown(
        f"Agreement between readers on significance: Krippendorff's alpha {_number(alpha)} (1: complete, 0: as by "
        f"chance). With the IoU: Spearman's rank correlation {_number(rho)} over {count} maps."
    )
    if len(pairs):
        st.dataframe(
            pairs.rename(
                columns={"reader": "Reader", "other": "Reader ", "n": "Maps", "kappa": "Weighted kappa"}
            ),
            hide_index=True,
            placeholder="–",
            column_config={"Weighted kappa": st.column_config.NumberColumn(format="%.2f")},
        )
    with st.container(horizontal=True):
        for name, table in {"answers": reviews.answers, "history": reviews.history}.items():
            st.download_button(
                f"{name.capitalize()}, CSV",
                lambda table=table: table(key).to_csv(index=False),
                f"{name}.csv",
                "text/csv",
                on_click="ignore",
                help="What each reader thinks now"
                if name == "answers"
                else "Every answer ever given, with its time",
            )


def _widget(
    run: Run,
    reviews: Reviews,
    reader: str,
    case: Case,
    given: Mapping[tuple[str, str], str],
    names: Mapping[str, str],
    question: Question,
    method: str,
) -> None:
    """Show one question; the widget's key holds its case, so that what was typed stays if it could not be saved."""
    about = (reader, case.image_id, case.pathology, method, question.name)
    key = hashlib.sha256("\n".join(about).encode()).hexdigest()[
        :24
    ]  # stands in the page, where it must tell nothing
    value = given.get((method, question.name))
    save = partial(_save, run, reviews, reader, case, question.name, method, key, tuple(names))
    if question.kind == "scale":
        options = [str(number) for number in range(1, len(question.answers) + 1)]
        words = dict(zip(options, question.answers, strict=True))
        st.radio(
            question.text,
            options,
            index=options.index(value) if value in options else None,
            format_func=lambda one: f"{one} · {words[one]}",
            key=key,
            on_change=save,
        )
    elif question.kind in {"choice", "method"}:
        options = list(names) if question.kind == "method" else list(question.answers)
        st.segmented_control(
            question.text,
            options,
            default=value if value in options else None,
            format_func=(lambda one: names[one]) if question.kind == "method" else str,
            key=key,
            on_change=save,
        )
    elif question.kind == "flag":
        st.checkbox(question.text, value=value == "yes", key=key, on_change=save)
    else:
        st.text_area(question.text, value=value or "", key=key, on_change=save, max_chars=4000, height=80)


def _save(
    run: Run,
    reviews: Reviews,
    reader: str,
    case: Case,
    question: str,
    method: str,
    key: str,
    methods: tuple[str, ...],
) -> None:
    value = st.session_state[key]
    stored = "yes" if value is True else "" if value is None or value is False else str(value)
    try:
        reviews.answer(run_key(run.manifest), reader, case, question, stored, method=method, methods=methods)
    except ReviewsError as error:
        st.error(f"This answer is not saved yet; it stays on the page. {error}")


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"
