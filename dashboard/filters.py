"""The case list's filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import address
from shamsul_core.cases.case_list import BY_ID, BY_IOU, BY_PROBABILITY, Criteria
from shamsul_core.run.wording import sentence
from shamsul_core.statistics.prediction.decisions import RULE_TITLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shamsul_core.cohort.truth_words import TruthWords
    from shamsul_core.statistics.prediction.decisions import ThresholdRule

_ANY = "Any"
_BEST = "Best method"
_YES = {"yes": True, "no": False}
_CORRECT = {"correct": True, "incorrect": False}
_SORTS: dict[str, dict[str, Any]] = {
    "radiograph": {"sort": BY_ID},
    "highest probability": {"sort": BY_PROBABILITY, "is_descending": True},
    "lowest probability": {"sort": BY_PROBABILITY},
    "highest IoU": {"sort": BY_IOU, "is_descending": True},
    "lowest IoU": {"sort": BY_IOU},
}
_SEARCH, _IOU = "search", "filter_iou"
_WHOLE = (0.0, 1.0)
_STYLE = """<style>
/* Low enough for a screen of 768 lines */
[data-testid="stPopoverBody"]:has([data-testid="stSlider"]) { width: 54rem; max-width: 94vw; }
[data-testid="stPopoverBody"] [data-testid="stVerticalBlock"] { gap: 0.5rem; }
</style>"""


def read(pathologies: Sequence[str], methods: Iterable[str]) -> tuple[Criteria, dict[str, Any]]:
    """Return the reader's criteria, and the order as `shamsul_core.cases.case_list.list_cases` takes it."""
    options = _options(pathologies, methods)
    chosen = {name: address.choice(_key(name), offered, offered[0]) for name, offered in options.items()}
    search, iou = address.text(_SEARCH), address.interval(_IOU, *_WHOLE)
    return _criteria(search, iou, chosen), _SORTS[chosen["sort"]]


def offer(
    pathologies: Sequence[str],
    titles: Mapping[str, str],
    rule: ThresholdRule,
    criteria: Criteria,
    truth: TruthWords,
    *,
    is_novelty_known: bool,
) -> None:
    """Let the reader search, filter and sort.

    Parameters
    ----------
    titles
        Of the methods.
    rule
        By which a pathology counts as predicted.
    criteria
        What `read` returned in this run.
    truth
        The words for what experts marked.
    is_novelty_known
        Whether it is known of any radiograph whether it is unlike what the model was trained on.
    """
    st.text_input(
        "Search", key=_SEARCH, placeholder="Search radiographs", label_visibility="collapsed", live=True
    )
    name = f"Filter and sort ({criteria.count})" if criteria.count else "Filter and sort"
    with st.popover(name, width="stretch", icon=":material/filter_list:"):
        _draw(_options(pathologies, titles), titles, rule, truth, is_novelty_known=is_novelty_known)


def _options(pathologies: Sequence[str], methods: Iterable[str]) -> dict[str, list[str]]:
    return {
        "pathology": [_ANY, *pathologies],
        "label": [_ANY, "positive", "negative", "uncertain", "blank"],
        "predicted": [_ANY, *_YES],
        "annotated": [_ANY, *_YES],
        "explained": [_ANY, *_YES],
        "correct": [_ANY, *_CORRECT],
        "view": [_ANY, "frontal", "lateral"],
        "unlike": [_ANY, *_YES],
        "method": [_BEST, *methods],
        "sort": list(_SORTS),
    }


def _draw(
    options: Mapping[str, Sequence[str]],
    titles: Mapping[str, str],
    rule: ThresholdRule,
    truth: TruthWords,
    *,
    is_novelty_known: bool,
) -> None:
    words = {**titles, **{name: name.replace("IoU", truth.score) for name in _SORTS}}

    def select(name: str, label: str) -> None:
        st.selectbox(
            label, options[name], key=_key(name), format_func=lambda option: words.get(option, option)
        )

    st.html(_STYLE)
    left, middle, right, last = st.columns(4)
    with left:
        select("pathology", "Pathology")
        select("label", "Labelled")
        select("predicted", f"Predicted (threshold: {RULE_TITLES[rule]})")
    with middle:
        select("annotated", f"Expert {truth.marked_as}")
        select("correct", "Prediction")
        select("explained", "Explained")
    with right:
        select("view", "View")
        select("method", f"{sentence(truth.score)} of")
        st.slider(f"{sentence(truth.score)} between", *_WHOLE, step=0.05, key=_IOU)
    with last:
        select("sort", "Sort by")
        if is_novelty_known:
            select("unlike", "Unlike the training radiographs")
        st.button(
            "Clear filters",
            on_click=address.forget,
            args=(_SEARCH, _IOU, *map(_key, options)),
            width="stretch",
        )


def _key(name: str) -> str:
    return f"filter_{name}"


def _criteria(search: str, iou: tuple[float, float], chosen: Mapping[str, str]) -> Criteria:
    narrowing = {name: None if value in (_ANY, _BEST) else value for name, value in chosen.items()}
    return Criteria(
        search=search,
        pathology=narrowing["pathology"],
        label=narrowing["label"],
        is_predicted=_YES.get(chosen["predicted"]),
        is_correct=_CORRECT.get(chosen["correct"]),
        is_annotated=_YES.get(chosen["annotated"]),
        is_explained=_YES.get(chosen["explained"]),
        is_unlike=_YES.get(chosen["unlike"]),
        view=narrowing["view"],
        method=narrowing["method"],
        iou=iou,
    )
