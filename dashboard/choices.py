"""Choices that hold on several pages; they live in the address."""

from __future__ import annotations

import streamlit as st

from shamsul_core.metrics.decisions import THRESHOLD_RULES, ThresholdRule


def threshold_choice() -> ThresholdRule:
    """Let the reader choose which threshold decides."""
    rule: ThresholdRule = st.segmented_control(
        "Threshold of the decision",
        THRESHOLD_RULES,
        default=THRESHOLD_RULES[0],
        required=True,
        key="threshold",
        bind="query-params",
        help="From this probability on the model says yes. Youden: for each observation the probability of this "
        "cohort where sensitivity + specificity is largest; chosen and judged on the same radiographs, it flatters.",
    )
    return rule
