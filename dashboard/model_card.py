"""What a run's model was trained on, said before any number of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from shamsul_core.figures.html.model_card import model_card_html
from shamsul_core.run.model import card_of_run

if TYPE_CHECKING:
    from shamsul_core.run import Run


def show_model_card(run: Run) -> None:
    """Say what the run's model was trained on; of an untrained one its own banner says all there is."""
    model = run.manifest.model
    if model["is_trained"]:
        st.html(model_card_html(card_of_run(run), str(model["source"])))
