"""The chapter on where everything comes from: model, data, settings, versions, fingerprints, failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from shamsul_core.figures.html.run_facts import model_facts, setting_facts
from shamsul_core.report.chapter import Chapter, Table, Words
from shamsul_core.run.wording import threshold_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shamsul_core.run import Run


_LONGEST = 400
"""Characters of a failure's reason that the documents show: a row must fit on a page."""


def provenance_chapter(run: Run) -> Chapter:
    """Return the chapter."""
    failures = run.failures
    words = (
        f"Number of failures: {len(failures)}, listed in failures.csv."
        if len(failures)
        else "Nothing failed."
    )
    first = failures[["image_id", "step", "method", "pathology", "error"]].head(20)
    first = first.assign(error=first["error"].str.slice(0, _LONGEST))
    return Chapter(
        "Model, data and settings",
        (
            _facts("run", "Model, cohort and run.", model_facts(run.manifest)),
            _facts("settings", "Settings and versions.", setting_facts(run.manifest)),
            Words(threshold_in_words(run.segmentation)),
            Words(words),
            *(
                [Table("failures", "The first twenty failures.", failures.set_index("image_id"), first)]
                if len(failures)
                else []
            ),
        ),
    )


def _facts(name: str, caption: str, facts: Mapping[str, str]) -> Table:
    return Table(name, caption, pd.DataFrame(facts.items(), columns=["What", "Which"]).set_index("What"))
