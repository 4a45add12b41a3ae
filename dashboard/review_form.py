"""The questions of a review, beside the pictures: first those on the radiograph alone, then those on the maps."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from dashboard import review
from dashboard.notes import show_error
from dashboard.showing import close_step
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.reviews import ALONE, CASE, QUESTIONS, WITH_MAPS, Circumstances, ReviewsError, run_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.reviews import Case, Question, Reviews
    from shamsul_core.run.reader import RunReader

COLUMN_PX = 320
"""Width of the questions beside the pictures, where letters have 16 pixels."""

STYLE = """
.stMainBlockContainer { padding-bottom: 0; }
:has(> .st-key-questions) { flex: none !important; width: 20rem !important; }
.st-key-questions { width: 100% !important; max-height: calc(100vh - 1.5rem); overflow-y: auto; gap: 0.4rem; padding-right: 0.4rem; }
.st-key-questions p { font-size: 0.86rem; line-height: 1.3; }
.st-key-questions .stCaption p { font-size: 0.8rem; }
.st-key-questions .stRadio label p { font-size: 0.95rem; }
.st-key-questions [data-testid=stButtonGroup] button { min-height: 1.6rem; height: 1.6rem; padding: 0 0.3rem; }
.st-key-questions > div:has(.st-key-case_steps) { position: sticky; bottom: 0; z-index: 5; background: #000; }
@media (max-width: 800px) { :has(> .st-key-questions) { width: 100% !important; } .st-key-questions { max-height: none; } }
.st-key-questions [data-testid=stElementContainer]:has([data-testid=stText]) { width: 4.5rem !important; }
"""
"""Pictures and questions side by side; where the questions are longer than the window they scroll by themselves."""


class Form(NamedTuple):
    """Whose answers on what, and what the reader has in sight.

    Parameters
    ----------
    names
        Of the methods, as the reader is to see them and in their order.
    is_blinded
        Whether these hide the methods.
    """

    run: RunReader
    reviews: Reviews
    reader: str
    case: Case
    names: Mapping[str, str]
    is_blinded: bool

    @property
    def key(self) -> str:
        """What the answers are stored under."""
        return run_key(self.run.manifest)

    @property
    def model(self) -> str:
        """The fingerprint of the model whose predictions are judged."""
        return str(self.run.manifest.model["fingerprint"])

    def given(self) -> Mapping[tuple[str, str], str]:
        """Return the reader's present answers on the case, by method and question."""
        return self.reviews.of_case(self.key, self.reader, self.case)

    def widget_key(self, question: str, method: str) -> str:
        """Return a widget's key, which holds its case, so that what was typed stays if it could not be saved."""
        parts = (self.reader, self.case.image_id, self.case.pathology, method, question)
        # stands in the page, where it must tell nothing
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def ask_first(form: Form) -> None:
    """Ask what is asked before the maps are in sight, and open them once it is answered."""
    review.let_go()
    questions = [question for question in QUESTIONS.values() if question.step == ALONE]
    values = {question.name: _first_widget(form, question) for question in questions}
    st.button(
        "Save and show the heatmaps",
        type="primary",
        width="stretch",
        disabled=not all(values.values()),
        on_click=_save_first,
        args=(form, values),
    )
    st.caption("This answer cannot be changed once the heatmaps are shown.")


def show_first(answers: Mapping[tuple[str, str], str]) -> None:
    """Show what the reader answered before the maps were in sight; it stays so."""
    for question in QUESTIONS.values():
        value = answers.get((CASE, question.name))
        if question.step == ALONE and value:
            st.markdown(f"Before the heatmaps: {question.text} **{value} · {question.scale[value]}**")


def ask(
    run: RunReader,
    reviews: Reviews,
    reader: str,
    case: Case,
    names: Mapping[str, str],
    probability: float | None,
) -> None:
    """Ask of named maps that have been in sight from the beginning, as those of a reader's own radiograph.

    Parameters
    ----------
    names
        Of the methods, in their order.
    probability
        That the model gives the case's pathology, 0 to 1; ``None`` where it gives none.
    """
    with st.container(width=2 * COLUMN_PX):
        if probability is not None:
            st.caption(as_markdown(probability_in_words(case.pathology, probability)))
        ask_on_maps(Form(run, reviews, reader, case, names, is_blinded=False))


def probability_in_words(pathology: str, probability: float) -> str:
    """Return what the model says of a case."""
    return f"The model gives {pathology} a probability of {probability:.2f}."


def ask_on_maps(form: Form) -> None:
    """Ask what is asked with the maps in sight: a row for each map under each question, then those on the case."""
    review.let_go()
    answers = form.given()
    for question in QUESTIONS.values():
        if question.step != WITH_MAPS:
            continue
        if not question.is_per_method:
            _widget(form, answers, question, CASE)
            continue
        st.markdown(f"**{question.text}**")
        if question.kind == "scale":
            st.caption(_legend(question))
        with st.container(gap="xxsmall"):
            for method, name in form.names.items():
                with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                    st.text(name, width=72)
                    _widget(form, answers, question, method)


def _first_widget(form: Form, question: Question) -> str | None:
    chosen: str | None = st.radio(
        question.text,
        list(question.scale),
        index=None,
        format_func=lambda value: f"{value} · {question.scale[value]}",
        key=form.widget_key(question.name, CASE),
    )
    return chosen


def _widget(form: Form, answers: Mapping[tuple[str, str], str], question: Question, method: str) -> None:
    key = form.widget_key(question.name, method)
    value = answers.get((method, question.name))
    save = partial(_save, form, question.name, method, key)
    if question.kind == "flag":
        st.checkbox(question.text, value=value == "yes", key=key, on_change=save)
        return
    if question.kind == "text":
        st.text_area(
            f"**{question.text}**", value=value or "", key=key, on_change=save, max_chars=4000, height=68
        )
        return
    options = {"method": form.names, "scale": question.scale}.get(question.kind, question.answers)
    st.segmented_control(
        f"{as_markdown(form.names[method])}: {question.text}" if method else f"**{question.text}**",
        list(options),
        default=value if value in options else None,
        format_func=(lambda method: as_markdown(form.names[method])) if question.kind == "method" else str,
        key=key,
        on_change=save,
        required=True,
        width="stretch",
        help=_legend(question) if question.kind == "scale" and not method else None,
        label_visibility="collapsed" if method else "visible",
    )


def _legend(question: Question) -> str:
    return " · ".join(f"{value} {words}" for value, words in question.scale.items())


def _save_first(form: Form, values: Mapping[str, str]) -> None:
    try:
        form.reviews.answer_first(form.key, form.reader, form.case, values, Circumstances(model=form.model))
        close_step(form.reviews, "answered")
    except ReviewsError as error:
        show_error(error)


def _save(form: Form, question: str, method: str, key: str) -> None:
    value = st.session_state[key]
    stored = "yes" if value is True else "" if value is None or value is False else str(value)
    seen = Circumstances(model=form.model, order=tuple(form.names), is_blinded=form.is_blinded)
    try:
        # a browser that comes back to a case may send what the widgets held; that is no new answer
        if form.given().get((method, question), "") == stored:
            return
        form.reviews.answer(form.key, form.reader, form.case, question, stored, seen, method=method)
    except ReviewsError as error:
        show_error(f"This answer has not been saved yet; it stays on the page. {error}")
