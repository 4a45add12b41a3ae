"""What the readers said, for those who lead: of each method, how far they agree, how long they took, and as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard.notes import show_banner
from shamsul_core.cohort.truth_words import parts_by_truth, words_in
from shamsul_core.reviews import run_key
from shamsul_core.reviews.results import against_iou, agreement, method_results
from shamsul_core.reviews.times import showing_times, step_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shamsul_core.reviews import Reviews
    from shamsul_core.run import Run

_STEPS = {1: "Radiograph alone", 2: "With the heatmaps"}
_MEANING = """
- **Krippendorff's alpha** compares how much readers differ on the same heatmap with how much they would differ if the
  ratings were assigned at random: 1 is complete agreement, 0 is no better than chance. A value below 0.67 is usually
  considered too low to draw conclusions.
- **Weighted kappa** is the same idea for two readers (quadratic weights): a difference of two steps counts four times as
  much as a difference of one.
- **Spearman's rank correlation** shows whether heatmaps rated higher also have a higher {score} ({in_full} with
  the experts' {noun}): 1 always, 0 unrelated, −1 the reverse.
- Several heatmaps of one radiograph, and several ratings by one reader, are not independent. These figures describe the
  ratings; they are not a statistical test.
"""


def show_results(run: Run, reviews: Reviews, titles: Mapping[str, str], scores: pd.DataFrame) -> None:
    """Show what the readers think of each method, how far they agree, and whether with the IoU."""
    show_banner(run)
    key = run_key(run.manifest)
    answers, history = reviews.answers(key), reviews.history(key)
    if answers.empty:
        st.info("No reader has answered yet for this run.")
        return
    times = showing_times(reviews.showings(key), history)
    results = method_results(answers, list(titles))
    readers, rated, hidden = answers["reader"].nunique(), results["n"].sum(), results["blinded"].sum()
    st.markdown(
        f"{_count(readers, 'reader')}, {_count(rated, 'heatmap rating')}, {hidden} of them with the methods' names hidden"
    )
    _show_methods(results, titles)
    _show_agreement(answers, scores)
    _show_times(times)
    with st.container(horizontal=True):
        _offer("Answers", lambda: answers, "Each reader's current answers.")
        _offer("History", lambda: history, "Every answer ever given, with the time.")
        _offer("Times", lambda: times, "When each step of each case was on a reader's screen.")
    st.caption("The columns of these files are explained in docs/reviews.md.")


def _show_methods(results: pd.DataFrame, titles: Mapping[str, str]) -> None:
    shares = {
        "Covers the finding completely": ("covers_wholly", "covers_n"),
        "Highlights a lot outside it": ("marks_much", "marks_n"),
        "Chosen as best": ("best", "best_n"),
    }
    table = pd.DataFrame(
        {
            "Method": results["method"].map(titles),
            "Ratings": results["n"],
            "Blinded": results["blinded"],
            "Readers": results["readers"],
            "Radiographs": results["radiographs"],
            "Significance, mean": results["mean"],
            "Standard deviation": results["deviation"],
        }
    )
    for name, (part, whole) in shares.items():
        table[name] = [_share(*pair) for pair in zip(results[part], results[whole], strict=True)]
    number = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        column_config={
            "Ratings": number(help="Heatmaps of this method that were rated for significance"),
            "Blinded": number(help="Ratings given with the methods' names hidden"),
            "Significance, mean": number(
                format="%.2f", help="Mean rating, 1 (misleading) to 5 (exactly what matters)"
            ),
            "Standard deviation": number(format="%.2f", help="Standard deviation of the ratings"),
        },
    )


def _show_agreement(answers: pd.DataFrame, scores: pd.DataFrame) -> None:
    alpha, maps, pairs = agreement(answers)
    correlations = []
    for truth, part in parts_by_truth(scores):
        rho, count = against_iou(answers, part)
        correlations.append(
            f"Agreement with the {truth.score}: Spearman's rank correlation {_number(rho)} "
            f"({_count(count, 'heatmap')} with both)."
        )
    st.markdown(
        f"Agreement between readers on significance: Krippendorff's alpha {_number(alpha)} "
        f"({_count(maps, 'heatmap')} rated by two or more readers). " + " ".join(correlations)
    )
    if len(pairs):
        st.dataframe(
            pairs.set_axis(["Reader", "Other reader", "Heatmaps rated by both", "Weighted kappa"], axis=1),
            hide_index=True,
            placeholder="–",
            column_config={"Weighted kappa": st.column_config.NumberColumn(format="%.2f")},
        )
    with st.expander("What these figures mean"):
        truth = words_in(scores)
        st.markdown(_MEANING.format(score=truth.score, in_full=truth.in_full, noun=truth.noun))


def _show_times(times: pd.DataFrame) -> None:
    medians = [
        f"{_STEPS[step.step].lower()} {step.median_seconds:.0f} s (n = {step.n})"
        for step in step_times(times).itertuples()
    ]
    if medians:
        st.markdown(
            f"Median time on the screen: {', '.join(medians)}.",
            help="Per reader and case. A pause in front of the screen counts; time in a background tab does not.",
        )


def _offer(name: str, table: Callable[[], pd.DataFrame], meaning: str) -> None:
    st.download_button(
        f"Download {name.lower()} (CSV)",
        lambda: table().to_csv(index=False),
        f"{name.lower()}.csv",
        "text/csv",
        on_click="ignore",
        help=meaning,
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})" if whole else "–"


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
