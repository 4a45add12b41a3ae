"""The guard: the one call with which each page begins, so that nothing rests on main.py having run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import address
from dashboard.arguments import arguments
from dashboard.navigation import ensure_navigation
from dashboard.notes import show_note
from dashboard.reading import open_run, open_run_cohort
from dashboard.sign_in import OPEN, is_on, is_open, require_sign_in, show_reader
from shamsul_core.figures.html.foreign import as_markdown
from shamsul_core.run import RunError, find_runs
from shamsul_core.run.wording import RESEARCH_ONLY

if TYPE_CHECKING:
    from shamsul_core.cohort import Cohort
    from shamsul_core.run import Run

DEMONSTRATION = Path(__file__).parents[1] / "assets" / "demo" / "run"

_HOW_TO = """
Explain a cohort once, then show the run:

```
python -m shamsul_core explain --cohort COHORT --model MODEL --run RUN
python -m shamsul_core serve RUN
```
"""


_NO_COHORT = (
    "The run's radiographs cannot be read: there is no readable cohort where the run says that it lies. "
    "Whoever runs this server finds the reason in its log."
)
_log = logging.getLogger("shamsul")


def admit() -> None:
    """Let a reader in who signed in, where readers must; nothing is read before that."""
    ensure_navigation()
    address.begin()
    require_sign_in()
    show_reader()
    if not is_on() and (is_open() or "X-Forwarded-For" in st.context.headers):  # the latter is a proxy's
        show_note(f"{OPEN} See docs/deploying.md.")
    st.sidebar.caption(f":material/science: {RESEARCH_ONLY}")


def enter() -> tuple[Run, Cohort]:
    """Let a reader in and return the run to show with its cohort; stop the page with a plain sentence otherwise."""
    admit()
    try:
        folder = _chosen(find_runs(arguments().run or [str(DEMONSTRATION)]))
        run = open_run(folder)
    except (RunError, OSError) as error:
        st.info(as_markdown(error))
        st.markdown(_HOW_TO)
        address.stop()
    try:
        return run, open_run_cohort(folder)
    except (OSError, ValueError) as error:  # of which a CohortError is one
        # The run names the folder, and what lies there is not for its readers
        _log.warning("%s", error)
        st.error(_NO_COHORT)
        address.stop()


def _chosen(runs: dict[str, str]) -> str:
    """Return the folder of the run that the reader chose, where there are several."""
    if len(runs) == 1:
        return next(iter(runs.values()))
    name = address.choice(
        "run", list(runs), next(iter(runs)), is_always_named=True, among="among the runs shown here"
    )
    st.sidebar.selectbox("Run", list(runs), key="run")
    return runs[name]
