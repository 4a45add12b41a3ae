"""Choices that hold on several pages; they live in the address."""

from __future__ import annotations

from typing import cast

import streamlit as st

from dashboard.address import choice
from shamsul_core.statistics.prediction.decisions import RULE_TITLES, THRESHOLD_RULES, ThresholdRule


def threshold_choice() -> ThresholdRule:
    """Let the reader choose which threshold decides; call before anything that speaks of a decision."""
    rule = choice("threshold", THRESHOLD_RULES, THRESHOLD_RULES[0], among="one of the rules")
    st.segmented_control(
        "Decision threshold",
        THRESHOLD_RULES,
        required=True,
        format_func=RULE_TITLES.get,
        key="threshold",
        help="A pathology counts as predicted if its probability is at least this high. Youden: the probability at which "
        "sensitivity plus specificity is highest in this cohort, for each pathology, from definite labels. It is chosen "
        "and evaluated on the same radiographs, so results look better than they would on others.",
    )
    return cast("ThresholdRule", rule)
