"""Choices that hold on several pages; they live in the address."""

from __future__ import annotations

from typing import cast

import streamlit as st

from dashboard.address import choice
from shamsul_core.metrics.decisions import RULE_TITLES, THRESHOLD_RULES, ThresholdRule


def threshold_choice() -> ThresholdRule:
    """Let the reader choose which threshold decides; call before anything that speaks of a decision."""
    rule = choice("threshold", THRESHOLD_RULES, THRESHOLD_RULES[0], among="one of the rules")
    st.segmented_control(
        "Decision threshold",
        THRESHOLD_RULES,
        required=True,
        format_func=RULE_TITLES.get,
        key="threshold",
        help="A pathology counts as predicted from this probability on. Youden: for each pathology the probability at "
        "which sensitivity plus specificity is highest in this cohort, on definite labels. It is chosen and judged on "
        "the same radiographs, so it looks better than it would on others.",
    )
    return cast("ThresholdRule", rule)
