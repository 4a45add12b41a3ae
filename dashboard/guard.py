"""The guard: the one call with which each page begins, so that nothing rests on app.py having run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.navigation import ensure_navigation
from dashboard.reading import open_run, open_run_cohort
from shamsul_core.cohort import CohortError
from shamsul_core.run import RunError

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.run import Run

DEMONSTRATION = Path(__file__).parents[1] / "assets" / "demo" / "run"

_HOW_TO = """
Explain a cohort once, then show it:

```
python -m shamsul_core explain --cohort COHORT --model MODEL --run RUN
streamlit run app.py -- --run RUN
```
"""


def enter() -> tuple[Run, Cohort]:
    """Let a reader in and return the run to show with its cohort; stop the page with a plain sentence otherwise."""
    ensure_navigation()
    st.sidebar.caption(":material/science: For research, not for diagnosis.")
    folder = _run_folder()
    try:
        run = open_run(folder)
    except (RunError, OSError) as error:
        st.info(str(error))
        st.markdown(_HOW_TO)
        st.stop()
    try:
        return run, open_run_cohort(folder)
    except CohortError as error:
        st.error(f"The run's radiographs cannot be read. {error}")
        st.stop()


def _run_folder() -> str:
    parser = argparse.ArgumentParser(prog="streamlit run app.py --", description="SHAMSUL's dashboard")
    parser.add_argument(
        "--run", default=str(DEMONSTRATION), help="folder of the run to show, or s3://bucket/folder"
    )
    return str(parser.parse_known_args(sys.argv[1:])[0].run)
