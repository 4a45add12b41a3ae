"""The worklist's filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from shamsul_core.metrics.decisions import RULE_TITLES
from shamsul_core.worklist import BY_ID, BY_IOU, BY_PROBABILITY, Criteria

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shamsul_core.metrics.decisions import ThresholdRule

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
_KEYS = ("pathology", "label", "predicted", "correct", "annotated", "view", "method", "iou", "sort")


def choose(
    pathologies: Sequence[str], methods: Mapping[str, Mapping[str, Any]], rule: ThresholdRule
) -> tuple[Criteria, dict[str, Any]]:
    """Let the reader search, filter and sort; return the criteria, and the order as `worklist` takes it.

    Parameters
    ----------
    rule
        By which a pathology counts as predicted.
    """
    search = st.text_input(
        "Search", key="search", placeholder="Search radiographs", label_visibility="collapsed", live=True
    )
    criteria = _criteria(search)
    name = f"Filter and sort ({criteria.count})" if criteria.count else "Filter and sort"
    with st.popover(name, width="stretch", icon=":material/filter_list:"):
        _filters(pathologies, {name: str(about["title"]) for name, about in methods.items()}, rule)
    return criteria, _SORTS[st.session_state["filter_sort"]]


def _filters(pathologies: Sequence[str], titles: Mapping[str, str], rule: ThresholdRule) -> None:
    left, right = st.columns(2)
    with left:
        _select("pathology", "Pathology", [_ANY, *pathologies])
        _select("label", "Labelled", [_ANY, "positive", "negative", "uncertain", "blank"])
        _select("predicted", f"Predicted (threshold: {RULE_TITLES[rule]})", [_ANY, *_YES])
    with right:
        _select("annotated", "Contour by an expert", [_ANY, *_YES])
        _select("correct", "Prediction and label", [_ANY, *_CORRECT])
        _select("view", "View", [_ANY, "frontal", "lateral"])
    with left:
        _select("method", "IoU of", [_BEST, *titles], titles)
        _select("sort", "Sort by", list(_SORTS))
    with right:
        st.slider("IoU between", 0.0, 1.0, (0.0, 1.0), 0.05, key="filter_iou", persist_state="session")
        st.button("Clear filters", on_click=_clear, width="stretch")


def _select(name: str, label: str, options: Sequence[str], titles: Mapping[str, str] | None = None) -> None:
    titles = titles or {}
    st.selectbox(
        label,
        options,
        key=f"filter_{name}",
        format_func=lambda one: titles.get(one, one),
        persist_state="session",
    )


def _clear() -> None:
    for name in _KEYS:
        st.session_state.pop(f"filter_{name}", None)


def _criteria(search: str) -> Criteria:
    chosen = {name: st.session_state.get(f"filter_{name}") for name in _KEYS}
    narrowing = {name: None if value in (_ANY, _BEST) else value for name, value in chosen.items()}
    return Criteria(
        search=search,
        pathology=narrowing["pathology"],
        label=narrowing["label"],
        is_predicted=_YES.get(narrowing["predicted"]),
        is_correct=_CORRECT.get(narrowing["correct"]),
        is_annotated=_YES.get(narrowing["annotated"]),
        view=narrowing["view"],
        method=narrowing["method"],
        iou=chosen["iou"] or (0.0, 1.0),
    )
