"""The chapter on the cohort: the paper's Table 1, views, sexes and ages."""

from __future__ import annotations

import pandas as pd

from shamsul_core.cohort.summary import composition, label_counts
from shamsul_core.figures.print.cohort import composition_figure, label_figure
from shamsul_core.report.chapter import Chapter, Drawing, Table


def cohort_chapter(radiographs: pd.DataFrame) -> Chapter:
    """Return the chapter; `radiographs` is `shamsul_core.cohort.summary.cohort_table`."""
    counts = label_counts(radiographs)
    kinds = ("positive", "uncertain", "negative", "blank")
    in_words = pd.DataFrame(
        {"Observation": list(counts.index)}
        | {
            kind.capitalize(): [
                f"{number:.0f} ({percent:.1f} %)"
                for number, percent in counts[[kind, f"{kind}_percent"]].fillna(0).to_numpy(float)
            ]
            for kind in kinds
        }
    )
    return Chapter(
        "The cohort",
        (
            Table(
                "table1",
                "Labels for each observation (the paper's Table 1).",
                counts,
                in_words,
            ),
            Drawing("table1", "The same as a bar chart.", label_figure(counts, "print")),
            Drawing(
                "composition", "Views, sexes and ages.", composition_figure(composition(radiographs), "print")
            ),
        ),
    )
